//! Keeps the log readable whatever strangers send: for each kind of rejection, one line with a count per minute and
//! address for the first few addresses, and one for all others together.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use telephony_domain::time::Timestamp;

/// Shortest interval between log lines for one kind and address.
const EVERY: Duration = Duration::from_secs(60);

/// Addresses with lines of their own, for each kind.
const ADDRESSES: usize = 8;

/// A kind of rejection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RejectionKind {
    /// No signature, as from scanners.
    Unsigned,
    /// An invalid signature: a forgery, or a wrong URL or token here.
    Forged,
    /// A signature for another account.
    Foreign,
    /// A valid signature whose fields were rearranged.
    Tampered,
    /// A valid signature on unreadable content.
    Malformed,
    /// Too many requests in flight from its address.
    Crowded,
    /// A signature header on a path that is not served, or with the wrong method.
    Misdirected,
    /// A body that is too large, too slow, or incomplete.
    Body,
}

/// Rejections that are not logged yet.
#[derive(Debug, Default)]
pub struct RejectionLog(Mutex<HashMap<(RejectionKind, Option<IpAddr>), Seen>>);

#[derive(Debug)]
struct Seen {
    reported: Timestamp,
    since: u64,
}

/// The data of a log line.
#[derive(Debug, PartialEq, Eq)]
pub struct RejectionSummary {
    /// Rejected address; none for several addresses without lines of their own.
    pub address: Option<IpAddr>,
    /// Rejections since the last log line.
    pub count: u64,
}

impl RejectionLog {
    /// Counts a rejection of `address`. Returns the data of a log line when one is due.
    pub fn count(&self, kind: RejectionKind, address: IpAddr, now: Timestamp) -> Option<RejectionSummary> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut address = Some(address);
        if !seen.contains_key(&(kind, address)) {
            let is_named = |(of, named): &(RejectionKind, Option<IpAddr>)| *of == kind && named.is_some();
            seen.retain(|key, known| !is_named(key) || is_recent(known, now));
            if seen.keys().filter(|key| is_named(key)).count() >= ADDRESSES {
                address = None;
            }
        }
        let Some(known) = seen.get_mut(&(kind, address)) else {
            seen.insert((kind, address), Seen { reported: now, since: 0 });
            return Some(RejectionSummary { address, count: 1 });
        };
        known.since += 1;
        if is_recent(known, now) {
            return None;
        }
        known.reported = now;
        Some(RejectionSummary { address, count: std::mem::take(&mut known.since) })
    }
}

/// Returns true if it was logged less than a minute ago; a clock that was set back does not silence it.
fn is_recent(seen: &Seen, now: Timestamp) -> bool {
    now.since(seen.reported) < EVERY && now >= seen.reported
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp(1_000_000);

    fn address(n: u32) -> IpAddr {
        IpAddr::V4(n.into())
    }

    fn reported(n: u32, count: u64) -> Option<RejectionSummary> {
        Some(RejectionSummary { address: Some(address(n)), count })
    }

    #[test]
    fn a_flood_from_one_address_is_logged_once_a_minute_with_a_count() {
        let rejection_log = RejectionLog::default();
        let count = |n, now| rejection_log.count(RejectionKind::Forged, address(n), now);
        assert_eq!(count(1, START), reported(1, 1));
        for _ in 0..500 {
            assert_eq!(count(1, START), None);
        }
        assert_eq!(count(2, START), reported(2, 1));
        assert_eq!(rejection_log.count(RejectionKind::Crowded, address(1), START), reported(1, 1));
        assert_eq!(count(1, START + EVERY), reported(1, 501));
    }

    #[test]
    fn a_flood_from_many_addresses_fills_neither_the_memory_nor_the_log() {
        let rejection_log = RejectionLog::default();
        let mut lines = 0;
        for n in 0..10_000 {
            lines += usize::from(rejection_log.count(RejectionKind::Forged, address(n), START).is_some());
        }
        assert_eq!(lines, ADDRESSES + 1);
        assert_eq!(rejection_log.0.lock().unwrap().len(), ADDRESSES + 1);
        let later = START + EVERY;
        assert_eq!(rejection_log.count(RejectionKind::Forged, address(20_000), later), reported(20_000, 1));
        for n in 30_000..30_000 + u32::try_from(ADDRESSES).unwrap() - 1 {
            assert_eq!(rejection_log.count(RejectionKind::Forged, address(n), later), reported(n, 1));
        }
        let others = RejectionSummary { address: None, count: 10_000 - u64::try_from(ADDRESSES).unwrap() };
        assert_eq!(rejection_log.count(RejectionKind::Forged, address(40_000), later), Some(others));
    }
}
