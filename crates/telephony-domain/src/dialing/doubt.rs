//! Calls whose request got no answer: the provider's list decides if they were placed. None is dialed again.

use std::time::Duration;

use crate::reconcile::{Finding, LOOK_BACK};
use crate::time::Timestamp;

/// An accepted call is listed this long after its request at the latest.
const LISTING_TIMEOUT: Duration = Duration::from_secs(30);

/// The wait before the next look at the list.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// The time after which a list that cannot be read leaves the outcome unknown.
const LIST_TIMEOUT: Duration = Duration::from_secs(10 * 60);

/// The next step for a call that was not found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Look at the list again at that time.
    LookAgainAt(Timestamp),
    /// It was not placed.
    NotPlaced,
    /// It stays unknown.
    Unknown,
}

/// Decides after a look without result at `now`; `absences` complete lists before it were without the call, which has
/// been in doubt since `since`.
pub fn next(since: Timestamp, absences: u32, finding: Finding, now: Timestamp) -> Next {
    match finding {
        Finding::Absent if absences > 0 && now.since(since) >= LISTING_TIMEOUT => Next::NotPlaced,
        Finding::Unreachable | Finding::Denied if now.since(since) >= LIST_TIMEOUT => Next::Unknown,
        Finding::Absent | Finding::Unreachable | Finding::Denied => Next::LookAgainAt(now + LOOK_EVERY),
    }
}

/// Returns the time from which on the provider can have created a call that was requested at `dialed`.
pub fn search_from(dialed: Timestamp) -> Timestamp {
    dialed - LOOK_BACK
}

#[cfg(test)]
mod tests {
    use super::*;

    const SINCE: Timestamp = Timestamp(1_000_000);

    #[test]
    fn only_two_complete_lists_and_half_a_minute_show_that_a_call_was_not_placed() {
        let after = |absences, finding, seconds| next(SINCE, absences, finding, SINCE + Duration::from_secs(seconds));
        let again = |seconds| Next::LookAgainAt(SINCE + Duration::from_secs(seconds) + LOOK_EVERY);
        assert_eq!(after(0, Finding::Absent, 0), again(0));
        assert_eq!(after(1, Finding::Absent, 29), again(29));
        assert_eq!(after(0, Finding::Absent, 300), again(300));
        assert_eq!(after(1, Finding::Absent, 30), Next::NotPlaced);
        for finding in [Finding::Unreachable, Finding::Denied] {
            assert_eq!(after(1, finding, 599), again(599));
            assert_eq!(after(0, finding, 600), Next::Unknown);
        }
    }
}
