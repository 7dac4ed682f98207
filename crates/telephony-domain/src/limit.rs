//! Sending limits: decides whether a part fits the operator's limits, and when it will.

use std::time::Duration;

use crate::carrier::Carrier;
use crate::line::Sender;
use crate::pace::{Pace, Pacing};
use crate::time::Timestamp;

/// Sliding window of the segment limits.
pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Sliding window of the reply limit. It is Twilio's own: more than 15 replies between two of its numbers within it
/// count as a loop (error 14107).
pub const MOMENT: Duration = Duration::from_secs(30);

/// The operator's limits; none is unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Segments to all contacts in [`DAY`].
    pub segments_per_day: Option<u32>,
    /// Segments to one contact in [`DAY`].
    pub segments_per_contact_per_day: Option<u32>,
    /// Parts to one contact in [`MOMENT`]; automatic parts beyond it wait.
    pub replies_per_contact_per_30s: Option<u32>,
}

/// The pace and the limits for sending.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms {
    /// Pace of each line.
    pub pacing: Pacing,
    /// Limits on the amount.
    pub limits: Limits,
    /// Rules of the provider.
    pub carrier: &'static Carrier,
}

impl Terms {
    /// Returns terms without limits.
    pub fn unlimited(pacing: Pacing, carrier: &'static Carrier) -> Self {
        Self { pacing, limits: Limits::default(), carrier }
    }

    /// Returns the pace of a line that sends as `sender`; none is unlimited.
    pub fn pace(&self, sender: &Sender) -> Option<Pace> {
        self.pacing.of(sender, self.carrier)
    }
}

/// One of the [`Limits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// [`Limits::segments_per_day`].
    SegmentsPerDay,
    /// [`Limits::segments_per_contact_per_day`].
    SegmentsPerContactPerDay,
    /// [`Limits::replies_per_contact_per_30s`].
    RepliesPerContactPer30s,
}

impl Limit {
    /// Every limit.
    pub const ALL: [Limit; 3] =
        [Limit::SegmentsPerDay, Limit::SegmentsPerContactPerDay, Limit::RepliesPerContactPer30s];

    /// Returns the key in the configuration, below `limits`.
    pub fn key(self) -> &'static str {
        match self {
            Limit::SegmentsPerDay => "segmentsPerDay",
            Limit::SegmentsPerContactPerDay => "segmentsPerContactPerDay",
            Limit::RepliesPerContactPer30s => "repliesPerContactPer30s",
        }
    }

    /// Returns the sliding window.
    pub fn window(self) -> Duration {
        match self {
            Limit::SegmentsPerDay | Limit::SegmentsPerContactPerDay => DAY,
            Limit::RepliesPerContactPer30s => MOMENT,
        }
    }

    /// Returns the configured maximum.
    pub fn most(self, limits: &Limits) -> Option<u32> {
        match self {
            Limit::SegmentsPerDay => limits.segments_per_day,
            Limit::SegmentsPerContactPerDay => limits.segments_per_contact_per_day,
            Limit::RepliesPerContactPer30s => limits.replies_per_contact_per_30s,
        }
    }

    /// Returns the share of `part`; none if the limit does not apply to it.
    fn cost(self, part: Cost) -> Option<u32> {
        match self {
            Limit::SegmentsPerDay | Limit::SegmentsPerContactPerDay => (!part.is_for_operator).then_some(part.segments),
            Limit::RepliesPerContactPer30s => part.is_automatic.then_some(1),
        }
    }
}

/// The properties of a part that count against limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Segments that the carrier will count.
    pub segments: u32,
    /// True if no person requested it.
    pub is_automatic: bool,
    /// True if it is for the operator: it counts against daily limits but they never hold it back.
    pub is_for_operator: bool,
}

/// The decision about a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitVerdict {
    /// It fits all limits.
    Fits,
    /// It will fit this limit at that time, unless other parts leave first.
    Waits(Limit, Timestamp),
    /// It is larger than this limit.
    NeverFits(Limit),
}

