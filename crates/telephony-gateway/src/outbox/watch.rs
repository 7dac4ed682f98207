//! Watches open attempts of all processes with a clock that does not jump.

use std::collections::HashMap;
use std::time::Instant;

use telephony_store::outbox::{ATTEMPT_LEASE, AttemptLease};

/// The time each open attempt was first seen.
#[derive(Debug, Default)]
pub(super) struct AttemptAges(HashMap<AttemptLease, Instant>);

impl AttemptAges {
    /// Returns the `open` attempts that have been open for [`ATTEMPT_LEASE`]; a live process ends its attempts sooner.
    /// Forgets those that are not open any more.
    pub(super) fn abandoned(&mut self, open: Vec<AttemptLease>, now: Instant) -> Vec<AttemptLease> {
        self.0 = open.into_iter().map(|lease| (lease, self.0.get(&lease).copied().unwrap_or(now))).collect();
        let is_over = |since: &Instant| now.saturating_duration_since(*since) >= ATTEMPT_LEASE;
        self.0.iter().filter(|(_, since)| is_over(since)).map(|(lease, _)| *lease).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use telephony_domain::id::PartId;

    use super::*;

    fn attempt(part: i64, attempt: u32) -> AttemptLease {
        AttemptLease { part: PartId(part), attempt }
    }

    #[test]
    fn an_attempt_is_abandoned_once_it_was_seen_open_for_a_lease() {
        let (mut watch, start) = (AttemptAges::default(), Instant::now());
        let almost = start + ATTEMPT_LEASE - Duration::from_millis(1);
        assert!(watch.abandoned(vec![attempt(1, 1)], start).is_empty());
        assert!(watch.abandoned(vec![attempt(1, 1), attempt(2, 1)], almost).is_empty());
        assert_eq!(watch.abandoned(vec![attempt(1, 1), attempt(2, 1)], start + ATTEMPT_LEASE), [attempt(1, 1)]);
    }

    #[test]
    fn another_attempt_at_the_same_part_has_a_lease_of_its_own() {
        let (mut watch, start) = (AttemptAges::default(), Instant::now());
        watch.abandoned(vec![attempt(1, 1)], start);
        assert!(watch.abandoned(vec![attempt(1, 2)], start + ATTEMPT_LEASE).is_empty());
        assert_eq!(watch.abandoned(vec![attempt(1, 2)], start + 2 * ATTEMPT_LEASE), [attempt(1, 2)]);
    }

    #[test]
    fn an_attempt_that_ended_is_forgotten() {
        let (mut watch, start) = (AttemptAges::default(), Instant::now());
        watch.abandoned(vec![attempt(1, 1)], start);
        watch.abandoned(Vec::new(), start + ATTEMPT_LEASE / 2);
        assert!(watch.abandoned(vec![attempt(1, 1)], start + ATTEMPT_LEASE).is_empty());
    }
}
