//! Follows the pages of a list: only forward, and with a limit.

use std::collections::BTreeSet;
use std::time::Duration;

use form_urlencoded::parse;
use telephony_domain::plural::counted;

use crate::provider::ProviderError;

/// Messages per page. A message of 1,600 non-ASCII characters takes up to 20 KB of JSON, so a page stays below the
/// largest answer that is read.
pub(super) const MESSAGES_A_PAGE: usize = 50;

/// Maximum number of messages per second that a list is followed for, on average: ten times an ordinary number's rate.
const MESSAGES_A_SECOND: u64 = 10;

/// Pages followed even for a short time span, because of waiting messages and other messages of the account.
const MIN_PAGES: u64 = 20;

/// Maximum number of pages followed: fifty thousand messages.
const MAX_PAGES: u64 = 1000;

/// Returns the most pages that a list of this span can have.
pub(super) fn in_span(span: Duration) -> usize {
    let pages = span.as_secs().saturating_mul(MESSAGES_A_SECOND) / MESSAGES_A_PAGE as u64;
    usize::try_from(pages.saturating_add(MIN_PAGES).min(MAX_PAGES)).unwrap_or(1)
}

/// The pages requested of one list.
pub(super) struct Pages {
    at_most: usize,
    asked: usize,
    seen: BTreeSet<String>,
    number: Option<u64>,
}

impl Pages {
    /// Follows a list that begins at `first`, an absolute path, for at most `at_most` pages.
    pub(super) fn from(first: &str, at_most: usize) -> Self {
        let mut pages = Self { at_most, asked: 1, seen: BTreeSet::new(), number: None };
        pages.is_new(first);
        pages
    }

    /// Returns the page to request next, none at the end of the list.
    pub(super) fn follow(&mut self, next: Option<String>) -> Result<Option<String>, ProviderError> {
        let Some(next) = next.filter(|uri| !uri.is_empty()) else { return Ok(None) };
        if !next.starts_with('/') || next.starts_with("//") {
            // The missing messages may be there.
            return Err(unreadable("the next page of the list is at a different host".to_owned()));
        }
        if !self.is_new(&next) {
            return Err(unreadable("the list links to itself".to_owned()));
        }
        if self.asked >= self.at_most {
            return Err(unreadable(format!("the list goes on after {}", counted(self.at_most, "page"))));
        }
        self.asked += 1;
        Ok(Some(next))
    }

    /// Returns true if neither this page nor one with the same token was requested, and its number is later.
    fn is_new(&mut self, uri: &str) -> bool {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let mut pairs: Vec<_> = parse(query.as_bytes()).into_owned().collect();
        pairs.sort();
        let value = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let number = value("Page").and_then(|page| page.parse().ok());
        let is_later = number.is_none() || self.number.is_none() || number > self.number;
        self.number = number.or(self.number);
        let token = value("PageToken").filter(|token| !token.is_empty());
        let is_new_token = token.is_none_or(|token| self.seen.insert(format!("token {token}")));
        self.seen.insert(format!("{path} {pairs:?}")) && is_new_token && is_later
    }
}

fn unreadable(cause: String) -> ProviderError {
    ProviderError::Unreadable { cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "/2010-04-01/Accounts/AC1/Messages.json?To=%2B15550005678&PageSize=50";

    fn page(number: u32, token: &str) -> String {
        format!("{FIRST}&Page={number}&PageToken={token}")
    }

    /// Follows `links` and returns how many pages were requested beside the first, and the result.
    fn followed(links: &[String]) -> (usize, String) {
        let mut pages = Pages::from(FIRST, 5);
        for (count, link) in links.iter().enumerate() {
            match pages.follow(Some(link.clone())) {
                Ok(Some(next)) => assert_eq!(&next, link),
                Ok(None) => return (count, "end".to_owned()),
                Err(error) => return (count, error.to_string()),
            }
        }
        (links.len(), "more".to_owned())
    }

    #[test]
    fn a_list_is_followed_to_its_end() {
        let links = [page(1, "A"), page(2, "B"), page(3, "C"), String::new()];
        assert_eq!(followed(&links), (3, "end".to_owned()));
        assert_eq!(Pages::from(FIRST, 5).follow(None), Ok(None));
    }

    #[test]
    fn a_repeated_link_ends_the_list() {
        let same = "/2010-04-01/Accounts/AC1/Messages.json?PageSize=50&To=%2b15550005678";
        let once = [FIRST.to_owned(), same.to_owned()];
        for link in once {
            let (count, why) = followed(&[link]);
            assert!(count == 0 && why.contains("links to itself"), "{count} {why}");
        }
        for second in [page(1, "A"), page(2, "A"), format!("{}&x=1", page(2, "A")), page(0, "B"), page(1, "B")] {
            let (count, why) = followed(&[page(1, "A"), second]);
            assert!(count == 1 && why.contains("links to itself"), "{count} {why}");
        }
        let (count, why) = followed(&[page(1, "A"), page(2, "B"), page(3, "A")]);
        assert!(count == 2 && why.contains("links to itself"), "{count} {why}");
    }

    #[test]
    fn a_list_that_grows_or_changes_host_is_abandoned() {
        let endless: Vec<_> = (1..100).map(|number| page(number, &number.to_string())).collect();
        let (count, why) = followed(&endless);
        assert!(count == 4 && why.contains("goes on after 5 pages"), "{count} {why}");
        for elsewhere in ["https://example.com/x", "//example.com/x", "Messages.json?Page=1"] {
            let (count, why) = followed(&[elsewhere.to_owned()]);
            assert!(count == 0 && why.contains("different host"), "{count} {why}");
        }
    }

    #[test]
    fn a_longer_span_has_more_pages_up_to_a_bound() {
        let minutes = |minutes: u64| in_span(Duration::from_secs(60 * minutes));
        assert!(minutes(0) == 20 && minutes(10) == 140 && minutes(100_000) == 1000);
        assert_eq!(in_span(Duration::MAX), 1000);
    }
}
