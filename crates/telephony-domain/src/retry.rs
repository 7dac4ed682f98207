//! Retry rules: the effect of a failure, and the time of the next attempt.

use std::time::Duration;

use crate::time::Timestamp;

/// The treatment of a failure, chosen by the code that raises the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// It did not happen and may succeed later.
    Retry {
        /// Wait requested by the other side.
        after: Option<Duration>,
    },
    /// It did not happen, and will not without a change.
    GiveUp,
    /// It may have happened: find out before repeating anything.
    Unknown,
    /// It did not happen, and nothing on this account will until the operator fixes something.
    AwaitOperator,
}

/// Exponential backoff: starts at `first` and doubles up to `longest`.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// Wait after the first failure.
    pub first: Duration,
    /// Maximum wait, however many attempts have failed.
    pub longest: Duration,
}

/// Backoff of turns and parts: 1 s doubling to 3 min.
pub const BACKOFF: Backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(180) };

/// A failing turn is parked after this long, so that newer ones continue.
pub const PARK_AFTER: Duration = Duration::from_secs(10 * 60);

/// A contact whose turn has failed for this long gets an apology.
pub const UNAVAILABLE_AFTER: Duration = Duration::from_secs(2 * 60);

/// A failing turn is dead after this long; only the operator revives it.
pub const DEAD_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// A part that could not be handed over for this long fails, because its text is outdated.
pub const STALE_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// Backoff of probes while the provider rejects the account.
pub const PROBE: Backoff = Backoff { first: Duration::from_secs(2), longest: Duration::from_secs(60) };

/// A part that the provider delays by at least this long is waiting for a daily cap or block.
pub const DAILY_CAP_WAIT: Duration = Duration::from_secs(60 * 60);

/// A part that waits for a daily cap is given up after this long: the cap has been renewed three times by then, and the
/// text is outdated.
pub const CAP_STALE_AFTER: Duration = Duration::from_secs(73 * 60 * 60);

/// Minimum number of attempts before anything is given up, however much time has passed by the clock. Waits of at most
/// ten minutes (an hour for a cap) allow sixty in [`STALE_AFTER`], and more in the others. Half of that leaves time for
/// slow attempts, and a clock that jumps ahead by a day makes nothing fail.
pub const MIN_ATTEMPTS: u32 = 30;

/// Returns true if the part waits for a cap or block of the provider that lasts a day at most.
pub fn is_daily_cap(why: Disposition) -> bool {
    matches!(why, Disposition::Retry { after: Some(after) } if after >= DAILY_CAP_WAIT)
}

impl Backoff {
    /// Returns the wait after failure number `failures` (from 1); `jitter` in 0..=1 removes up to half of it.
    pub fn wait(self, failures: u32, jitter: f64) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let full = self.first.saturating_mul(1 << doublings).min(self.longest);
        full.mul_f64(1.0 - 0.5 * jitter.clamp(0.0, 1.0))
    }
}

/// The fate of a failed turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnFate {
    /// Retried at that time; newer messages of the conversation wait.
    RetryAt(Timestamp),
    /// Retried at that time; newer messages of the conversation do not wait.
    ParkedUntil(Timestamp),
    /// Not retried until the operator asks for it.
    Dead,
}

/// Failed attempts of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failures {
    /// Number of failed attempts, whatever the cause.
    pub all: u32,
    /// Attempts since the agent was last unreachable; all if it is so now. They decide about the wait, because a server
    /// that has just come back answers once it is ready.
    pub since_outage: u32,
}

/// Decides about a turn whose last failure was at `now` and the first at `first_failed`.
pub fn turn_fate(
    why: Disposition,
    first_failed: Timestamp,
    failures: Failures,
    jitter: f64,
    now: Timestamp,
) -> TurnFate {
    let failing_for = now.since(first_failed);
    let wait = BACKOFF.wait(failures.since_outage, jitter);
    match why {
        Disposition::GiveUp => TurnFate::Dead,
        _ if failing_for >= DEAD_AFTER && failures.all >= MIN_ATTEMPTS => TurnFate::Dead,
        Disposition::Retry { after } => {
            let due = now + wait.max(after.unwrap_or_default());
            if failing_for >= PARK_AFTER { TurnFate::ParkedUntil(due) } else { TurnFate::RetryAt(due) }
        }
        Disposition::Unknown | Disposition::AwaitOperator => TurnFate::RetryAt(now + wait),
    }
}

