//! Searches a list for what was created since a time.

use std::cmp::Reverse;
use std::time::Duration;

use serde::de::DeserializeOwned;
use telephony_domain::time::{Clock, SystemClock, Timestamp};

use super::Rest;
use super::pages::Pages;
use crate::provider::ProviderError;

/// Clock difference that is ignored, because searches begin earlier than that.
const SAME_CLOCK: Duration = Duration::from_secs(60);

/// Consecutive pages without new items that end a search. The list is sorted by the time of sending or dialing, newest
/// first and those that wait before all others, so new items may follow one that was created before and sent after.
const OLD_PAGES: usize = 2;

/// An item of a list.
pub(super) trait Dated {
    /// Returns the time of creation.
    fn created(&self) -> Result<Timestamp, ProviderError>;

    /// Returns the time when it was sent or dialed; none while it waits.
    fn began(&self) -> Option<Timestamp>;
}

/// A page of a list.
pub(super) trait ListPage: DeserializeOwned {
    /// An item of the list.
    type Item: Dated;

    /// Returns the items and the link to the next page.
    fn into_parts(self) -> (Vec<Self::Item>, Option<String>);
}

impl Rest {
    /// Returns the items created at or after `since` by our clock, with their time by our clock, newest first. The list
    /// is not filtered by date: the only such filter is on the time of sending or dialing, which waiting items lack.
    pub(super) async fn created_since<P: ListPage>(
        &self,
        mut pages: Pages,
        first: String,
        since: Timestamp,
    ) -> Result<Vec<(P::Item, Timestamp)>, ProviderError> {
        let since = whole_second(since);
        let (mut found, mut old_pages) = (Vec::new(), 0);
        let mut next = Some(first);
        while let Some(path) = next {
            let (page, date): (P, _) = self.get_dated(&path).await?;
            let (items, link) = page.into_parts();
            let ahead = how_far_ahead(SystemClock.now(), date);
            let is_old = items.iter().filter_map(Dated::began).any(|began| began < since - ahead);
            let known = found.len();
            for item in items {
                let created = item.created()? + ahead;
                if created >= since {
                    found.push((item, created));
                }
            }
            old_pages = if is_old && found.len() == known { old_pages + 1 } else { 0 };
            next = if old_pages == OLD_PAGES { None } else { pages.follow(link)? };
        }
        // The list is in a different order.
        found.sort_by_key(|(_, created)| Reverse(*created));
        Ok(found)
    }
}

/// Returns how far our clock is ahead of Twilio's, if that matters: with such a clock, new items look old.
fn how_far_ahead(now: Timestamp, theirs: Option<Timestamp>) -> Duration {
    let ahead = theirs.map_or(Duration::ZERO, |theirs| now.since(theirs));
    if ahead > SAME_CLOCK { ahead } else { Duration::ZERO }
}

/// Rounds down to Twilio's whole seconds: an item created half a second later may have the second before.
fn whole_second(time: Timestamp) -> Timestamp {
    Timestamp(time.0 - time.0.rem_euclid(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fast_clock_is_detected_and_a_slow_answer_is_not_mistaken_for_one() {
        let (now, hour) = (Timestamp(10_000_000), Duration::from_secs(3600));
        assert_eq!(how_far_ahead(now + hour, Some(now)), hour);
        for theirs in [Some(now), Some(now - Duration::from_secs(30)), Some(now + hour), None] {
            assert_eq!(how_far_ahead(now, theirs), Duration::ZERO, "{theirs:?}");
        }
    }
}
