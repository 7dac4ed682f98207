//! The journal: events from the provider are on disk here, in order, from before their acknowledgment until they are
//! stored.
//!
//! Appending is cheap and waits only for the disk, while storing an event may wait its turn. Applied entries are
//! overwritten. An entry may come out twice if the program is killed after storing it; the store recognizes duplicates.

mod aside;
mod damage;
mod file;
mod record;

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
use file::{Chunk, JournalFile};

/// The maximum file size, some 500,000 texts: if the store fails for long, the provider must see errors too. Applied
/// entries count until all are applied, so that a restart always has enough capacity for the file.
const ROOM: u64 = 256 << 20;

/// Entries per batch.
const AT_A_TIME: usize = 64;

/// Consecutive read failures after which the disk counts as unreadable.
const READ_TRIES: u32 = 5;

/// Size of a write that only tests the disk.
const TRIAL: [u8; 4096] = [0; 4096];

/// An event from the provider. The variant names are part of the file format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// A message from a contact.
    Message(Arrival),
    /// A status report on one of our messages.
    Report(StatusReport),
}

/// A journal entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Time of the event.
    pub at: Timestamp,
    /// True if signatures were not checked then: anyone may have sent it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_unverified: bool,
    /// The event.
    pub told: Event,
}

/// A position in the journal, valid within one run of the program; everything before it was appended earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(u64);

/// The oldest entries that are not applied.
#[derive(Debug)]
pub struct Batch {
    /// Entries in order; empty only if none of them is readable.
    pub entries: Vec<Entry>,
    /// Damaged parts.
    pub damages: Vec<Damage>,
    /// Position behind them.
    pub end: Position,
}

/// The journal in one file. Dropping it waits for pending writes.
#[derive(Debug)]
pub struct Journal {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    file: JournalFile,
    state: Mutex<State>,
    /// Signals that there is something to write, or that everything is applied.
    bell: Condvar,
    /// Signals that more is on disk.
    more: Notify,
    /// Up to where entries are applied.
    applied: watch::Sender<u64>,
    reading: Mutex<Reading>,
}

/// The state of reading after failures.
#[derive(Debug, Default)]
struct Reading {
    /// Consecutive disk failures.
    failures: u32,
    /// Time of the newest entry read.
    newest: Option<Timestamp>,
    /// Copy of the damaged file that begins at this position.
    copy: Option<(u64, PathBuf)>,
}

