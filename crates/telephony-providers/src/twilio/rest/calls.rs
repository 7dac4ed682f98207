//! Creates, reads, lists and changes calls.

use std::time::Duration;

use serde::Deserialize;
use telephony_domain::call::report::CallReport;
use telephony_domain::time::Timestamp;

use super::fields::{charge, created, text_or_number};
use super::pages::Pages;
use super::search::{Dated, ListPage};
use super::{Rest, encode, segment};
use crate::calling::ListedCall;
use crate::provider::ProviderError;
use crate::twilio::dates;

/// Calls per page. A call takes some 2 KB of JSON.
const CALLS_A_PAGE: usize = 100;

/// Maximum number of pages followed: two thousand calls.
const MAX_PAGES: usize = 20;

/// A call in the API. Numbers are text, unknown values null. Only the SID is required: an answer with a SID means that
/// a call was created, whatever else is missing.
#[derive(Deserialize)]
pub(in crate::twilio) struct CallResource {
    pub(in crate::twilio) sid: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    direction: String,
    #[serde(default)]
    from: String,
    date_created: Option<String>,
    start_time: Option<String>,
    #[serde(default, deserialize_with = "text_or_number")]
    duration: Option<String>,
    price: Option<String>,
    price_unit: Option<String>,
}

#[derive(Deserialize)]
struct CallPage {
    calls: Vec<CallResource>,
    next_page_uri: Option<String>,
}

impl Rest {
    /// Creates a call, which dials it.
    pub(in crate::twilio) async fn create_call(&self, form: &[(&str, &str)]) -> Result<CallResource, ProviderError> {
        self.post("Calls.json", form).await
    }

    /// Returns the calls to a number of one direction created at or after `since` by our clock, newest first.
    pub(in crate::twilio) async fn calls_to(
        &self,
        to: &str,
        direction: &str,
        since: Timestamp,
    ) -> Result<Vec<ListedCall>, ProviderError> {
        let query = encode(&[("To", to), ("PageSize", &CALLS_A_PAGE.to_string())]);
        let first = self.absolute(&format!("Calls.json?{query}"));
        let pages = Pages::from(&first, MAX_PAGES);
        let calls = self.created_since::<CallPage>(pages, first, since).await?.into_iter();
        let wanted = calls.filter(|(call, _)| call.direction == direction);
        wanted.map(|(call, created)| call.listed(created)).collect()
    }

    pub(in crate::twilio) async fn call(&self, sid: &str) -> Result<CallResource, ProviderError> {
        self.get(&path(sid)).await
    }

    /// Hangs up a call, answered or not.
    pub async fn end_call(&self, sid: &str) -> Result<(), ProviderError> {
        let _: CallResource = self.post(&path(sid), &[("Status", "completed")]).await?;
        Ok(())
    }

    /// Replaces the current document of a call.
    pub(in crate::twilio) async fn replace_document(&self, sid: &str, twiml: &str) -> Result<(), ProviderError> {
        let _: CallResource = self.post(&path(sid), &[("Twiml", twiml)]).await?;
        Ok(())
    }

    /// Has Twilio end a call by itself, and report its end.
    pub(in crate::twilio) async fn limit_call(
        &self,
        sid: &str,
        seconds: u32,
        status_url: Option<&str>,
    ) -> Result<(), ProviderError> {
        let seconds = seconds.to_string();
        let callback = status_url.map(|url| ("StatusCallback", url));
        let form: Vec<_> = std::iter::once(("TimeLimit", seconds.as_str())).chain(callback).collect();
        let _: CallResource = self.post(&path(sid), &form).await?;
        Ok(())
    }
}

impl ListPage for CallPage {
    type Item = CallResource;

    fn into_parts(self) -> (Vec<CallResource>, Option<String>) {
        (self.calls, self.next_page_uri)
    }
}

impl Dated for CallResource {
    fn created(&self) -> Result<Timestamp, ProviderError> {
        created(&self.sid, self.date_created.as_deref())
    }

    fn began(&self) -> Option<Timestamp> {
        self.start_time.as_deref().and_then(dates::parse)
    }
}

impl CallResource {
    pub(in crate::twilio) fn report(&self) -> Result<CallReport, ProviderError> {
        let unknown = |_| ProviderError::Unreadable { cause: "a call has a status that is not known".to_owned() };
        Ok(CallReport {
            status: self.status.parse().map_err(unknown)?,
            duration: self.duration.as_ref().and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs),
            price: charge(self.price.as_deref(), self.price_unit.as_deref()),
        })
    }

    fn listed(self, created: Timestamp) -> Result<ListedCall, ProviderError> {
        Ok(ListedCall { report: self.report()?, provider_id: self.sid, from: self.from, created })
    }
}

fn path(sid: &str) -> String {
    format!("Calls/{}.json", segment(sid))
}
