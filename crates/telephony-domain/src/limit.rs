//! How much may be sent: whether a part fits into what the operator allows, and when it does if not now.

use std::time::Duration;

use crate::pace::Pacing;
use crate::time::Timestamp;

/// The time that limits of segments are for; it ends now and moves along.
pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The time that the limit of replies is for: Twilio's own, which takes more than 15 replies between two numbers in it
/// for a loop (error 14107).
pub const MOMENT: Duration = Duration::from_secs(30);

/// What may be sent; none is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Segments to everyone in [`DAY`].
    pub segments_per_day: Option<u32>,
    /// Segments to one contact in [`DAY`].
    pub segments_per_contact_per_day: Option<u32>,
    /// Parts to one contact in [`MOMENT`]; those over it wait if nobody asked for them by hand.
    pub replies_per_contact_per_30s: Option<u32>,
}

/// How fast and how much may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Terms {
    /// How fast each line sends.
    pub pacing: Pacing,
    /// How much is sent.
    pub limits: Limits,
}

impl From<Pacing> for Terms {
    fn from(pacing: Pacing) -> Self {
        Self { pacing, limits: Limits::default() }
    }
}

/// One of the limits.
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
    /// All of them.
    pub const ALL: [Limit; 3] =
        [Limit::SegmentsPerDay, Limit::SegmentsPerContactPerDay, Limit::RepliesPerContactPer30s];

    /// Its key in the configuration, below `limits`.
    pub fn key(self) -> &'static str {
        match self {
            Limit::SegmentsPerDay => "segmentsPerDay",
            Limit::SegmentsPerContactPerDay => "segmentsPerContactPerDay",
            Limit::RepliesPerContactPer30s => "repliesPerContactPer30s",
        }
    }

    /// The time it is for.
    pub fn window(self) -> Duration {
        match self {
            Limit::SegmentsPerDay | Limit::SegmentsPerContactPerDay => DAY,
            Limit::RepliesPerContactPer30s => MOMENT,
        }
    }

    /// How much it allows.
    pub fn most(self, limits: &Limits) -> Option<u32> {
        match self {
            Limit::SegmentsPerDay => limits.segments_per_day,
            Limit::SegmentsPerContactPerDay => limits.segments_per_contact_per_day,
            Limit::RepliesPerContactPer30s => limits.replies_per_contact_per_30s,
        }
    }

    /// What `part` takes of it; none where it does not apply.
    fn cost(self, part: Cost) -> Option<u32> {
        match self {
            Limit::SegmentsPerDay | Limit::SegmentsPerContactPerDay => (!part.is_for_operator).then_some(part.segments),
            Limit::RepliesPerContactPer30s => part.is_automatic.then_some(1),
        }
    }
}

/// What a part takes of the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Its segments.
    pub segments: u32,
    /// Whether no person asked for it.
    pub is_automatic: bool,
    /// Whether it is for the operator, whom the limits of a day do not keep from being told; it is counted all the same.
    pub is_for_operator: bool,
}

/// Whether a part may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It fits into all limits.
    Fits,
    /// It fits into this limit at that time, unless others leave before.
    Waits(Limit, Timestamp),
    /// It is larger than this limit.
    NeverFits(Limit),
}

/// Decides about a part at `now`. `passed(limit, room)` finds, counting back from the newest of what was sent, the time
/// of the one by which more than `room` was sent; none where it was not more.
pub fn decide<E>(
    limits: &Limits,
    part: Cost,
    now: Timestamp,
    mut passed: impl FnMut(Limit, u32) -> Result<Option<Timestamp>, E>,
) -> Result<Verdict, E> {
    let mut verdict = Verdict::Fits;
    let mut latest = now;
    for limit in Limit::ALL {
        let (Some(most), Some(cost)) = (limit.most(limits), limit.cost(part)) else { continue };
        let Some(room) = most.checked_sub(cost) else { return Ok(Verdict::NeverFits(limit)) };
        let fits_at = passed(limit, room)?.map_or(now, |sent| sent + limit.window());
        if fits_at > latest {
            latest = fits_at;
            verdict = Verdict::Waits(limit, fits_at);
        }
    }
    Ok(verdict)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use proptest::prelude::*;

    /// What was sent, oldest first: when, to whom, how many segments.
    #[derive(Default)]
    struct Book(Vec<(Timestamp, u8, u32)>);

    impl Book {
        fn decide(&self, limits: &Limits, contact: u8, part: Cost, now: Timestamp) -> Verdict {
            let passed = |limit: Limit, room: u32| {
                let mut sum = 0;
                let newest_first = self.0.iter().rev();
                let counted = newest_first.filter(|sent| limit == Limit::SegmentsPerDay || sent.1 == contact);
                let passed =
                    counted.map(|sent| (sent.0, if limit.window() == DAY { sent.2 } else { 1 })).find(|sent| {
                        sum += sent.1;
                        sum > room
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
        fn no_window_ever_holds_more_than_a_limit_and_nobody_waits_for_ever(
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
                if let Verdict::Waits(_, until) = waits {
                    prop_assert!(until > now && until <= now + DAY);
                    now = until;
                }
                prop_assert_eq!(book.decide(&limits, contact, part, now), Verdict::Fits);
                book.0.push((now, contact, segments));
                prop_assert!(book.within(DAY, None, now).iter().sum::<u32>() <= day);
                prop_assert!(book.within(DAY, Some(contact), now).iter().sum::<u32>() <= contact_day);
                prop_assert!(book.within(MOMENT, Some(contact), now).len() <= moment as usize);
            }
        }
    }

    #[test]
    fn what_a_person_asks_for_is_not_taken_for_a_machine_but_costs_the_same() {
        let limits = Limits { replies_per_contact_per_30s: Some(1), segments_per_day: Some(3), ..Limits::default() };
        let now = Timestamp(1_000);
        let book = Book(vec![(now, 1, 2)]);
        let by = |is_automatic, segments| {
            book.decide(&limits, 1, Cost { segments, is_automatic, is_for_operator: false }, now)
        };
        assert_eq!(by(true, 1), Verdict::Waits(Limit::RepliesPerContactPer30s, now + MOMENT));
        assert_eq!(by(false, 1), Verdict::Fits);
        assert_eq!(by(false, 2), Verdict::Waits(Limit::SegmentsPerDay, now + DAY));
        assert_eq!(by(false, 4), Verdict::NeverFits(Limit::SegmentsPerDay));
    }

    #[test]
    fn the_operator_is_told_although_the_day_is_used_up_but_not_by_a_machine_without_end() {
        let limits = Limits {
            segments_per_day: Some(1),
            segments_per_contact_per_day: Some(1),
            replies_per_contact_per_30s: Some(1),
        };
        let now = Timestamp(1_000);
        let book = Book(vec![(now, 1, 1)]);
        let told =
            |is_automatic| book.decide(&limits, 1, Cost { segments: 9, is_automatic, is_for_operator: true }, now);
        assert_eq!(told(false), Verdict::Fits);
        assert_eq!(told(true), Verdict::Waits(Limit::RepliesPerContactPer30s, now + MOMENT));
    }
}
