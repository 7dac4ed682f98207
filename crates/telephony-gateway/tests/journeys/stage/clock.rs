//! An adjustable clock.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use telephony_domain::time::{Clock, SystemClock, Timestamp};

/// The system's clock with an offset, or stopped.
#[derive(Default)]
pub struct MovableClock {
    moved: AtomicI64,
    stopped_at: OnceLock<Timestamp>,
}

impl MovableClock {
    pub fn advance(&self, time: Duration) {
        self.moved.fetch_add(i64::try_from(time.as_millis()).unwrap(), Ordering::Relaxed);
    }

    pub fn set_back(&self, time: Duration) {
        self.moved.fetch_sub(i64::try_from(time.as_millis()).unwrap(), Ordering::Relaxed);
    }

    /// Stops the clock, so that nothing falls due because the machine is slow.
    pub fn stop(&self) {
        self.stopped_at.get_or_init(|| SystemClock.now());
    }
}

impl Clock for MovableClock {
    fn now(&self) -> Timestamp {
        let unmoved = self.stopped_at.get().copied().unwrap_or_else(|| SystemClock.now());
        Timestamp(unmoved.0 + self.moved.load(Ordering::Relaxed))
    }
}
