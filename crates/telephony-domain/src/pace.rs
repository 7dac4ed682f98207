//! Pace of a line: it keeps one time before which nothing leaves.

use std::time::Duration;

use crate::carrier::Carrier;
use crate::line::{LineKind, Sender};
use crate::time::Timestamp;

/// A pace in segments per second, and the longest queue; `None` in its place means unlimited.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    per_second: f64,
    longest_queue: Duration,
}

/// Longest queue of a pace without a carrier.
const A_YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

impl Pace {
    /// Creates a pace, which must be positive and finite.
    pub fn new(segments_per_second: f64) -> Option<Pace> {
        let is_pace = segments_per_second.is_finite() && segments_per_second > 0.0;
        is_pace.then_some(Pace { per_second: segments_per_second, longest_queue: A_YEAR })
    }

    /// Limits the queue to what leaves within this time.
    #[must_use]
    pub fn within(self, longest_queue: Duration) -> Pace {
        Pace { longest_queue, ..self }
    }

    /// Returns the segments per second.
    pub fn per_second(self) -> f64 {
        self.per_second
    }

    /// Returns when the line is free again after sending `segments` at `now`; `free_at` is when it was free before.
    pub fn free_after(self, free_at: Timestamp, now: Timestamp, segments: u32) -> Timestamp {
        let from = if free_at > now { free_at } else { now };
        let exactly =
            (f64::from(segments.max(1)) * 1000.0 / self.per_second).min(self.longest_queue.as_secs_f64() * 1000.0);
        // Round milliseconds up, or the line would exceed its pace. A value above a whole number by no more than the
        // rounding error of the division is that whole number.
        let milliseconds = (exactly - exactly * 2.0 * f64::EPSILON).ceil();
        from + Duration::from_millis(milliseconds as u64)
    }

    /// Returns how many segments may wait.
    pub fn segments_queued_at_most(self) -> u32 {
        // Saturates at a pace too fast to matter.
        (self.per_second * self.longest_queue.as_secs_f64()) as u32
    }
}

/// The operator's choice of pace.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Pacing {
    /// The carrier's rate for each kind of line.
    #[default]
    ByLineKind,
    /// This pace on every line.
    Fixed(Pace),
    /// As fast as the provider accepts.
    Unlimited,
}

impl Pacing {
    /// Returns the pace of a line that sends as `sender`; none is unlimited.
    pub fn of(self, sender: &Sender, carrier: &Carrier) -> Option<Pace> {
        let pace = match self {
            Pacing::ByLineKind => Pace::new(carrier.rates.of(LineKind::of(sender)))?,
            Pacing::Fixed(pace) => pace,
            Pacing::Unlimited => return None,
        };
        Some(pace.within(carrier.longest_queue))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Returns true if `milliseconds` are the time of `segments` at `segments_in` per `seconds`, rounded up. Uses
    /// integers, so nothing is lost.
    fn is_exact(milliseconds: u128, segments: u32, segments_in: u32, seconds: u32) -> bool {
        let needed = u128::from(segments) * u128::from(seconds) * 1000;
        let passed = milliseconds * u128::from(segments_in);
        passed >= needed && passed < needed + u128::from(segments_in)
    }

    proptest! {
        /// Each part leaves exactly when the previous one has used up its time.
        #[test]
        fn a_busy_line_never_exceeds_its_pace_and_never_rests(
            (segments_in, seconds) in (1u32..2000, 1u32..100),
            segments in proptest::collection::vec(1u32..33, 1..60),
        ) {
            let pace = Pace::new(f64::from(segments_in) / f64::from(seconds)).unwrap();
            let mut now = Timestamp(1_000_000);
            for segments in segments {
                let free = pace.free_after(now, now, segments);
                let took = free.since(now).as_millis();
                prop_assert!(is_exact(took, segments, segments_in, seconds), "{took} ms for {segments}");
                now = free;
            }
        }

        /// A line that was idle has no debt, and a busy one continues from when it is free.
        #[test]
        fn a_line_is_occupied_from_when_it_is_free(free in -100_000i64..100_000, segments in 1u32..33) {
            let (pace, now) = (Pace::new(1.0).unwrap(), Timestamp(0));
            let busy_until = pace.free_after(Timestamp(free), now, segments);
            prop_assert_eq!(busy_until, Timestamp(free.max(0) + i64::from(segments) * 1000));
        }
    }

    #[test]
    fn no_part_occupies_a_line_for_longer_than_the_longest_queue() {
        let longest_queue = Duration::from_secs(36_000);
        let slowest = Pace::new(1e-9).unwrap().within(longest_queue);
        assert_eq!(slowest.free_after(Timestamp(0), Timestamp(0), 1), Timestamp(0) + longest_queue);
    }

    #[test]
    fn nonsense_is_no_pace() {
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Pace::new(bad), None);
        }
    }
}