/// Positions in bytes.
#[derive(Debug, Default)]
struct State {
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
type Waiter = oneshot::Sender<Result<Position, StoreError>>;

/// A pending write.
struct Writing {
    /// Offset in the file, and position.
    offset: u64,
    from: u64,
    records: Vec<u8>,
    waiting: Vec<(u64, Waiter)>,
}

impl Writing {
    /// Returns the bytes to write. Without records these are zeros, which end the file's content.
    fn bytes(&self) -> &[u8] {
        if self.records.is_empty() { &TRIAL } else { &self.records }
    }
}

/// Returns copies of damaged journals beside the journal at `path`, oldest first.
pub fn copies(path: &Path) -> Vec<PathBuf> {
    aside::copies(path)
}

/// Reads the entries of the journal at `path` that are whole, also while another process writes it. What that process is
/// writing is not acknowledged yet, and what it wipes is in the store.
pub fn peek(path: &Path) -> Result<Vec<Entry>, StoreError> {
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
        let shared = Arc::new(Shared {
            file,
            state: Mutex::new(State { end, used, ..State::default() }),
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
    pub async fn append(&self, entry: &Entry) -> Result<Position, StoreError> {
        let payload = serde_json::to_vec(entry).map_err(|error| StoreError::Other(error.to_string()))?;
        let (waiter, answer) = oneshot::channel();
        self.shared.ask(&payload, waiter)?;
        answer.await.map_err(|_| StoreError::Stopped)?
    }

    /// Tests writing without changing anything: fails as an append would.
    pub async fn try_writing(&self) -> Result<(), StoreError> {
        let (waiter, answer) = oneshot::channel();
        self.shared.ask_for_trial(waiter)?;
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
    pub fn end(&self) -> Position {
        Position(self.shared.state().end)
    }

    /// Marks everything before `end`, the end of a batch, as stored or given up.
    pub fn mark_applied(&self, end: Position) {
        self.shared.applied.send_replace(end.0);
        self.shared.ring(self.shared.state());
    }

    /// Returns once the entry at `position` is applied.
    pub async fn applied(&self, position: Position) {
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

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the thread only if it sleeps, because signaling costs a system call.
    fn ring(&self, mut state: MutexGuard<'_, State>) {
        if std::mem::take(&mut state.is_asleep) {
            drop(state);
            self.bell.notify_one();
        }
    }

    fn ask(&self, payload: &[u8], waiter: Waiter) -> Result<(), StoreError> {
        let mut state = self.state();
        if state.is_closed {
            return Err(StoreError::Stopped);
        }
        if state.end - state.start + state.records.len() as u64 > ROOM {
            let words = format!("the journal has {} MiB that are not all stored yet", ROOM >> 20);
            return Err(StoreError::Busy(words));
        }
        record::push(&mut state.records, payload);
        let end = state.records.len() as u64;
        state.waiting.push((end, waiter));
        self.ring(state);
        Ok(())
    }

    fn ask_for_trial(&self, waiter: Waiter) -> Result<(), StoreError> {
        let mut state = self.state();
        if state.is_closed {
            return Err(StoreError::Stopped);
        }
        let end = state.records.len() as u64;
        state.waiting.push((end, waiter));
        self.ring(state);
        Ok(())
    }

    fn unapplied(&self) -> Result<Option<Batch>, StoreError> {
        let from = *self.applied.borrow();
        let (offset, end) = {
            let state = self.state();
            (from - state.start, state.end)
        };
        if from == end {
            return Ok(None);
        }
        let chunk = self.read(offset, offset + (end - from))?;
        let end = Position(from + chunk.length);
        Ok(Some(self.batch(chunk, offset, from - offset, end)))
    }

    /// Reads from the disk; after several failures, unreadable parts count as damaged.
    fn read(&self, offset: u64, end: u64) -> Result<Chunk, StoreError> {
        let read = self.file.read(offset, end, AT_A_TIME);
        let mut reading = self.reading();
        reading.failures = if read.is_ok() { 0 } else { reading.failures + 1 };
        if reading.failures >= READ_TRIES {
            self.file.skip_unreadable();
            return self.file.read(offset, end, AT_A_TIME);
        }
        read
    }

    fn reading(&self) -> MutexGuard<'_, Reading> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Builds a batch; keeps a copy of the file if it is damaged. The file begins at position `start`.
    fn batch(&self, chunk: Chunk, offset: u64, start: u64, end: Position) -> Batch {
        let mut reading = self.reading();
        let (entries, mut damages) = damage::sort(chunk, offset, &mut reading.newest);
        if !damages.is_empty() {
            let copy = self.keep_aside(&mut reading, start);
            damages.iter_mut().for_each(|damage| damage.copy.clone_from(&copy));
        }
        Batch { entries, damages, end }
    }

    /// Copies the file, once until it starts over.
    fn keep_aside(&self, reading: &mut Reading, start: u64) -> Option<PathBuf> {
        if let Some((_, copy)) = reading.copy.as_ref().filter(|(of, _)| *of == start) {
            return Some(copy.clone());
        }
        let written = self.state().used;
        match self.file.keep_aside(written) {
            Ok(copy) => {
                reading.copy = Some((start, copy.clone()));
                Some(copy)
            }
            Err(error) => {
                tracing::error!(%error, hint = error.hint(), "cannot keep a copy of the damaged journal");
                None
            }
        }
    }

    /// Writes until the journal is closed.
    fn serve(&self) {
        // Also after a panic, no task must wait for this thread.
        let _closing = Closing(self);
        while let Some(writing) = self.next_writing() {
            let written = self.file.write(writing.offset, writing.bytes());
            match written {
                Ok(()) => {
                    self.state().end += writing.records.len() as u64;
                    self.more.notify_one();
                }
                // Its complete records were not acknowledged, and must not follow what is written next.
                Err(_) if self.file.cut(writing.offset).is_ok() => self.state().used = writing.offset,
                Err(_) => {}
            }
            for (end, waiter) in writing.waiting {
                // The task may be gone; the write stays.
                let _ = waiter.send(written.clone().map(|()| Position(writing.from + end)));
            }
        }
    }

    /// Waits until there is something to write; returns none after closing. Rewinds the file once everything is
    /// applied.
    fn next_writing(&self) -> Option<Writing> {
        let mut state = self.state();
        loop {
            if state.end > state.start && state.end == *self.applied.borrow() {
                match self.file.wipe(state.used) {
                    Ok(()) => (state.start, state.used) = (state.end, 0),
                    Err(error) => {
                        tracing::warn!(%error, "cannot wipe stored entries from the journal; retrying")
                    }
                }
            }
            if !state.waiting.is_empty() {
                let writing = Writing {
                    offset: state.end - state.start,
                    from: state.end,
                    records: std::mem::take(&mut state.records),
                    waiting: std::mem::take(&mut state.waiting),
                };
                state.used = state.used.max(writing.offset + writing.bytes().len() as u64);
                return Some(writing);
            }
            if state.is_closed {
                return None;
            }
            state.is_asleep = true;
            state = self.bell.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.is_asleep = false;
        }
    }
}

/// Ends the waits on a thread that ends.
struct Closing<'a>(&'a Shared);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.is_closed = true;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        drop(waiting);
    }
}
