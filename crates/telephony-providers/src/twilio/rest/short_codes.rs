//! Short codes of the account and their webhooks.

use serde::Deserialize;

use super::{Rest, encode, segment};
use crate::provider::ProviderError;

/// A short code of the account. It cannot receive calls.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct ShortCode {
    pub(crate) sid: String,
    pub(crate) short_code: String,
    pub(crate) sms_url: Option<String>,
    pub(crate) sms_method: Option<String>,
    /// Fallback URL for messages.
    pub(crate) sms_fallback_url: Option<String>,
}

#[derive(Deserialize)]
struct ShortCodes {
    short_codes: Vec<ShortCode>,
}

impl Rest {
    /// Returns the account's entry for exactly this short code.
    pub async fn short_code(&self, code: &str) -> Result<Option<ShortCode>, ProviderError> {
        let query = encode(&[("ShortCode", code), ("PageSize", "50")]);
        let page: ShortCodes = self.get(&format!("SMS/ShortCodes.json?{query}")).await?;
        Ok(page.short_codes.into_iter().find(|entry| entry.short_code == code))
    }

    /// Returns the short code with this SID.
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