/// Decides about a part at `now`. `passed(limit, capacity)` counts back from the newest part sent and returns the time
/// of the one that exceeds `capacity`; none if they all fit.
pub fn decide<E>(
    limits: &Limits,
    part: Cost,
    now: Timestamp,
    mut passed: impl FnMut(Limit, u32) -> Result<Option<Timestamp>, E>,
) -> Result<LimitVerdict, E> {
    let mut verdict = LimitVerdict::Fits;
    let mut latest = now;
    for limit in Limit::ALL {
        let (Some(most), Some(cost)) = (limit.most(limits), limit.cost(part)) else { continue };
        let Some(capacity) = most.checked_sub(cost) else { return Ok(LimitVerdict::NeverFits(limit)) };
        let fits_at = passed(limit, capacity)?.map_or(now, |sent| sent + limit.window());
        if fits_at > latest {
            latest = fits_at;
            verdict = LimitVerdict::Waits(limit, fits_at);
        }
    }
    Ok(verdict)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use proptest::prelude::*;

    /// Parts sent, oldest first: time, contact and segments.
    #[derive(Default)]
    struct Book(Vec<(Timestamp, u8, u32)>);

    impl Book {
        fn decide(&self, limits: &Limits, contact: u8, part: Cost, now: Timestamp) -> LimitVerdict {
            let passed = |limit: Limit, capacity: u32| {
                let mut sum = 0;
                let newest_first = self.0.iter().rev();
                let counted = newest_first.filter(|sent| limit == Limit::SegmentsPerDay || sent.1 == contact);
                let passed =
                    counted.map(|sent| (sent.0, if limit.window() == DAY { sent.2 } else { 1 })).find(|sent| {
                        sum += sent.1;
                        sum > capacity
                    });
                Ok::<_, Infallible>(passed.map(|sent| sent.0))
            };
            match decide(limits, part, now, passed) {
                Ok(verdict) => verdict,
            }
        }

        fn within(&self, window: Duration, contact: Option<u8>, until: Timestamp) -> Vec<u32> {
            let counts = |sent: &&(Timestamp, u8, u32)| {
                sent.0 > until - window && sent.0 <= until && contact.is_none_or(|contact| contact == sent.1)
            };
            self.0.iter().filter(counts).map(|sent| sent.2).collect()
        }
    }

    proptest! {
        #[test]
        fn no_window_exceeds_a_limit_and_no_part_waits_forever(
            wishes in prop::collection::vec((0u8..3, 1u32..6, 0u64..20_000), 1..150),
            day in 6u32..30, contact_day in 6u32..20, moment in 1u32..6,
        ) {
            let limits = Limits {
                segments_per_day: Some(day),
                segments_per_contact_per_day: Some(contact_day),
                replies_per_contact_per_30s: Some(moment),
            };
            let (mut book, mut now) = (Book::default(), Timestamp(1_000_000));
            for (contact, segments, pause) in wishes {
                now = now + Duration::from_secs(pause);
                let part = Cost { segments, is_automatic: true, is_for_operator: false };
                let waits = book.decide(&limits, contact, part, now);
                if let LimitVerdict::Waits(_, until) = waits {
                    prop_assert!(until > now && until <= now + DAY);
                    now = until;
                }
                prop_assert_eq!(book.decide(&limits, contact, part, now), LimitVerdict::Fits);
                book.0.push((now, contact, segments));
                prop_assert!(book.within(DAY, None, now).iter().sum::<u32>() <= day);
                prop_assert!(book.within(DAY, Some(contact), now).iter().sum::<u32>() <= contact_day);
                prop_assert!(book.within(MOMENT, Some(contact), now).len() <= moment as usize);
            }
        }
    }

    #[test]
    fn parts_requested_by_the_operator_skip_the_reply_limit_but_count() {
        let limits = Limits { replies_per_contact_per_30s: Some(1), segments_per_day: Some(3), ..Limits::default() };
        let now = Timestamp(1_000);
        let book = Book(vec![(now, 1, 2)]);
        let by = |is_automatic, segments| {
            book.decide(&limits, 1, Cost { segments, is_automatic, is_for_operator: false }, now)
        };
        assert_eq!(by(true, 1), LimitVerdict::Waits(Limit::RepliesPerContactPer30s, now + MOMENT));
        assert_eq!(by(false, 1), LimitVerdict::Fits);
        assert_eq!(by(false, 2), LimitVerdict::Waits(Limit::SegmentsPerDay, now + DAY));
        assert_eq!(by(false, 4), LimitVerdict::NeverFits(Limit::SegmentsPerDay));
    }

    #[test]
    fn notices_pass_a_used_up_day_but_not_the_reply_limit() {
        let limits = Limits {
            segments_per_day: Some(1),
            segments_per_contact_per_day: Some(1),
            replies_per_contact_per_30s: Some(1),
        };
        let now = Timestamp(1_000);
        let book = Book(vec![(now, 1, 1)]);
        let decide_for =
            |is_automatic| book.decide(&limits, 1, Cost { segments: 9, is_automatic, is_for_operator: true }, now);
        assert_eq!(decide_for(false), LimitVerdict::Fits);
        assert_eq!(decide_for(true), LimitVerdict::Waits(Limit::RepliesPerContactPer30s, now + MOMENT));
    }
}
