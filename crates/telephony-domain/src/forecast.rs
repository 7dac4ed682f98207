//! Expected departure of queued messages, from the line's pace and the daily limit.

use std::collections::VecDeque;

use crate::limit::DAY;
use crate::pace::Pace;
use crate::time::Timestamp;

/// The expected departure of queued parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// Departure of the last one.
    pub leaves: Timestamp,
    /// Time when the line is free again.
    pub free: Timestamp,
    /// True if the daily limit delays them more than the line's pace.
    pub is_held: bool,
}

/// Computes when parts of `waiting` segments, sent in this order, leave a line that is free at `free`. Without a pace
/// and a budget nothing delays them. A part larger than the whole budget is rejected and uses none of it.
pub fn expect(
    waiting: impl IntoIterator<Item = u32>,
    free: Timestamp,
    pace: Option<Pace>,
    mut budget: Option<Budget>,
    now: Timestamp,
) -> Expected {
    let mut expected = Expected { leaves: now, free: free.max(now), is_held: false };
    for segments in waiting {
        let at_pace = expected.free;
        expected.leaves = match budget.as_mut() {
            Some(budget) if segments > budget.most => continue,
            Some(budget) => budget.take(segments, at_pace),
            None => at_pace,
        };
        expected.is_held |= expected.leaves > at_pace;
        expected.free =
            pace.map_or(expected.leaves, |pace| pace.free_after(expected.leaves, expected.leaves, segments));
    }
    expected
}

/// A limit of segments per [`DAY`], and the segments that count against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    most: u32,
    /// Times and segments, oldest first.
    spent: VecDeque<(Timestamp, u32)>,
    /// Sum of the segments.
    used: u64,
}

impl Budget {
    /// Creates a budget of `most` segments, with the `spent` ones given as time and segments, oldest first.
    pub fn new(most: u32, spent: Vec<(Timestamp, u32)>) -> Budget {
        let used = spent.iter().map(|(_, segments)| u64::from(*segments)).sum();
        Budget { most, spent: spent.into(), used }
    }

    /// Spends `segments`, at most the whole budget, as soon as they fit, but not before `earliest`. Returns that time.
    fn take(&mut self, segments: u32, earliest: Timestamp) -> Timestamp {
        let mut at = earliest;
        while let Some((sent, freed)) = self.spent.front().copied() {
            let has_room = self.used + u64::from(segments) <= u64::from(self.most);
            if has_room && sent + DAY > at {
                break;
            }
            at = at.max(sent + DAY);
            self.used -= u64::from(freed);
            self.spent.pop_front();
        }
        self.spent.push_back((at, segments));
        self.used += u64::from(segments);
        at
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000_000_000);

    fn at(seconds: i64) -> Timestamp {
        Timestamp(NOW.0 + seconds * 1000)
    }

    fn seconds(number: u64) -> Duration {
        Duration::from_secs(number)
    }

    #[test]
    fn an_idle_line_sends_at_once_and_a_busy_one_in_turn() {
        let pace = Pace::new(0.5);
        let expected = expect([1, 2, 3], at(10), pace, None, NOW);
        assert_eq!(expected, Expected { leaves: at(16), free: at(22), is_held: false });
        assert_eq!(expect([1], at(-10), pace, None, NOW).leaves, NOW);
        assert_eq!(expect([], at(10), pace, None, NOW), Expected { leaves: NOW, free: at(10), is_held: false });
        assert_eq!(expect([9, 9], at(-10), None, None, NOW).leaves, NOW);
    }

    #[test]
    fn a_used_up_daily_limit_delays_waiting_parts() {
        let spent = vec![(NOW - seconds(3600), 2), (NOW - seconds(60), 1)];
        let leaves = |waiting: &[u32]| expect(waiting.to_vec(), NOW, None, Some(Budget::new(3, spent.clone())), NOW);
        assert_eq!(
            leaves(&[1]),
            Expected { leaves: NOW - seconds(3600) + DAY, free: NOW - seconds(3600) + DAY, is_held: true }
        );
        assert_eq!(leaves(&[2]).leaves, NOW - seconds(3600) + DAY);
        assert_eq!(leaves(&[2, 1]).leaves, NOW - seconds(60) + DAY);
        assert_eq!(leaves(&[3, 3]).leaves, NOW - seconds(60) + DAY + DAY);
        assert_eq!(leaves(&[4, 1]).leaves, NOW - seconds(3600) + DAY, "the first is refused");
    }

    proptest! {
        /// Derives it from the definition of the limit alone: no day exceeds it, and no part could have left earlier.
        #[test]
        fn a_forecast_is_never_too_early_or_too_late(
            before in prop::collection::vec((0u64..86_400, 1u32..5), 0..12),
            waiting in prop::collection::vec(1u32..5, 1..12),
            most in 5u32..30,
        ) {
            let mut sent: Vec<_> = before.iter().map(|(ago, segments)| (NOW - seconds(*ago), *segments)).collect();
            sent.sort();
            let budget = |sent: &[(Timestamp, u32)]| Some(Budget::new(most, sent.to_vec()));
            for count in 1..=waiting.len() {
                let segments = waiting[count - 1];
                let leaves = expect(waiting[..count].to_vec(), NOW, None, budget(&sent[..before.len()]), NOW).leaves;
                let fits = |time: Timestamp| {
                    let counts = sent.iter().filter(|(at, _)| *at > time - DAY && *at <= time);
                    counts.map(|(_, segments)| segments).sum::<u32>() + segments <= most
                };
                prop_assert!(fits(leaves), "{leaves:?} is too soon");
                let earliest = sent[before.len()..].last().map_or(NOW, |(at, _)| *at);
                prop_assert!(leaves >= earliest);
                prop_assert!(leaves == earliest || !fits(Timestamp(leaves.0 - 1)), "{leaves:?} is too late");
                sent.push((leaves, segments));
            }
        }
    }
}
