//! Numbers of the account: what they can do, and where their messages and calls go.

use serde::Deserialize;

use super::pages::Pages;
use super::{Rest, encode, segment};
use crate::provider::ProviderError;

/// A number of the account, and where its messages and calls go. An application or trunk wins over the URLs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct PhoneNumber {
    /// The number's SID, `PN…`.
    pub sid: String,
    /// The number in E.164 form.
    pub phone_number: String,
    /// What the number can do; none where it is not said.
    pub capabilities: Option<Capabilities>,
    /// Where messages go.
    pub sms_url: Option<String>,
    /// With which method.
    pub sms_method: Option<String>,
    /// Where messages go that nobody took.
    pub sms_fallback_url: Option<String>,
    /// The application that takes messages instead.
    pub sms_application_sid: Option<String>,
    /// Where calls go.
    pub voice_url: Option<String>,
    /// With which method.
    pub voice_method: Option<String>,
    /// Where calls go that nobody took.
    pub voice_fallback_url: Option<String>,
    /// The application that takes calls instead.
    pub voice_application_sid: Option<String>,
    /// The trunk that takes calls instead.
    pub trunk_sid: Option<String>,
    /// Where reports on calls go.
    pub status_callback: Option<String>,
    /// With which method.
    pub status_callback_method: Option<String>,
}

/// What a number can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct Capabilities {
    /// Text messages.
    pub sms: bool,
    /// Picture messages.
    pub mms: bool,
    /// Calls.
    pub voice: bool,
}

#[derive(Deserialize)]
struct Numbers {
    incoming_phone_numbers: Vec<PhoneNumber>,
    next_page_uri: Option<String>,
}

/// Numbers that are read, a hundred each time.
const AT_MOST: usize = 1000;
const PAGES_AT_MOST: usize = 10;

impl Rest {
    /// The account's entry for exactly this number.
    pub async fn phone_number(&self, number: &str) -> Result<Option<PhoneNumber>, ProviderError> {
        let query = encode(&[("PhoneNumber", number), ("PageSize", "50")]);
        let page: Numbers = self.get(&format!("IncomingPhoneNumbers.json?{query}")).await?;
        Ok(page.incoming_phone_numbers.into_iter().find(|entry| entry.phone_number == number))
    }

    /// Asks for the shortest list there is.
    pub async fn probe(&self) -> Result<(), ProviderError> {
        let _: Numbers = self.get("IncomingPhoneNumbers.json?PageSize=1").await?;
        Ok(())
    }

    /// The account's numbers, a thousand of them at most.
    pub async fn phone_numbers(&self) -> Result<Vec<PhoneNumber>, ProviderError> {
        let first = self.absolute("IncomingPhoneNumbers.json?PageSize=100");
        let (mut pages, mut numbers) = (Pages::from(&first, PAGES_AT_MOST), Vec::new());
        let mut next = Some(first);
        while let Some(path) = next {
            let page: Numbers = self.get(&path).await?;
            numbers.extend(page.incoming_phone_numbers);
            next = if numbers.len() < AT_MOST { pages.follow(page.next_page_uri)? } else { None };
        }
        Ok(numbers)
    }

    /// The number with this SID.
    pub async fn phone_number_by_sid(&self, sid: &str) -> Result<PhoneNumber, ProviderError> {
        self.get(&number_path(sid)).await
    }

    /// Changes settings of the number with this SID.
    pub async fn update_phone_number(&self, sid: &str, form: &[(&str, &str)]) -> Result<PhoneNumber, ProviderError> {
        self.post(&number_path(sid), form).await
    }
}

fn number_path(sid: &str) -> String {
    format!("IncomingPhoneNumbers/{}.json", segment(sid))
}
