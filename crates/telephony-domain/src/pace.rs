//! Pace of a line: it keeps one time before which nothing leaves.

use std::time::Duration;

use crate::line::{LineKind, Sender};
use crate::time::Timestamp;

/// A pace in segments per second; `None` in its place means unlimited.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace(f64);

impl Pace {
    /// Creates a pace, which must be positive and finite.
    pub fn new(segments_per_second: f64) -> Option<Pace> {
        (segments_per_second.is_finite() && segments_per_second > 0.0).then_some(Pace(segments_per_second))
    }

    /// Returns the segments per second.
    pub fn per_second(self) -> f64 {
        self.0
    }

    /// Returns when the line is free again after sending `segments` at `now`; `free_at` is when it was free before.
    pub fn free_after(self, free_at: Timestamp, now: Timestamp, segments: u32) -> Timestamp {
        let from = if free_at > now { free_at } else { now };
        let exactly = (f64::from(segments.max(1)) * 1000.0 / self.0).min(LONGEST_QUEUE.as_secs_f64() * 1000.0);
        // Round milliseconds up, or the line would exceed its pace. A value above a whole number by no more than the
        // rounding error of the division is that whole number.
        let milliseconds = (exactly - exactly * 2.0 * f64::EPSILON).ceil();
        from + Duration::from_millis(milliseconds as u64)
    }

    /// Returns how many segments leave within [`LONGEST_QUEUE`].
    pub fn segments_queued_at_most(self) -> u32 {
        // Saturates at a pace too fast to matter.
        (self.0 * LONGEST_QUEUE.as_secs_f64()) as u32
    }
}

/// The operator's choice of pace.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Pacing {
    /// The carriers' rate for each kind of line.
    #[default]
    ByLineKind,
    /// This pace on every line.
    Fixed(Pace),
    /// As fast as the provider accepts.
    Unlimited,
}

impl Pacing {
    /// Returns the pace of a line that sends as `sender`; none is unlimited.
    pub fn of(self, sender: &Sender) -> Option<Pace> {
        match self {
            Pacing::ByLineKind => Pace::new(LineKind::of(sender).segments_per_second()),
            Pacing::Fixed(pace) => Some(pace),
            Pacing::Unlimited => None,
        }
    }
}

/// Longest wait on a line: ten hours, after which Twilio accepts no more for a number (21611).
pub const LONGEST_QUEUE: Duration = Duration::from_secs(36_000);

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
        let slowest = Pace::new(1e-9).unwrap();
        assert_eq!(slowest.free_after(Timestamp(0), Timestamp(0), 1), Timestamp(0) + LONGEST_QUEUE);
    }

    #[test]
    fn nonsense_is_no_pace() {
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Pace::new(bad), None);
        }
    }
}
