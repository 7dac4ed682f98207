//! Pagination: keeps each list's order and stays stable while entries arrive, because a page token names the last entry
//! seen.

use serde_json::{Value, json};

use super::ApiError;
use super::parameters::Parameters;

pub(super) struct Paging {
    size: usize,
    page: usize,
    /// The last SID of the previous page.
    after: Option<String>,
}

/// One page of a list.
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    start: usize,
    /// The last SID of this page, if more follow.
    next_after: Option<String>,
}

impl Paging {
    pub(super) fn read(query: &Parameters) -> Result<Self, ApiError> {
        let number = |name: &str, default| match query.filled(name).map(str::parse) {
            None => Ok(default),
            Some(Ok(number)) => Ok(number),
            Some(Err(_)) => Err(ApiError::bad_request(20001, &format!("{name} is not a number"))),
        };
        let size: usize = number("PageSize", 50)?;
        if !(1..=1000).contains(&size) {
            return Err(ApiError::bad_request(20007, "PageSize must be 1 to 1000"));
        }
        let after = query.filled("PageToken").and_then(|token| token.strip_prefix("PA")).map(str::to_owned);
        Ok(Self { size, page: number("Page", 0)?, after })
    }

    pub(super) fn cut<T>(&self, items: Vec<T>, sid: impl Fn(&T) -> &str) -> Page<T> {
        let by_token = self.after.as_ref().and_then(|after| items.iter().position(|item| sid(item) == after));
        let start = by_token.map_or(self.page * self.size, |position| position + 1);
        let has_more = items.len() > start + self.size;
        let items: Vec<T> = items.into_iter().skip(start).take(self.size).collect();
        let next_after = items.last().filter(|_| has_more).map(|last| sid(last).to_owned());
        Page { items, start, next_after }
    }

    /// Returns the envelope of the 2010 API: relative URIs beside the list.
    pub(super) fn envelope_2010<T>(
        &self,
        key: &str,
        path: &str,
        query: &Parameters,
        page: &Page<T>,
        items: Vec<Value>,
    ) -> Value {
        let next = page.next_after.as_deref().map(|after| self.address(path, query, self.page + 1, Some(after)));
        json!({
            key: items,
            "page": self.page, "page_size": self.size, "start": page.start,
            "end": (page.start + page.items.len()).saturating_sub(1),
            "uri": self.address(path, query, self.page, self.after.as_deref()),
            "first_page_uri": self.address(path, query, 0, None),
            "next_page_uri": next,
            "previous_page_uri": self.page.checked_sub(1).map(|page| self.address(path, query, page, None)),
        })
    }

    /// Returns the envelope of the v1 APIs: absolute URLs in `meta`.
    pub(super) fn envelope_v1<T>(
        &self,
        key: &str,
        url: &str,
        query: &Parameters,
        page: &Page<T>,
        items: Vec<Value>,
    ) -> Value {
        let next = page.next_after.as_deref().map(|after| self.address(url, query, self.page + 1, Some(after)));
        json!({
            key: items,
            "meta": {
                "key": key, "page": self.page, "page_size": self.size,
                "url": self.address(url, query, self.page, self.after.as_deref()),
                "first_page_url": self.address(url, query, 0, None),
                "next_page_url": next,
                "previous_page_url": self.page.checked_sub(1).map(|page| self.address(url, query, page, None)),
            },
        })
    }

    fn address(&self, path: &str, query: &Parameters, page: usize, after: Option<&str>) -> String {
        let filters = query.0.iter().filter(|(name, _)| !matches!(name.as_str(), "PageSize" | "Page" | "PageToken"));
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        pairs.extend_pairs(filters);
        pairs.append_pair("PageSize", &self.size.to_string()).append_pair("Page", &page.to_string());
        if let Some(after) = after {
            pairs.append_pair("PageToken", &format!("PA{after}"));
        }
        format!("{path}?{}", pairs.finish())
    }
}
