//! Calls whose request got no answer: the provider's list decides whether they were placed. None is dialed again.

use std::time::Duration;

use crate::reconcile::{LOOK_BACK, SearchResult};
use crate::time::Timestamp;

/// Time in doubt after which the provider's list contains every accepted call.
const LISTING_TIMEOUT: Duration = Duration::from_secs(30);

/// Interval at which the list is read.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Time in doubt after which the outcome stays unknown if the list cannot be read.
const LIST_TIMEOUT: Duration = Duration::from_secs(10 * 60);

/// The next step for a call that was not found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DialDoubtStep {
    /// Look at the list again at that time.
    LookAgainAt(Timestamp),
    /// The call was not placed.
    NotPlaced,
    /// The outcome stays unknown.
    Unknown,
}

/// Decides the next step after a search at `now` that did not find a call, which has been in doubt since `since`.
/// `absences` is the number of earlier complete lists without the call.
pub fn next(since: Timestamp, absences: u32, finding: SearchResult, now: Timestamp) -> DialDoubtStep {
    match finding {
        SearchResult::Absent if absences > 0 && now.since(since) >= LISTING_TIMEOUT => DialDoubtStep::NotPlaced,
        SearchResult::Unreachable | SearchResult::Denied if now.since(since) >= LIST_TIMEOUT => DialDoubtStep::Unknown,
        SearchResult::Absent | SearchResult::Unreachable | SearchResult::Denied => {
            DialDoubtStep::LookAgainAt(now + LOOK_EVERY)
        }
    }
}

/// Returns the earliest time at which the provider can have created a call that was requested at `dialed`.
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
        let again = |seconds| DialDoubtStep::LookAgainAt(SINCE + Duration::from_secs(seconds) + LOOK_EVERY);
        assert_eq!(after(0, SearchResult::Absent, 0), again(0));
        assert_eq!(after(1, SearchResult::Absent, 29), again(29));
        assert_eq!(after(0, SearchResult::Absent, 300), again(300));
        assert_eq!(after(1, SearchResult::Absent, 30), DialDoubtStep::NotPlaced);
        for finding in [SearchResult::Unreachable, SearchResult::Denied] {
            assert_eq!(after(1, finding, 599), again(599));
            assert_eq!(after(0, finding, 600), DialDoubtStep::Unknown);
        }
    }
}
