//! The storage state: the first task that fails reports it here, and a watch notices when storing works again.

mod watch;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use telephony_store::StoreError;
use tokio::sync::Notify;

pub use watch::StorageWatch;

/// Shortest interval between log lines of the same failure.
const EVERY: Duration = Duration::from_secs(60);

/// The state shared by all tasks that store data.
#[derive(Debug, Default)]
pub struct Storage {
    state: Mutex<StorageState>,
    /// Signals that storing begins to fail.
    bell: Notify,
}

#[derive(Debug, Default)]
struct StorageState {
    trouble: Option<StorageFailure>,
    logged: HashMap<&'static str, Logged>,
}

/// A failure to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageFailure {
    /// Error of the latest attempt to store.
    pub error: StoreError,
    /// Webhooks answered with 503 meanwhile.
    pub refused: u64,
}

/// The time of the last log line, and the number of failures since.
#[derive(Debug)]
struct Logged {
    at: Instant,
    since: u64,
}

impl Storage {
    /// Logs a failure: at once, and then once a minute with a count.
    pub fn failed(&self, what: &'static str, error: &StoreError) {
        if error.stops_storing() {
            self.begin(error);
        }
        if let Some(count) = self.count(what, Instant::now()) {
            tracing::error!(count, %error, hint = error.hint(), "{what}");
        }
    }

    /// Counts a webhook that was answered with 503.
    pub fn refused(&self, error: &StoreError) {
        self.failed("a webhook was not stored and not acknowledged", error);
        if let Some(trouble) = &mut self.state().trouble {
            trouble.refused += 1;
        }
    }

    /// Returns the current failure; none if storing works.
    pub fn trouble(&self) -> Option<StorageFailure> {
        self.state().trouble.clone()
    }

    /// Fails while the database is gone: the journal must not accept events that may never be stored.
    pub fn check_is_there(&self) -> Result<(), StoreError> {
        match &self.state().trouble {
            Some(StorageFailure { error: error @ StoreError::Gone(_), .. }) => Err(error.clone()),
            _ => Ok(()),
        }
    }

    /// Ends the failure and returns it.
    fn end(&self) -> Option<StorageFailure> {
        self.state().trouble.take()
    }

    fn begin(&self, error: &StoreError) {
        match &mut self.state().trouble {
            Some(trouble) => trouble.error = error.clone(),
            none => {
                *none = Some(StorageFailure { error: error.clone(), refused: 0 });
                self.bell.notify_one();
            }
        }
    }

    /// Returns the count since the last log line; none if that was less than a minute ago.
    fn count(&self, what: &'static str, now: Instant) -> Option<u64> {
        let mut state = self.state();
        let Some(logged) = state.logged.get_mut(what) else {
            state.logged.insert(what, Logged { at: now, since: 0 });
            return Some(1);
        };
        logged.since += 1;
        if now.duration_since(logged.at) < EVERY {
            return None;
        }
        logged.at = now;
        Some(std::mem::take(&mut logged.since))
    }

    fn state(&self) -> MutexGuard<'_, StorageState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_failure_is_logged_once_a_minute_with_a_count() {
        let (storage, start) = (Storage::default(), Instant::now());
        assert_eq!(storage.count("a", start), Some(1));
        for second in 0..59 {
            assert_eq!(storage.count("a", start + Duration::from_secs(second)), None);
        }
        assert_eq!(storage.count("b", start), Some(1));
        assert_eq!(storage.count("a", start + EVERY), Some(60));
        assert_eq!(storage.count("a", start + EVERY), None);
    }

    #[test]
    fn errors_that_need_the_operator_are_trouble_and_a_busy_file_is_not() {
        let storage = Storage::default();
        storage.refused(&StoreError::Busy("locked".to_owned()));
        assert_eq!(storage.trouble(), None);
        let full = StoreError::Full("no space".to_owned());
        storage.refused(&full);
        storage.failed("anything", &full);
        storage.refused(&full);
        assert_eq!(storage.trouble(), Some(StorageFailure { error: full, refused: 2 }));
        assert_eq!(storage.check_is_there(), Ok(()));
        storage.failed("anything", &StoreError::Gone("it was removed".to_owned()));
        assert!(storage.check_is_there().is_err());
        assert!(storage.end().is_some() && storage.trouble().is_none());
    }
}
