//! A bounded queue of jobs for a thread; when it is full, the caller gets an error at once.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::work::Work;
use crate::StoreError;

/// Longest queue. Turns, requests to the provider and journal batches are limited far below, so it is only a safeguard.
const LONGEST_ROW: usize = 1024;

/// The queue.
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
    /// Adds `work` at the end.
    pub(crate) fn push(&self, work: Box<dyn Work>) -> Result<(), StoreError> {
        let mut row = self.row();
        if row.is_closed {
            return Err(StoreError::Stopped);
        }
        if row.works.len() >= LONGEST_ROW {
            return Err(StoreError::Busy(format!("{LONGEST_ROW} requests are already waiting for the disk")));
        }
        row.works.push_back(work);
        // Signaling costs a system call, and the thread is usually awake.
        if std::mem::take(&mut row.is_asleep) {
            drop(row);
            self.bell.notify_one();
        }
        Ok(())
    }

    /// Returns the number of waiting jobs.
    pub(crate) fn length(&self) -> usize {
        self.row().works.len()
    }

    /// Accepts no more jobs; waiting ones are still run.
    pub(crate) fn close(&self) {
        self.row().is_closed = true;
        self.bell.notify_all();
    }

    /// Drops all jobs because the thread is gone, which fails their callers.
    pub(crate) fn abandon(&self) {
        let mut row = self.row();
        row.is_closed = true;
        let left = std::mem::take(&mut row.works);
        drop(row);
        drop(left);
    }

    /// Waits for the next job. None once the queue is closed.
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

    /// Returns another waiting job without blocking.
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
