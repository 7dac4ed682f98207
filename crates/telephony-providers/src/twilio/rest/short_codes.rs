//! Short codes of the account, and where their messages go.

use serde::Deserialize;

use super::{Rest, encode, segment};
use crate::provider::ProviderError;

/// A short code of the account. It takes no calls.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct ShortCode {
    /// Its SID, `SC…`.
    pub sid: String,
    /// The code.
    pub short_code: String,
    /// The URL for messages.
    pub sms_url: Option<String>,
    /// With which method.
    pub sms_method: Option<String>,
    /// The URL for messages when that one fails.
    pub sms_fallback_url: Option<String>,
}

#[derive(Deserialize)]
struct ShortCodes {
    short_codes: Vec<ShortCode>,
}

impl Rest {
    /// The account's entry for exactly this short code.
    pub async fn short_code(&self, code: &str) -> Result<Option<ShortCode>, ProviderError> {
        let query = encode(&[("ShortCode", code), ("PageSize", "50")]);
        let page: ShortCodes = self.get(&format!("SMS/ShortCodes.json?{query}")).await?;
        Ok(page.short_codes.into_iter().find(|entry| entry.short_code == code))
    }

    /// The short code with this SID.
    pub async fn short_code_by_sid(&self, sid: &str) -> Result<ShortCode, ProviderError> {
        self.get(&path(sid)).await
    }

    /// Changes settings of the short code with this SID.
    pub async fn update_short_code(&self, sid: &str, form: &[(&str, &str)]) -> Result<ShortCode, ProviderError> {
        self.post(&path(sid), form).await
    }
}

fn path(sid: &str) -> String {
    format!("SMS/ShortCodes/{}.json", segment(sid))
}
