//! What waits for a thread, in two rows of bounded length: when one is full, whoever asks is told at once.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::share::{Choice, Share};
use super::worker::{Rank, Work};
use crate::StoreError;

/// No row grows longer. Webhooks in flight, turns and requests to the provider are fewer by far: it is there for the day
/// on which they are not.
const LONGEST_ROW: usize = 1024;

/// The two rows.
#[derive(Default)]
pub(super) struct Waiting {
    rows: Mutex<Rows>,
    bell: Condvar,
}

#[derive(Default)]
struct Rows {
    arrivals: VecDeque<Box<dyn Work>>,
    works: VecDeque<Box<dyn Work>>,
    is_closed: bool,
    is_asleep: bool,
}

/// What a thread is to do next.
pub(super) enum Batch {
    /// To store these, which have arrived.
    Arrivals(Vec<Box<dyn Work>>),
    /// To do this, and what [`Waiting::more_work`] has behind it.
    Work(Box<dyn Work>),
}

impl Waiting {
    /// Lets `work` wait behind those of its rank.
    pub(super) fn push(&self, rank: Rank, work: Box<dyn Work>) -> Result<(), StoreError> {
        let mut rows = self.rows();
        if rows.is_closed {
            return Err(StoreError::Stopped);
        }
        let row = rows.row(rank);
        if row.len() >= LONGEST_ROW {
            return Err(StoreError::Busy(format!("{LONGEST_ROW} requests wait for the disk already")));
        }
        row.push_back(work);
        // Ringing costs a system call, and most of the time the thread is awake.
        if std::mem::take(&mut rows.is_asleep) {
            drop(rows);
            self.bell.notify_one();
        }
        Ok(())
    }

    /// How long the rows are: arrivals, other work.
    pub(super) fn lengths(&self) -> (usize, usize) {
        let rows = self.rows();
        (rows.arrivals.len(), rows.works.len())
    }

    /// Nothing more will be asked; what waits is still to be done.
    pub(super) fn close(&self) {
        self.rows().is_closed = true;
        self.bell.notify_all();
    }

    /// The thread is gone: whoever waits for it is told, by dropping what they asked.
    pub(super) fn abandon(&self) {
        let mut rows = self.rows();
        rows.is_closed = true;
        let left = (std::mem::take(&mut rows.arrivals), std::mem::take(&mut rows.works));
        drop(rows);
        drop(left);
    }

    /// The next batch, with at most `most` arrivals; sleeps until there is one. None when there will never be one.
    pub(super) fn next(&self, share: &Share, most: usize) -> Option<Batch> {
        let mut rows = self.rows();
        loop {
            let now = Instant::now();
            match share.choose(!rows.arrivals.is_empty(), !rows.works.is_empty(), now) {
                Choice::Arrivals => {
                    let number = rows.arrivals.len().min(most);
                    return Some(Batch::Arrivals(rows.arrivals.drain(..number).collect()));
                }
                Choice::Work => {
                    if let Some(work) = rows.works.pop_front() {
                        return Some(Batch::Work(work));
                    }
                }
                Choice::WaitUntil(_) | Choice::Sleep if rows.is_closed => {
                    return rows.works.pop_front().map(Batch::Work);
                }
                Choice::WaitUntil(time) => rows = self.sleep(rows, Some(time.saturating_duration_since(now))),
                Choice::Sleep => rows = self.sleep(rows, None),
            }
        }
    }

    /// More work that waits; does not sleep.
    pub(super) fn more_work(&self) -> Option<Box<dyn Work>> {
        self.rows().works.pop_front()
    }

    /// The next work, for a thread that knows nothing else; sleeps until there is one. None when there will never be.
    pub(super) fn next_work(&self) -> Option<Box<dyn Work>> {
        let mut rows = self.rows();
        loop {
            match rows.works.pop_front() {
                None if !rows.is_closed => rows = self.sleep(rows, None),
                work => return work,
            }
        }
    }

    fn sleep<'a>(&self, mut rows: MutexGuard<'a, Rows>, longest: Option<Duration>) -> MutexGuard<'a, Rows> {
        rows.is_asleep = true;
        let mut rows = match longest {
            None => self.bell.wait(rows).unwrap_or_else(PoisonError::into_inner),
            Some(longest) => self.bell.wait_timeout(rows, longest).unwrap_or_else(PoisonError::into_inner).0,
        };
        rows.is_asleep = false;
        rows
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rows {
    fn row(&mut self, rank: Rank) -> &mut VecDeque<Box<dyn Work>> {
        match rank {
            Rank::Arrival => &mut self.arrivals,
            Rank::Work => &mut self.works,
        }
    }
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Waiting").field(&self.lengths()).finish()
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
    fn a_full_row_refuses_and_leaves_the_other_row_alone() {
        let waiting = Waiting::default();
        for _ in 0..LONGEST_ROW {
            waiting.push(Rank::Arrival, Box::new(Nothing)).unwrap();
        }
        assert!(matches!(waiting.push(Rank::Arrival, Box::new(Nothing)), Err(StoreError::Busy(_))));
        waiting.push(Rank::Work, Box::new(Nothing)).unwrap();
        assert!(waiting.more_work().is_some());
        assert!(matches!(waiting.next(&Share::default(), 64), Some(Batch::Arrivals(batch)) if batch.len() == 64));
        waiting.push(Rank::Arrival, Box::new(Nothing)).unwrap();
    }

    #[test]
    fn what_waits_is_done_before_the_end_and_nothing_is_taken_after() {
        let waiting = Waiting::default();
        let mut share = Share::default();
        let now = Instant::now();
        share.arrivals_ended(now);
        share.work_ended(now, now + Duration::from_secs(60));
        share.arrivals_ended(now + Duration::from_secs(60));
        waiting.push(Rank::Work, Box::new(Nothing)).unwrap();
        waiting.push(Rank::Arrival, Box::new(Nothing)).unwrap();
        waiting.close();
        assert!(waiting.push(Rank::Work, Box::new(Nothing)).is_err());
        assert!(matches!(waiting.next(&share, 64), Some(Batch::Arrivals(_))));
        assert!(matches!(waiting.next(&share, 64), Some(Batch::Work(_))), "not put off: there will be no arrivals");
        assert!(waiting.next(&share, 64).is_none());
    }
}
