//! The journal: events from the provider are on disk here, in order, from before their acknowledgment until they are
//! stored.
//!
//! Appending is cheap and waits only for the disk, while storing an event may wait its turn. Applied entries are
//! overwritten. An entry may come out twice if the program is killed after storing it; the store recognizes duplicates.

mod aside;
mod damage;
mod file;
mod reading;
mod record;
mod writing;

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use telephony_domain::delivery::StatusReport;
use telephony_domain::message::Arrival;
use telephony_domain::time::Timestamp;
use tokio::sync::{Notify, oneshot, watch};

use crate::StoreError;
pub use damage::{Damage, DamageKind};
use file::JournalFile;
use reading::ReadRetries;

/// An event from the provider. The variant names are part of the file format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JournalEvent {
    /// A message from a contact.
    Message(Arrival),
    /// A status report on one of our messages.
    Report(StatusReport),
}

/// An event in the journal, as it was acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// Time of the event.
    pub at: Timestamp,
    /// True if signatures were not checked then: anyone may have sent it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_unverified: bool,
    /// Name of the provider that it comes from.
    #[serde(default = "first_provider")]
    pub provider: Cow<'static, str>,
    /// The event. The last field, because the end of an entry is recognized by its braces.
    #[serde(rename = "told")]
    pub event: JournalEvent,
}

/// Returns the provider of entries without a name, from versions that knew only one.
fn first_provider() -> Cow<'static, str> {
    Cow::Borrowed("twilio")
}

/// A position in the journal, valid within one run of the program; everything before it was appended earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct JournalPosition(u64);

/// The oldest entries that are not applied.
#[derive(Debug)]
pub struct Batch {
    /// Entries in order; empty only if none of them is readable.
    pub entries: Vec<JournalEntry>,
    /// Damaged stretches that were skipped on the way.
    pub damages: Vec<Damage>,
    /// Position after the last entry, from which to read on.
    pub end: JournalPosition,
}

/// The journal in one file. Dropping it waits for pending writes.
#[derive(Debug)]
pub struct Journal {
    shared: Arc<SharedJournal>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct SharedJournal {
    file: JournalFile,
    state: Mutex<JournalState>,
    /// Signals that there is something to write, or that everything is applied.
    bell: Condvar,
    /// Signals that more is on disk.
    more: Notify,
    /// Up to where entries are applied.
    applied: watch::Sender<u64>,
    reading: Mutex<ReadRetries>,
}

/// Positions in bytes.
#[derive(Debug, Default)]
struct JournalState {
    /// Position of the first byte in the file.
    start: u64,
    /// Position behind the last byte on disk.
    end: u64,
    /// Bytes of the file that may have content, including an incomplete record.
    used: u64,
    /// Records to write, and for each waiter the end of its record in bytes.
    records: Vec<u8>,
    waiting: Vec<(u64, Waiter)>,
    is_asleep: bool,
    is_closed: bool,
}

/// A task that waits until an entry is on disk.
type Waiter = oneshot::Sender<Result<JournalPosition, StoreError>>;

/// Returns copies of damaged journals beside the journal at `path`, oldest first.
pub fn copies(path: &Path) -> Vec<PathBuf> {
    aside::copies(path)
}

/// Reads the entries of the journal at `path` that are whole, also while another process writes it. What that process
/// is writing is not acknowledged yet, and what it wipes is in the store.
pub fn peek(path: &Path) -> Result<Vec<JournalEntry>, StoreError> {
    let bytes = match std::fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        read => read.map_err(|error| StoreError::of_file(&error).at(path))?,
    };
    let (mut entries, mut rest) = (Vec::new(), bytes.as_slice());
    while let Some(at) = record::find(rest, rest.len()) {
        rest = &rest[at..];
        entries.extend(record::payload(rest).and_then(|payload| serde_json::from_slice(payload).ok()));
        rest = &rest[record::length(rest).unwrap_or(rest.len())..];
    }
    Ok(entries)
}

impl Journal {
    /// Opens the file, creating it if missing; entries of an earlier run are read first.
    pub fn open(path: &Path) -> Result<Journal, StoreError> {
        let (file, end, used) = JournalFile::open(path)?;
        let shared = Arc::new(SharedJournal {
            file,
            state: Mutex::new(JournalState { end, used, ..JournalState::default() }),
            bell: Condvar::new(),
            more: Notify::new(),
            applied: watch::Sender::new(0),
            reading: Mutex::default(),
        });
        let ours = shared.clone();
        let thread = Builder::new().name("journal".to_owned()).spawn(move || ours.serve());
        let thread =
            thread.map_err(|error| StoreError::Other(format!("cannot start a thread for the journal: {error}")))?;
        Ok(Journal { shared, thread: Some(thread) })
    }

    /// Appends an entry; it is on disk when this returns `Ok`. Concurrent appends share a sync of the disk.
    pub async fn append(&self, entry: &JournalEntry) -> Result<JournalPosition, StoreError> {
        let payload = serde_json::to_vec(entry).map_err(|error| StoreError::Other(error.to_string()))?;
        let (waiter, answer) = oneshot::channel();
        self.shared.ask(Some(&payload), waiter)?;
        answer.await.map_err(|_| StoreError::Stopped)?
    }

    /// Tests writing without changing anything: fails as an append would.
    pub async fn try_writing(&self) -> Result<(), StoreError> {
        let (waiter, answer) = oneshot::channel();
        self.shared.ask(None, waiter)?;
        answer.await.map_err(|_| StoreError::Stopped)?.map(drop)
    }

    /// Fails if the file was removed or replaced.
    pub fn check_is_there(&self) -> Result<(), StoreError> {
        self.shared.file.check_is_there()
    }

    /// Removes copies of damaged journals made before this time.
    pub fn remove_copies(&self, before: Timestamp) -> Result<(), StoreError> {
        let since_1970 = Duration::from_millis(u64::try_from(before.0).unwrap_or(0));
        let path = self.shared.file.path();
        aside::remove(path, SystemTime::UNIX_EPOCH + since_1970).map_err(|error| StoreError::of_disk(&error).at(path))
    }

    /// Returns the oldest entries that are not applied; waits until there are any. Repeated calls return the same ones
    /// until they are applied.
    pub async fn next(&self) -> Result<Batch, StoreError> {
        loop {
            if let Some(batch) = self.shared.unapplied()? {
                return Ok(batch);
            }
            self.shared.more.notified().await;
        }
    }

    /// Returns true if all entries are applied.
    pub fn is_applied(&self) -> bool {
        self.unapplied_bytes() == 0
    }

    /// Returns the size of the entries that are not applied, in bytes.
    pub fn unapplied_bytes(&self) -> u64 {
        self.shared.state().end - *self.shared.applied.borrow()
    }

    /// Returns the position behind everything appended.
    pub fn end(&self) -> JournalPosition {
        JournalPosition(self.shared.state().end)
    }

    /// Marks everything before `end`, the end of a batch, as stored or given up.
    pub fn mark_applied(&self, end: JournalPosition) {
        self.shared.applied.send_replace(end.0);
        self.shared.ring(self.shared.state());
    }

    /// Returns once the entry at `position` is applied.
    pub async fn applied(&self, position: JournalPosition) {
        let mut applied = self.shared.applied.subscribe();
        // The sender is in the same struct and lives as long.
        applied.wait_for(|applied| *applied >= position.0).await.ok();
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.is_closed = true;
        self.shared.ring(state);
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was already reported.
            let _ = thread.join();
        }
    }
}

impl SharedJournal {
    fn state(&self) -> MutexGuard<'_, JournalState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
