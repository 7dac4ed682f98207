//! A Twilio account: its credentials and the address of its API.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::SecretString;

/// A Twilio account. `Debug` shows no secret.
#[derive(Clone)]
pub struct TwilioAccount {
    /// SID of the account: `AC…`.
    pub sid: String,
    /// Auth tokens: the current one, which is also the API's password, then former ones that are still accepted in
    /// signatures.
    pub auth_tokens: Vec<SecretString>,
    /// Shared keys that sign webhooks, by id.
    pub shared_keys: BTreeMap<String, SecretString>,
    /// SID and secret of an API key, used instead of the token.
    pub api_key: Option<(String, SecretString)>,
    /// Base URL of the API, without a trailing slash; see [`api_url`].
    pub api_url: String,
    /// Base URLs of other products (`messaging`, `monitor`), if they differ from the API's.
    pub product_urls: BTreeMap<String, String>,
    /// Connection overrides, placed after the `#` of our URLs; may be empty.
    pub connection_overrides: String,
    /// Accepts every request as Twilio's, signed or not. For development only: anyone can then text as anyone.
    pub skips_signatures: bool,
}

impl TwilioAccount {
    /// Returns user name and password for the API.
    pub(super) fn credentials(&self) -> (&str, Option<&SecretString>) {
        match &self.api_key {
            Some((sid, secret)) => (sid, Some(secret)),
            None => (&self.sid, self.auth_tokens.first()),
        }
    }

    /// Returns the base URL of `product`: Twilio has a host for each, other servers have one for all.
    pub(super) fn product_url(&self, product: &str) -> String {
        let beside = || match self.api_url.strip_prefix("https://api.") {
            Some(rest) if rest.ends_with("twilio.com") => format!("https://{product}.{rest}"),
            _ => self.api_url.clone(),
        };
        self.product_urls.get(product).cloned().unwrap_or_else(beside)
    }
}

impl fmt::Debug for TwilioAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("sid", &self.sid).field("api_url", &self.api_url).finish_non_exhaustive()
    }
}

/// Returns the API's base URL for a region and an edge. An edge alone means region `us1`.
pub fn api_url(region: Option<&str>, edge: Option<&str>) -> String {
    match (edge, region) {
        (None, None) => "https://api.twilio.com".to_owned(),
        (None, Some(region)) => format!("https://api.{region}.twilio.com"),
        (Some(edge), region) => format!("https://api.{edge}.{}.twilio.com", region.unwrap_or("us1")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn region_and_edge_name_the_host() {
        assert_eq!(api_url(None, None), "https://api.twilio.com");
        assert_eq!(api_url(Some("ie1"), None), "https://api.ie1.twilio.com");
        assert_eq!(api_url(None, Some("sydney")), "https://api.sydney.us1.twilio.com");
        assert_eq!(api_url(Some("au1"), Some("sydney")), "https://api.sydney.au1.twilio.com");
    }
}
