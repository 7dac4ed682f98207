//! Attempts in flight in this process, which must never count as abandoned.

use std::sync::{Mutex, MutexGuard, PoisonError};

use telephony_store::outbox::AttemptLease;

/// The attempts in flight.
#[derive(Debug, Default)]
pub struct AttemptsInFlight(Mutex<Vec<AttemptLease>>);

impl AttemptsInFlight {
    /// Records an attempt until the guard is dropped.
    pub(super) fn begin(&self, attempt: AttemptLease) -> Going<'_> {
        self.attempts().push(attempt);
        Going { all: self, attempt }
    }

    pub(super) fn list(&self) -> Vec<AttemptLease> {
        self.attempts().clone()
    }

    fn attempts(&self) -> MutexGuard<'_, Vec<AttemptLease>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) struct Going<'a> {
    all: &'a AttemptsInFlight,
    attempt: AttemptLease,
}

impl Drop for Going<'_> {
    fn drop(&mut self) {
        self.all.attempts().retain(|attempt| *attempt != self.attempt);
    }
}