/// Returns when to apologize to the contact for a turn that the agent first got at `asked_since`, if that is before the
/// next attempt.
pub fn unavailable_from(fate: TurnFate, asked_since: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let patience_ends = (asked_since + UNAVAILABLE_AFTER).max(now);
    match fate {
        TurnFate::Dead => Some(patience_ends),
        TurnFate::RetryAt(next) | TurnFate::ParkedUntil(next) => (next > patience_ends).then_some(patience_ends),
    }
}

/// The fate of a part that was not handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartFate {
    /// Retried at that time.
    RetryAt(Timestamp),
    /// Never sent, nor are the remaining parts of its message.
    Failed,
    /// May have been sent: reconciled with the provider before anything else.
    Unknown,
    /// Waits, regardless of attempts, until the provider serves the account again.
    Held,
}

/// Decides about a part, first attempted at `first_tried`, whose attempt number `attempts` failed at `now`.
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
    now.since(first_tried) >= stale_after(why) && attempts >= MIN_ATTEMPTS
}

fn stale_after(why: Disposition) -> Duration {
    if is_daily_cap(why) { CAP_STALE_AFTER } else { STALE_AFTER }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(failures: u32) -> Failures {
        Failures { all: failures, since_outage: failures }
    }

    #[test]
    fn the_wait_starts_over_when_the_agent_is_reachable_again_but_not_the_count() {
        let failures = Failures { all: MIN_ATTEMPTS, since_outage: 1 };
        let fate = |now| turn_fate(Disposition::Retry { after: None }, Timestamp(0), failures, 0.0, now);
        assert_eq!(fate(Timestamp(0)), TurnFate::RetryAt(Timestamp(0) + BACKOFF.first));
        assert_eq!(fate(Timestamp(0) + DEAD_AFTER), TurnFate::Dead);
    }

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
            turn_fate(Disposition::Retry { after: None }, start, all(MIN_ATTEMPTS), 0.0, now)
        };
        assert!(matches!(fate(9), TurnFate::RetryAt(_)));
        assert!(matches!(fate(10), TurnFate::ParkedUntil(_)));
        assert!(matches!(fate(24 * 60), TurnFate::Dead));
        assert_eq!(turn_fate(Disposition::GiveUp, start, all(1), 0.0, start), TurnFate::Dead);
    }

    #[test]
    fn a_part_waits_as_requested_but_not_forever() {
        let requested = Disposition::Retry { after: Some(Duration::from_secs(40)) };
        let soon = Timestamp(5_000);
        assert_eq!(part_fate(requested, Timestamp(0), 1, 0.0, soon), PartFate::RetryAt(soon + Duration::from_secs(40)));
        assert_eq!(part_fate(requested, Timestamp(0), MIN_ATTEMPTS, 0.0, Timestamp(0) + STALE_AFTER), PartFate::Failed);
        assert_eq!(part_fate(Disposition::Unknown, Timestamp(0), 1, 0.0, soon), PartFate::Unknown);
        let often = part_fate(Disposition::AwaitOperator, Timestamp(0), u32::MAX, 0.0, Timestamp(0) + CAP_STALE_AFTER);
        assert_eq!(often, PartFate::Held);
        let cap = Disposition::Retry { after: Some(DAILY_CAP_WAIT) };
        let late = Timestamp(0) + STALE_AFTER;
        let fate = |now| part_fate(cap, Timestamp(0), MIN_ATTEMPTS, 0.0, now);
        assert_eq!(fate(late), PartFate::RetryAt(late + DAILY_CAP_WAIT));
        assert_eq!(fate(Timestamp(0) + CAP_STALE_AFTER), PartFate::Failed);
    }

    #[test]
    fn a_clock_set_ahead_fails_nothing() {
        let (start, again) = (Timestamp(0), Disposition::Retry { after: None });
        let later = start + CAP_STALE_AFTER;
        for tried in [2, MIN_ATTEMPTS - 1] {
            assert!(matches!(part_fate(again, start, tried, 0.0, later), PartFate::RetryAt(_)));
            assert!(matches!(turn_fate(again, start, all(tried), 0.0, later), TurnFate::ParkedUntil(_)));
        }
        assert!(matches!(turn_fate(Disposition::Unknown, start, all(2), 0.0, later), TurnFate::RetryAt(_)));
    }
}
