//! The thread that writes: entries that arrive together share one sync of the disk.

use std::sync::{MutexGuard, PoisonError};

use super::{JournalPosition, JournalState, SharedJournal, Waiter, record};
use crate::StoreError;

/// The maximum file size, some 500,000 texts: if the store fails for long, the provider must see errors too. Applied
/// entries count until all are applied, so that a restart always has enough capacity for the file.
const CAPACITY: u64 = 256 << 20;

/// Size of a write that only tests the disk.
const TRIAL: [u8; 4096] = [0; 4096];

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

impl SharedJournal {
    /// Has the thread write an entry, or without one, bytes that only test the disk.
    pub(super) fn ask(&self, payload: Option<&[u8]>, waiter: Waiter) -> Result<(), StoreError> {
        let mut state = self.state();
        if state.is_closed {
            return Err(StoreError::Stopped);
        }
        if let Some(payload) = payload {
            if state.end - state.start + state.records.len() as u64 > CAPACITY {
                let words = format!("the journal has {} MiB that are not all stored yet", CAPACITY >> 20);
                return Err(StoreError::Busy(words));
            }
            record::push(&mut state.records, payload);
        }
        let end = state.records.len() as u64;
        state.waiting.push((end, waiter));
        self.ring(state);
        Ok(())
    }

    /// Wakes the thread only if it sleeps, because signaling costs a system call.
    pub(super) fn ring(&self, mut state: MutexGuard<'_, JournalState>) {
        if std::mem::take(&mut state.is_asleep) {
            drop(state);
            self.bell.notify_one();
        }
    }

    /// Writes until the journal is closed.
    pub(super) fn serve(&self) {
        // Also after a panic, no task must wait for this thread.
        let _closing = WriterEnd(self);
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
                let _ = waiter.send(written.clone().map(|()| JournalPosition(writing.from + end)));
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
struct WriterEnd<'a>(&'a SharedJournal);

impl Drop for WriterEnd<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.is_closed = true;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        drop(waiting);
    }
}
