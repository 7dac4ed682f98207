//! A bounded queue of jobs for a thread; when it is full, the caller gets an error at once.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::work::Work;
use crate::StoreError;

/// Longest queue. Turns, requests to the provider and journal batches are limited far below, so it is only a safeguard.
const LONGEST_QUEUE: usize = 1024;

#[derive(Default)]
pub(crate) struct JobQueue {
    queue: Mutex<QueuedJobs>,
    bell: Condvar,
}

#[derive(Default)]
struct QueuedJobs {
    works: VecDeque<Box<dyn Work>>,
    is_closed: bool,
    is_asleep: bool,
}

impl JobQueue {
    /// Adds `work` at the end.
    pub(crate) fn push(&self, work: Box<dyn Work>) -> Result<(), StoreError> {
        let mut queue = self.queue();
        if queue.is_closed {
            return Err(StoreError::Stopped);
        }
        if queue.works.len() >= LONGEST_QUEUE {
            return Err(StoreError::Busy(format!("{LONGEST_QUEUE} requests are already waiting for the disk")));
        }
        queue.works.push_back(work);
        // Signaling costs a system call, and the thread is usually awake.
        if std::mem::take(&mut queue.is_asleep) {
            drop(queue);
            self.bell.notify_one();
        }
        Ok(())
    }

    /// Returns the number of waiting jobs.
    pub(crate) fn length(&self) -> usize {
        self.queue().works.len()
    }

    /// Accepts no more jobs; waiting ones are still run.
    pub(crate) fn close(&self) {
        self.queue().is_closed = true;
        self.bell.notify_all();
    }

    /// Drops all jobs because the thread is gone, which fails their callers.
    pub(crate) fn abandon(&self) {
        let mut queue = self.queue();
        queue.is_closed = true;
        let left = std::mem::take(&mut queue.works);
        drop(queue);
        drop(left);
    }

    /// Waits for the next job. None once the queue is closed.
    pub(crate) fn next(&self) -> Option<Box<dyn Work>> {
        let mut queue = self.queue();
        loop {
            match queue.works.pop_front() {
                None if !queue.is_closed => {
                    queue.is_asleep = true;
                    queue = self.bell.wait(queue).unwrap_or_else(PoisonError::into_inner);
                    queue.is_asleep = false;
                }
                work => return work,
            }
        }
    }

    /// Returns another waiting job without blocking.
    pub(crate) fn more(&self) -> Option<Box<dyn Work>> {
        self.queue().works.pop_front()
    }

    fn queue(&self) -> MutexGuard<'_, QueuedJobs> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for JobQueue {
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
    fn a_full_queue_rejects_jobs_until_it_has_capacity() {
        let waiting = JobQueue::default();
        for _ in 0..LONGEST_QUEUE {
            waiting.push(Box::new(Nothing)).unwrap();
        }
        assert!(matches!(waiting.push(Box::new(Nothing)), Err(StoreError::Busy(_))));
        assert!(waiting.more().is_some());
        waiting.push(Box::new(Nothing)).unwrap();
    }

    #[test]
    fn queued_jobs_finish_before_the_end_and_new_ones_are_rejected() {
        let waiting = JobQueue::default();
        waiting.push(Box::new(Nothing)).unwrap();
        waiting.close();
        assert!(waiting.push(Box::new(Nothing)).is_err());
        assert!(waiting.next().is_some());
        assert!(waiting.next().is_none());
    }
}
