//! A webhook URL, parsed without changing a byte of what is signed, and the connection overrides in its fragment.

use std::time::Duration;

use super::request::{DeliveryFailure, HttpAnswer, Product};

/// A parsed webhook URL.
pub(super) struct WebhookAddress {
    scheme: String,
    /// `user:password` for HTTP Basic auth.
    pub(super) user_info: Option<String>,
    /// Host and port as written.
    pub(super) authority: String,
    /// Path and query as written; may be empty.
    rest: String,
    pub(super) overrides: Overrides,
}

impl WebhookAddress {
    pub(super) fn parse(url: &str) -> Result<Self, DeliveryFailure> {
        let (bare, fragment) = url.split_once('#').unwrap_or((url, ""));
        let invalid = || DeliveryFailure::Url(bare.to_owned());
        let (scheme, after) = bare.split_once("://").ok_or_else(invalid)?;
        if !matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https") {
            return Err(invalid());
        }
        let (authority, rest) = after.split_at(after.find(['/', '?']).unwrap_or(after.len()));
        let (user_info, authority) = match authority.rsplit_once('@') {
            Some((user_info, authority)) => (Some(user_info.to_owned()), authority),
            None => (None, authority),
        };
        if authority.is_empty() {
            return Err(invalid());
        }
        Ok(Self {
            scheme: scheme.to_owned(),
            user_info,
            authority: authority.to_owned(),
            rest: rest.to_owned(),
            overrides: Overrides::parse(fragment),
        })
    }

    pub(super) fn is_https(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("https")
    }

    /// Returns the URL to sign: without user name and fragment, and for voice over https without the port.
    pub(super) fn signed_url(&self, product: Product) -> String {
        let drops_port = product == Product::Voice && self.is_https();
        let authority = if drops_port { self.split_port().0 } else { &self.authority };
        format!("{}://{authority}{}", self.scheme, self.rest)
    }

    /// Returns the request target: path and query, with a leading `/`.
    pub(super) fn target(&self) -> String {
        if self.rest.starts_with('/') { self.rest.clone() } else { format!("/{}", self.rest) }
    }

    /// Returns the host (IPv6 without brackets) and port to connect to.
    pub(super) fn endpoint(&self) -> (&str, u16) {
        let (host, port) = self.split_port();
        let default = if self.is_https() { 443 } else { 80 };
        (host.trim_start_matches('[').trim_end_matches(']'), port.unwrap_or(default))
    }

    fn split_port(&self) -> (&str, Option<u16>) {
        match self.authority.rsplit_once(':') {
            Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => {
                (host, port.parse().ok())
            }
            _ => (&self.authority, None),
        }
    }
}

/// Connection overrides in a URL's fragment: `#rc=3&rp=5xx,ct,rt`.
pub(super) struct Overrides {
    /// `rc`: the number of retries, 0 to 5. Twilio's default: 1.
    pub(super) retries: u32,
    /// `rp`: the failures to retry: `4xx`, `5xx`, `ct`, `rt` or `all`. Twilio's default: `ct`.
    policy: Vec<String>,
    /// `ct`: the connect timeout. Twilio's default: 5 s.
    pub(super) connect: Duration,
    /// `rt`: the read timeout.
    pub(super) read: Option<Duration>,
    /// `tt`: the total timeout.
    pub(super) total: Option<Duration>,
}

impl Overrides {
    fn parse(fragment: &str) -> Self {
        let value = |name| {
            form_urlencoded::parse(fragment.as_bytes())
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        let milliseconds = |name| value(name).and_then(|text| text.parse().ok()).map(Duration::from_millis);
        Self {
            retries: value("rc").and_then(|text| text.parse().ok()).unwrap_or(1).min(5),
            policy: value("rp").unwrap_or_else(|| "ct".to_owned()).split(',').map(str::to_owned).collect(),
            connect: milliseconds("ct").unwrap_or(Duration::from_secs(5)),
            read: milliseconds("rt"),
            total: milliseconds("tt"),
        }
    }

    pub(super) fn retries_after(&self, outcome: &Result<HttpAnswer, DeliveryFailure>) -> bool {
        let reason = match outcome {
            Ok(HttpAnswer { status: 400..500, .. }) => "4xx",
            Ok(HttpAnswer { status: 500.., .. }) => "5xx",
            Err(DeliveryFailure::Connect(_)) => "ct",
            Err(DeliveryFailure::TimedOut | DeliveryFailure::Broken(_)) => "rt",
            Ok(_) | Err(DeliveryFailure::Url(_)) => return false,
        };
        self.policy.iter().any(|policy| policy == reason || policy == "all")
    }
}

#[cfg(test)]
mod tests {
    use super::{Product, WebhookAddress};

    #[test]
    fn the_signed_url_lacks_only_fragment_user_and_https_voice_port() {
        let cases = [
            ("http://127.0.0.1:3335/a?b=c#rc=2&rp=all", "http://127.0.0.1:3335/a?b=c", "http://127.0.0.1:3335/a?b=c"),
            (
                "https://me:pw@Example.com:8443/%7e/../x",
                "https://Example.com:8443/%7e/../x",
                "https://Example.com/%7e/../x",
            ),
            ("https://example.com", "https://example.com", "https://example.com"),
            ("http://[::1]:80?x", "http://[::1]:80?x", "http://[::1]:80?x"),
        ];
        for (url, messaging, voice) in cases {
            let address = WebhookAddress::parse(url).unwrap();
            assert_eq!(address.signed_url(Product::Messaging), messaging);
            assert_eq!(address.signed_url(Product::Voice), voice);
        }
    }

    #[test]
    fn a_url_without_a_path_requests_the_root() {
        assert_eq!(WebhookAddress::parse("http://[::1]:81?x").unwrap().target(), "/?x");
        assert_eq!(WebhookAddress::parse("http://[::1]:81?x").unwrap().endpoint(), ("::1", 81));
        assert_eq!(WebhookAddress::parse("https://example.com").unwrap().endpoint(), ("example.com", 443));
        assert!(WebhookAddress::parse("ftp://example.com/").is_err());
        assert!(WebhookAddress::parse("example.com/").is_err());
    }
}
