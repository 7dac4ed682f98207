//! How fast a line may send: one moment per line before which nothing leaves.

use std::time::Duration;

use crate::line::{LineKind, Sender};
use crate::time::Timestamp;

/// Segments a second; `None` in place of a pace means unlimited.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace(f64);

impl Pace {
    /// A pace of `segments_per_second`, which must be positive and finite.
    pub fn new(segments_per_second: f64) -> Option<Pace> {
        (segments_per_second.is_finite() && segments_per_second > 0.0).then_some(Pace(segments_per_second))
    }

    /// Segments a second.
    pub fn per_second(self) -> f64 {
        self.0
    }

    /// When the line is free again once `segments` leave at `now`; `free_at` is when it was free before.
    pub fn free_after(self, free_at: Timestamp, now: Timestamp, segments: u32) -> Timestamp {
        let from = if free_at > now { free_at } else { now };
        let seconds = (f64::from(segments.max(1)) / self.0).min(LONGEST_QUEUE.as_secs_f64());
        // Times count milliseconds: rounded down, a line would be faster than it may.
        from + Duration::from_millis((seconds * 1000.0).ceil() as u64)
    }

    /// How many segments leave within [`LONGEST_QUEUE`].
    pub fn segments_queued_at_most(self) -> u32 {
        // Saturates where it is too fast to be of any account.
        (self.0 * LONGEST_QUEUE.as_secs_f64()) as u32
    }
}

/// How the operator wants lines paced.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Pacing {
    /// As carriers take it, by the kind of each line.
    #[default]
    ByLineKind,
    /// This pace on every line.
    Fixed(Pace),
    /// As fast as the provider takes it.
    Unlimited,
}

impl Pacing {
    /// The pace of a line that sends as `sender`; none is unlimited.
    pub fn of(self, sender: &Sender) -> Option<Pace> {
        match self {
            Pacing::ByLineKind => Pace::new(LineKind::of(sender).segments_per_second()),
            Pacing::Fixed(pace) => Some(pace),
            Pacing::Unlimited => None,
        }
    }
}

/// Nothing waits on a line for longer: ten hours, after which Twilio itself takes no more for a number (21611).
pub const LONGEST_QUEUE: Duration = Duration::from_secs(36_000);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_busy_line_never_exceeds_its_pace(rate in 0.1f64..200.0, segments in proptest::collection::vec(1u32..11, 1..60)) {
            let pace = Pace::new(rate).unwrap();
            let start = Timestamp(1_000_000);
            let mut free_at = Timestamp(0);
            let mut now = start;
            let mut sent = 0u32;
            for s in segments {
                now = if free_at > now { free_at } else { now };
                let elapsed = now.since(start).as_secs_f64();
                prop_assert!(f64::from(sent) <= elapsed * rate + f64::from(sent) * 0.001 * rate + 1e-6);
                free_at = pace.free_after(free_at, now, s);
                sent += s;
            }
        }
    }

    #[test]
    fn nonsense_is_no_pace() {
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Pace::new(bad), None);
        }
    }
}
