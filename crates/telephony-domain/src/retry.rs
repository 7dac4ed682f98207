//! What a failure means for the next attempt, and when that attempt is due.

use std::time::Duration;

use crate::time::Timestamp;

/// What may be done after a failure; whoever raises the error decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// It did not happen and may succeed later; `after` where the other side named a time.
    Retry {
        /// The wait that the other side asked for.
        after: Option<Duration>,
    },
    /// It did not happen and never will without a change.
    GiveUp,
    /// It may have happened: find out before anything is repeated.
    Unknown,
    /// It did not happen, and nothing of the whole account will until the operator fixes something.
    AwaitOperator,
}

/// A series of growing waits: `first`, doubled each time up to `longest`.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// The wait after the first failure.
    pub first: Duration,
    /// No wait is longer.
    pub longest: Duration,
}

/// Waits between attempts of a turn and of a part: 1 s doubling to 3 min.
pub const BACKOFF: Backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(180) };

/// A failing turn is set aside after this long, so that newer ones go on.
pub const PARK_AFTER: Duration = Duration::from_secs(10 * 60);

/// A contact whose turn has failed for this long is told that nobody can answer.
pub const UNAVAILABLE_AFTER: Duration = Duration::from_secs(2 * 60);

/// A failing turn is dead after this long; only the operator revives it.
pub const DEAD_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// A part that could not be handed over for this long fails: by then its text is old news.
pub const STALE_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// Waits between probes of an account that the provider refuses to serve.
pub const PROBE: Backoff = Backoff { first: Duration::from_secs(2), longest: Duration::from_secs(60) };

/// A part that the provider puts off for an hour or more waits for a cap or a block that lasts a day at the most.
pub const DAILY_CAP_WAIT: Duration = Duration::from_secs(60 * 60);

/// A part that waits for a daily cap is given up after this long: three days have ended by then, which is room for what
/// one day had none for, and what it says is no news any more.
pub const CAP_STALE_AFTER: Duration = Duration::from_secs(73 * 60 * 60);

/// However long it seems by the clock, nothing is given up before it was tried so often. Waits of at most ten minutes (an
/// hour for a cap) make it sixty times in [`STALE_AFTER`], and more in the others: half of that has room for attempts that
/// take long, and a clock that is set ahead by a day gives nothing up.
pub const ATTEMPTS_AT_LEAST: u32 = 30;

/// Whether the part waits for a cap or a block of the provider's that lasts a day at the most.
pub fn is_daily_cap(why: Disposition) -> bool {
    matches!(why, Disposition::Retry { after: Some(after) } if after >= DAILY_CAP_WAIT)
}

impl Backoff {
    /// The wait after failure number `failures` (from 1); `jitter` in 0..=1 takes up to half of it away.
    pub fn wait(self, failures: u32, jitter: f64) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let full = self.first.saturating_mul(1 << doublings).min(self.longest);
        full.mul_f64(1.0 - 0.5 * jitter.clamp(0.0, 1.0))
    }
}

/// What becomes of a turn that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnFate {
    /// Tried again then; newer messages of the conversation wait for it.
    RetryAt(Timestamp),
    /// Tried again then; newer messages of the conversation go on without it.
    ParkedUntil(Timestamp),
    /// Not tried again until the operator says so.
    Dead,
}

/// Decides about a turn that failed for the `failures`th time at `now`, for the first time at `first_failed`.
pub fn turn_fate(why: Disposition, first_failed: Timestamp, failures: u32, jitter: f64, now: Timestamp) -> TurnFate {
    let failing_for = now.since(first_failed);
    match why {
        Disposition::GiveUp => TurnFate::Dead,
        _ if failing_for >= DEAD_AFTER && failures >= ATTEMPTS_AT_LEAST => TurnFate::Dead,
        Disposition::Retry { after } => {
            let due = now + BACKOFF.wait(failures, jitter).max(after.unwrap_or_default());
            if failing_for >= PARK_AFTER { TurnFate::ParkedUntil(due) } else { TurnFate::RetryAt(due) }
        }
        Disposition::Unknown | Disposition::AwaitOperator => TurnFate::RetryAt(now + BACKOFF.wait(failures, jitter)),
    }
}

/// When the contact is to be told that there is no answer to a turn about which the agent was first asked at
/// `asked_since`, if that is before the next attempt.
pub fn unavailable_from(fate: TurnFate, asked_since: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let patience_ends = (asked_since + UNAVAILABLE_AFTER).max(now);
    match fate {
        TurnFate::Dead => Some(patience_ends),
        TurnFate::RetryAt(next) | TurnFate::ParkedUntil(next) => (next > patience_ends).then_some(patience_ends),
    }
}

