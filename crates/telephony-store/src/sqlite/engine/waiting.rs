//! What waits for a thread, in a row of bounded length: when it is full, whoever asks is told at once.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::work::Work;
use crate::StoreError;

/// The row grows no longer. Turns, requests to the provider and what is taken from the journal at a time are fewer by far: it
/// is there for the day on which they are not.
const LONGEST_ROW: usize = 1024;

/// The row.
#[derive(Default)]
pub(crate) struct Waiting {
    row: Mutex<Row>,
    bell: Condvar,
}

#[derive(Default)]
struct Row {
    works: VecDeque<Box<dyn Work>>,
    is_closed: bool,
    is_asleep: bool,
}

impl Waiting {
    /// Lets `work` wait behind what is there.
    pub(crate) fn push(&self, work: Box<dyn Work>) -> Result<(), StoreError> {
        let mut row = self.row();
        if row.is_closed {
            return Err(StoreError::Stopped);
        }
        if row.works.len() >= LONGEST_ROW {
            return Err(StoreError::Busy(format!("{LONGEST_ROW} requests wait for the disk already")));
        }
        row.works.push_back(work);
        // Ringing costs a system call, and most of the time the thread is awake.
        if std::mem::take(&mut row.is_asleep) {
            drop(row);
            self.bell.notify_one();
        }
        Ok(())
    }

    /// How much waits.
    pub(crate) fn length(&self) -> usize {
        self.row().works.len()
    }

    /// Nothing more will be asked; what waits is still to be done.
    pub(crate) fn close(&self) {
        self.row().is_closed = true;
        self.bell.notify_all();
    }

    /// The thread is gone: whoever waits for it is told, by dropping what they asked.
    pub(crate) fn abandon(&self) {
        let mut row = self.row();
        row.is_closed = true;
        let left = std::mem::take(&mut row.works);
        drop(row);
        drop(left);
    }

    /// What is to be done next; sleeps until there is something. None when there never will be.
    pub(crate) fn next(&self) -> Option<Box<dyn Work>> {
        let mut row = self.row();
        loop {
            match row.works.pop_front() {
                None if !row.is_closed => {
                    row.is_asleep = true;
                    row = self.bell.wait(row).unwrap_or_else(PoisonError::into_inner);
                    row.is_asleep = false;
                }
                work => return work,
            }
        }
    }

    /// More that waits; does not sleep.
    pub(crate) fn more(&self) -> Option<Box<dyn Work>> {
        self.row().works.pop_front()
    }

    fn row(&self) -> MutexGuard<'_, Row> {
        self.row.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Waiting").field(&self.length()).finish()
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    struct Nothing;

    impl Work for Nothing {
        fn run(&mut self, _: &Connection) -> Result<(), StoreError> {
            Ok(())
        }

        fn answer(self: Box<Self>, _: Result<(), StoreError>) {}
    }

    #[test]
    fn a_full_row_refuses_until_there_is_room() {
        let waiting = Waiting::default();
        for _ in 0..LONGEST_ROW {
            waiting.push(Box::new(Nothing)).unwrap();
        }
        assert!(matches!(waiting.push(Box::new(Nothing)), Err(StoreError::Busy(_))));
        assert!(waiting.more().is_some());
        waiting.push(Box::new(Nothing)).unwrap();
    }

    #[test]
    fn what_waits_is_done_before_the_end_and_nothing_is_taken_after() {
        let waiting = Waiting::default();
        waiting.push(Box::new(Nothing)).unwrap();
        waiting.close();
        assert!(waiting.push(Box::new(Nothing)).is_err());
        assert!(waiting.next().is_some());
        assert!(waiting.next().is_none());
    }
}
