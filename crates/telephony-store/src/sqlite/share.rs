//! Whose turn it is at the writer: arrivals have it most of the time, and other work never waits for ever.

use std::time::{Duration, Instant};

/// While messages arrive they have the writer for so many times as long as other work had it just before: somebody waits
/// for each of them, and what they lead to is on disk and may come later.
const ARRIVALS_SHARE: u32 = 3;

/// Nobody has arrived for this long: other work need not leave room for arrivals.
const LULL: Duration = Duration::from_millis(5);

/// Other work gives way for no longer than this, however slow the disk was.
const LONGEST_WAY: Duration = Duration::from_millis(100);

/// While messages arrive, other work begins nothing more in one commit after this time: an arrival may have to wait for it.
const SHORT_STEP: Duration = Duration::from_micros(500);

/// The same while none arrives: the longer, the more work shares a sync of the disk.
pub(super) const LONG_STEP: Duration = Duration::from_millis(2);

/// What the writer does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// Store what has arrived.
    Arrivals,
    /// Do other work.
    Work,
    /// Nothing before this time, unless something arrives.
    WaitUntil(Instant),
    /// Nothing until something is asked.
    Sleep,
}

/// Remembers who had the writer when.
#[derive(Debug, Default)]
pub(super) struct Share {
    /// Later by as long as other work had the writer since.
    last_arrivals: Option<Instant>,
    work_from: Option<Instant>,
    arrivals_were_last: bool,
}

impl Share {
    /// Who is next, of those who wait.
    pub(super) fn choose(&self, arrivals_wait: bool, work_waits: bool, now: Instant) -> Choice {
        let work_from = self.work_from.filter(|from| *from > now);
        match (arrivals_wait, work_waits, work_from) {
            (true, true, None) if self.arrivals_were_last => Choice::Work,
            (true, ..) => Choice::Arrivals,
            (false, true, Some(from)) if !self.is_quiet(now) => Choice::WaitUntil(from),
            (false, true, _) => Choice::Work,
            (false, false, _) => Choice::Sleep,
        }
    }

    /// How long other work may go on beginning more in one commit.
    pub(super) fn step(&self, now: Instant) -> Duration {
        if self.is_quiet(now) { LONG_STEP } else { SHORT_STEP }
    }

    /// Arrivals were stored.
    pub(super) fn arrivals_ended(&mut self, now: Instant) {
        (self.last_arrivals, self.arrivals_were_last) = (Some(now), true);
    }

    /// Other work was done.
    pub(super) fn work_ended(&mut self, began: Instant, now: Instant) {
        let took = now.saturating_duration_since(began);
        self.last_arrivals = self.last_arrivals.map(|last| last + took);
        self.arrivals_were_last = false;
        self.work_from = Some(now + took.saturating_mul(ARRIVALS_SHARE).min(LONGEST_WAY));
    }

    fn is_quiet(&self, now: Instant) -> bool {
        self.last_arrivals.is_none_or(|last| now.saturating_duration_since(last) >= LULL)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    #[test]
    fn without_arrivals_work_follows_work() {
        let (mut share, start) = (Share::default(), Instant::now());
        assert_eq!(share.choose(false, true, start), Choice::Work);
        share.work_ended(start, start + MILLISECOND);
        assert_eq!(share.choose(false, true, start + MILLISECOND), Choice::Work);
        assert_eq!(share.choose(false, false, start + MILLISECOND), Choice::Sleep);
    }

    #[test]
    fn work_waits_for_arrivals_to_come_until_a_lull() {
        let (mut share, start) = (Share::default(), Instant::now());
        share.arrivals_ended(start);
        share.work_ended(start, start + 50 * MILLISECOND);
        share.arrivals_ended(start + 50 * MILLISECOND);
        let now = start + 51 * MILLISECOND;
        assert_eq!(share.choose(false, true, now), Choice::WaitUntil(start + 150 * MILLISECOND));
        assert_eq!(share.choose(true, true, now), Choice::Arrivals);
        assert_eq!(share.step(now), SHORT_STEP);
        assert_eq!(share.choose(false, true, start + 50 * MILLISECOND + LULL), Choice::Work);
        assert_eq!(share.step(start + 50 * MILLISECOND + LULL), LONG_STEP);
    }

    proptest! {
        /// Both rows are never empty; what each commit takes is drawn.
        #[test]
        fn under_a_flood_neither_side_starves(took in prop::collection::vec((1u64..4_000, 1u64..60_000), 20..200)) {
            let (mut share, start) = (Share::default(), Instant::now());
            let mut now = start;
            let (mut arrivals, mut since_work, mut last_work, mut longest_arrivals) =
                (Duration::ZERO, Duration::ZERO, Duration::ZERO, Duration::ZERO);
            for (for_arrivals, for_work) in took {
                let began = now;
                match share.choose(true, true, now) {
                    Choice::Arrivals => {
                        now += Duration::from_micros(for_arrivals);
                        share.arrivals_ended(now);
                        arrivals += now - began;
                        since_work += now - began;
                        longest_arrivals = longest_arrivals.max(now - began);
                        let most = (last_work * ARRIVALS_SHARE).min(LONGEST_WAY) + longest_arrivals;
                        prop_assert!(since_work <= most, "work waits for {since_work:?} after {last_work:?}");
                    }
                    Choice::Work => {
                        let had = (last_work * ARRIVALS_SHARE).min(LONGEST_WAY);
                        prop_assert!(since_work >= had, "arrivals had {since_work:?} after {last_work:?}");
                        now += Duration::from_micros(for_work);
                        share.work_ended(began, now);
                        (last_work, since_work) = (now - began, Duration::ZERO);
                    }
                    idle => prop_assert!(false, "{idle:?} while both wait"),
                }
            }
        }
    }
}