/// What becomes of a part that was not handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartFate {
    /// Tried again then.
    RetryAt(Timestamp),
    /// Never sent; the remaining parts of its message are not sent either.
    Failed,
    /// May have been sent: reconciled with the provider before anything else.
    Unknown,
    /// Waits unharmed, however often it was tried, until the provider serves the account again.
    Held,
}

/// Decides about a part, first tried at `first_tried`, whose attempt number `attempts` failed at `now`.
pub fn part_fate(why: Disposition, first_tried: Timestamp, attempts: u32, jitter: f64, now: Timestamp) -> PartFate {
    match why {
        Disposition::GiveUp => PartFate::Failed,
        Disposition::Unknown => PartFate::Unknown,
        Disposition::AwaitOperator => PartFate::Held,
        Disposition::Retry { .. } if is_stale(why, first_tried, attempts, now) => PartFate::Failed,
        Disposition::Retry { after } => {
            PartFate::RetryAt(now + BACKOFF.wait(attempts, jitter).max(after.unwrap_or_default()))
        }
    }
}

fn is_stale(why: Disposition, first_tried: Timestamp, attempts: u32, now: Timestamp) -> bool {
    now.since(first_tried) >= stale_after(why) && attempts >= ATTEMPTS_AT_LEAST
}

fn stale_after(why: Disposition) -> Duration {
    if is_daily_cap(why) { CAP_STALE_AFTER } else { STALE_AFTER }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let waits: Vec<u64> = (1..=10).map(|n| BACKOFF.wait(n, 0.0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 180, 180]);
        assert_eq!(BACKOFF.wait(u32::MAX, 0.0), BACKOFF.longest);
        assert_eq!(BACKOFF.wait(3, 1.0), Duration::from_secs(2));
    }

    #[test]
    fn a_failing_turn_is_retried_then_parked_then_dead() {
        let start = Timestamp(0);
        let fate = |minutes: u64| {
            let now = start + Duration::from_secs(60 * minutes);
            turn_fate(Disposition::Retry { after: None }, start, ATTEMPTS_AT_LEAST, 0.0, now)
        };
        assert!(matches!(fate(9), TurnFate::RetryAt(_)));
        assert!(matches!(fate(10), TurnFate::ParkedUntil(_)));
        assert!(matches!(fate(24 * 60), TurnFate::Dead));
        assert_eq!(turn_fate(Disposition::GiveUp, start, 1, 0.0, start), TurnFate::Dead);
    }

    #[test]
    fn a_part_waits_as_long_as_it_was_told_but_not_for_ever() {
        let told = Disposition::Retry { after: Some(Duration::from_secs(40)) };
        let soon = Timestamp(5_000);
        assert_eq!(part_fate(told, Timestamp(0), 1, 0.0, soon), PartFate::RetryAt(soon + Duration::from_secs(40)));
        assert_eq!(part_fate(told, Timestamp(0), ATTEMPTS_AT_LEAST, 0.0, Timestamp(0) + STALE_AFTER), PartFate::Failed);
        assert_eq!(part_fate(Disposition::Unknown, Timestamp(0), 1, 0.0, soon), PartFate::Unknown);
        let often = part_fate(Disposition::AwaitOperator, Timestamp(0), u32::MAX, 0.0, Timestamp(0) + CAP_STALE_AFTER);
        assert_eq!(often, PartFate::Held);
        let cap = Disposition::Retry { after: Some(DAILY_CAP_WAIT) };
        let late = Timestamp(0) + STALE_AFTER;
        let fate = |now| part_fate(cap, Timestamp(0), ATTEMPTS_AT_LEAST, 0.0, now);
        assert_eq!(fate(late), PartFate::RetryAt(late + DAILY_CAP_WAIT));
        assert_eq!(fate(Timestamp(0) + CAP_STALE_AFTER), PartFate::Failed);
    }

    #[test]
    fn a_clock_that_is_set_ahead_gives_nothing_up() {
        let (start, again) = (Timestamp(0), Disposition::Retry { after: None });
        let later = start + CAP_STALE_AFTER;
        for tried in [2, ATTEMPTS_AT_LEAST - 1] {
            assert!(matches!(part_fate(again, start, tried, 0.0, later), PartFate::RetryAt(_)));
            assert!(matches!(turn_fate(again, start, tried, 0.0, later), TurnFate::ParkedUntil(_)));
        }
        assert!(matches!(turn_fate(Disposition::Unknown, start, 2, 0.0, later), TurnFate::RetryAt(_)));
    }
}
