//! Numbers of the account: capabilities and webhooks.

use serde::Deserialize;

use super::pages::Pages;
use super::{Rest, encode, segment};
use crate::checks::Capabilities;
use crate::provider::ProviderError;

/// A number of the account and its webhooks. An application or trunk overrides the URLs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct IncomingPhoneNumber {
    pub(crate) sid: String,
    /// Number in E.164 form.
    pub(crate) phone_number: String,
    /// Capabilities; none if not reported.
    pub(crate) capabilities: Option<Capabilities>,
    pub(crate) sms_url: Option<String>,
    pub(crate) sms_method: Option<String>,
    /// Fallback URL for messages.
    pub(crate) sms_fallback_url: Option<String>,
    /// Application that gets the messages instead.
    pub(crate) sms_application_sid: Option<String>,
    pub(crate) voice_url: Option<String>,
    pub(crate) voice_method: Option<String>,
    /// Fallback URL for calls.
    pub(crate) voice_fallback_url: Option<String>,
    /// Application that gets the calls instead.
    pub(crate) voice_application_sid: Option<String>,
    /// Trunk that gets the calls instead.
    pub(crate) trunk_sid: Option<String>,
    /// URL for reports on calls.
    pub(crate) status_callback: Option<String>,
    pub(crate) status_callback_method: Option<String>,
}

#[derive(Deserialize)]
struct Numbers {
    incoming_phone_numbers: Vec<IncomingPhoneNumber>,
    next_page_uri: Option<String>,
}

/// Maximum number of numbers read, a hundred per page.
const MAX_NUMBERS: usize = 1000;
const MAX_PAGES: usize = 10;

impl Rest {
    /// Returns the account's entry for exactly this number.
    pub async fn phone_number(&self, number: &str) -> Result<Option<IncomingPhoneNumber>, ProviderError> {
        let query = encode(&[("PhoneNumber", number), ("PageSize", "50")]);
        let page: Numbers = self.get(&format!("IncomingPhoneNumbers.json?{query}")).await?;
        Ok(page.incoming_phone_numbers.into_iter().find(|entry| entry.phone_number == number))
    }

    /// Requests the shortest possible list.
    pub async fn probe(&self) -> Result<(), ProviderError> {
        let _: Numbers = self.get("IncomingPhoneNumbers.json?PageSize=1").await?;
        Ok(())
    }

    /// Returns the account's numbers, at most a thousand.
    pub async fn phone_numbers(&self) -> Result<Vec<IncomingPhoneNumber>, ProviderError> {
        let first = self.absolute("IncomingPhoneNumbers.json?PageSize=100");
        let (mut pages, mut numbers) = (Pages::from(&first, MAX_PAGES), Vec::new());
        let mut next = Some(first);
        while let Some(path) = next {
            let page: Numbers = self.get(&path).await?;
            numbers.extend(page.incoming_phone_numbers);
            next = if numbers.len() < MAX_NUMBERS { pages.follow(page.next_page_uri)? } else { None };
        }
        Ok(numbers)
    }

    /// Returns the number with this SID.
    pub async fn phone_number_by_sid(&self, sid: &str) -> Result<IncomingPhoneNumber, ProviderError> {
        self.get(&number_path(sid)).await
    }

    /// Changes settings of the number with this SID.
    pub async fn update_phone_number(
        &self,
        sid: &str,
        form: &[(&str, &str)],
    ) -> Result<IncomingPhoneNumber, ProviderError> {
        self.post(&number_path(sid), form).await
    }
}

fn number_path(sid: &str) -> String {
    format!("IncomingPhoneNumbers/{}.json", segment(sid))
}
