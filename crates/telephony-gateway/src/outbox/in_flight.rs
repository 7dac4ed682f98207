//! Attempts in flight in this process, which are never taken for abandoned.

use std::sync::{Mutex, MutexGuard, PoisonError};

use telephony_store::outbox::AttemptLease;

/// The attempts that go on now.
#[derive(Debug, Default)]
pub struct InFlight(Mutex<Vec<AttemptLease>>);

impl InFlight {
    /// The attempt goes on until the guard is dropped.
    pub(super) fn begin(&self, attempt: AttemptLease) -> Going<'_> {
        self.attempts().push(attempt);
        Going { all: self, attempt }
    }

    /// All of them.
    pub(super) fn list(&self) -> Vec<AttemptLease> {
        self.attempts().clone()
    }

    fn attempts(&self) -> MutexGuard<'_, Vec<AttemptLease>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One attempt that goes on.
pub(super) struct Going<'a> {
    all: &'a InFlight,
    attempt: AttemptLease,
}

impl Drop for Going<'_> {
    fn drop(&mut self) {
        self.all.attempts().retain(|attempt| *attempt != self.attempt);
    }
}
