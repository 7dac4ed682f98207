//! Reads the entries that are not applied, and copies the file if it is damaged.

use std::path::PathBuf;
use std::sync::{MutexGuard, PoisonError};

use telephony_domain::time::Timestamp;

use super::file::Chunk;
use super::{Batch, JournalPosition, SharedJournal, damage};
use crate::StoreError;

/// Entries per batch.
const AT_A_TIME: usize = 64;

/// Consecutive read failures after which the disk counts as unreadable.
const READ_TRIES: u32 = 5;

/// The state of reading after failures.
#[derive(Debug, Default)]
pub(super) struct ReadRetries {
    /// Consecutive disk failures.
    failures: u32,
    /// Time of the newest entry read.
    newest: Option<Timestamp>,
    /// Copy of the damaged file that begins at this position.
    copy: Option<(u64, PathBuf)>,
}

impl SharedJournal {
    /// Returns the oldest entries that are not applied; none if all are.
    pub(super) fn unapplied(&self) -> Result<Option<Batch>, StoreError> {
        let from = *self.applied.borrow();
        let (offset, end) = {
            let state = self.state();
            (from - state.start, state.end)
        };
        if from == end {
            return Ok(None);
        }
        let chunk = self.read(offset, offset + (end - from))?;
        let end = JournalPosition(from + chunk.length);
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

    fn reading(&self) -> MutexGuard<'_, ReadRetries> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Builds a batch; keeps a copy of the file if it is damaged. The file begins at position `start`.
    fn batch(&self, chunk: Chunk, offset: u64, start: u64, end: JournalPosition) -> Batch {
        let mut reading = self.reading();
        let (entries, mut damages) = damage::sort(chunk, offset, &mut reading.newest);
        if !damages.is_empty() {
            let copy = self.keep_aside(&mut reading, start);
            damages.iter_mut().for_each(|damage| damage.copy.clone_from(&copy));
        }
        Batch { entries, damages, end }
    }

    /// Copies the file, once until it starts over.
    fn keep_aside(&self, reading: &mut ReadRetries, start: u64) -> Option<PathBuf> {
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
}
