//! Hosts where Twilio keeps attachments. Nothing is fetched from any other, whatever a URL or a redirect says.

use std::net::IpAddr;

use reqwest::Url;

use super::segment;
use crate::twilio::account::TwilioAccount;

/// Hosts that the API redirects to for attachments.
const STORES: [&str; 2] = ["mms.twiliocdn.com", "media.twiliocdn.com"];

/// Amazon's domain for the buckets named after them.
const BUCKETS: &str = ".amazonaws.com";

/// Parses the API's URL of an attachment of this message and account.
pub(super) fn of_message(account: &TwilioAccount, message: &str, url: &str) -> Option<Url> {
    let url = Url::parse(url).ok()?;
    let path = format!("/2010-04-01/Accounts/{}/Messages/{}/Media/", segment(&account.sid), segment(message));
    let own = Url::parse(&account.api_url).ok();
    let own_path = own.as_ref().map_or("", |own| own.path().trim_end_matches('/'));
    let is_own = is_at(&url, own.as_ref());
    let rest = url.path().strip_prefix(if is_own { own_path } else { "" })?.strip_prefix(&path)?;
    let is_name = !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_name && has_no_user(&url) && (is_own || is_api(&url))).then_some(url)
}

/// Parses the target of a redirect: the API or one of Twilio's stores.
pub(super) fn redirected(account: &TwilioAccount, from: &Url, location: &str) -> Option<Url> {
    let url = from.join(location).ok()?;
    let own = Url::parse(&account.api_url).ok();
    let is_allowed = is_at(&url, own.as_ref()) || is_on_desk(&url, own.as_ref()) || is_api(&url) || is_store(&url);
    (has_no_user(&url) && is_allowed).then_some(url)
}

/// Returns true for the same scheme, host and port as the operator's API address.
fn is_at(url: &Url, own: Option<&Url>) -> bool {
    own.is_some_and(|own| own.origin() == url.origin() && own.origin().is_tuple())
}

/// Returns true for a simulator, whose store is on another port of the API's loopback address.
fn is_on_desk(url: &Url, own: Option<&Url>) -> bool {
    let Some(host) = own.and_then(Url::host_str) else { return false };
    let is_loopback = host == "localhost" || address(host).is_some_and(|address| address.is_loopback());
    is_loopback && url.scheme() == "http" && url.host_str() == Some(host)
}

fn address(host: &str) -> Option<IpAddr> {
    host.trim_matches(['[', ']']).parse().ok()
}

/// Returns true for `api.twilio.com`, and its regions and edges.
fn is_api(url: &Url) -> bool {
    let place = secure_host(url).and_then(|host| host.strip_prefix("api.")?.strip_suffix("twilio.com"));
    place.is_some_and(|place| place.is_empty() || place.ends_with('.'))
}

fn is_store(url: &Url) -> bool {
    let Some(host) = secure_host(url) else { return false };
    if STORES.contains(&host) {
        return true;
    }
    let Some(amazon) = host.strip_suffix(BUCKETS) else { return false };
    // The bucket is named in the host, or in the path.
    STORES.iter().any(|store| match amazon.strip_prefix(store) {
        Some(rest) => rest.starts_with(".s3"),
        None => is_bucket_host(amazon) && url.path().starts_with(&format!("/{store}/")),
    })
}

/// Returns true for `s3`, `s3-external-1`, `s3.us-east-1` and the like.
fn is_bucket_host(amazon: &str) -> bool {
    match amazon.split_once('.') {
        None => amazon.starts_with("s3"),
        Some((service, region)) => service == "s3" && !region.contains('.'),
    }
}

/// Returns the host of an https URL on the default port.
fn secure_host(url: &Url) -> Option<&str> {
    (url.scheme() == "https" && url.port().is_none()).then(|| url.host_str()).flatten()
}

fn has_no_user(url: &Url) -> bool {
    url.username().is_empty() && url.password().is_none()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const SID: &str = "AC00000000000000000000000000000001";

    fn account(api_url: &str) -> TwilioAccount {
        TwilioAccount {
            sid: SID.to_owned(),
            auth_tokens: Vec::new(),
            shared_keys: BTreeMap::new(),
            api_key: None,
            api_url: api_url.to_owned(),
            product_urls: BTreeMap::new(),
            connection_overrides: String::new(),
            skips_signatures: false,
        }
    }

    fn at(host: &str) -> String {
        format!("{host}/2010-04-01/Accounts/{SID}/Messages/MM1/Media/ME1")
    }

    #[test]
    fn an_attachment_url_belongs_to_its_message() {
        let live = account("https://api.twilio.com");
        for host in ["https://api.twilio.com", "https://api.ie1.twilio.com", "https://api.sydney.au1.twilio.com"] {
            assert!(of_message(&live, "MM1", &at(host)).is_some(), "{host}");
        }
        for host in [
            "http://api.twilio.com",
            "https://api.twilio.com:8443",
            "https://user@api.twilio.com",
            "https://api.twilio.com.evil.example",
            "https://api.eviltwilio.com",
            "https://evil.example",
            "https://127.0.0.1",
            "ftp://api.twilio.com",
        ] {
            assert_eq!(of_message(&live, "MM1", &at(host)), None, "{host}");
        }
        for path in [
            "/Messages/MM2/Media/ME1",
            "/Messages/MM1/Media/",
            "/Messages/MM1/Media/../../../x",
            "/Messages/MM1/Media/a/b",
        ] {
            let url = format!("https://api.twilio.com/2010-04-01/Accounts/{SID}{path}");
            assert_eq!(of_message(&live, "MM1", &url), None, "{path}");
        }
        let other = at("https://api.twilio.com").replace("AC0", "AC1");
        assert_eq!(of_message(&live, "MM1", &other), None);
    }

    #[test]
    fn a_configured_api_url_includes_its_path() {
        let own = account("http://127.0.0.1:4010/twilio");
        assert!(of_message(&own, "MM1", &at("http://127.0.0.1:4010/twilio")).is_some());
        for host in ["http://127.0.0.1:4011/twilio", "http://127.0.0.1:4010", "https://127.0.0.1:4010/twilio"] {
            assert_eq!(of_message(&own, "MM1", &at(host)), None, "{host}");
        }
    }

    #[test]
    fn a_simulator_may_serve_media_on_another_port() {
        let from = Url::parse(&at("http://127.0.0.1:4010")).unwrap();
        let leads = |api: &str, to: &str| redirected(&account(api), &from, to).is_some();
        assert!(leads("http://127.0.0.1:4010", "http://127.0.0.1:4011/x"));
        assert!(leads("http://[::1]:4010", "http://[::1]:4011/x"));
        assert!(!leads("http://127.0.0.1:4010", "http://127.0.0.2:4011/x"));
        assert!(!leads("http://127.0.0.1:4010", "http://localhost:4011/x"));
        assert!(!leads("http://192.168.1.2:4010", "http://192.168.1.2:4011/x"));
        assert!(!leads("https://api.twilio.com", "http://127.0.0.1:4011/x"));
    }

    #[test]
    fn redirects_are_followed_only_to_twilios_hosts() {
        let live = account("https://api.twilio.com");
        let from = Url::parse(&at("https://api.twilio.com")).unwrap();
        for location in [
            "https://mms.twiliocdn.com/AC1/abc?Signature=x",
            "https://media.twiliocdn.com/AC1/abc",
            "https://s3-external-1.amazonaws.com/media.twiliocdn.com/AC1/abc",
            "https://s3.us-east-1.amazonaws.com/media.twiliocdn.com/AC1/abc",
            "https://media.twiliocdn.com.s3-external-1.amazonaws.com/AC1/abc",
            "https://mms.twiliocdn.com.s3.eu-west-1.amazonaws.com/AC1/abc",
            "/elsewhere/at/the/api",
        ] {
            assert!(redirected(&live, &from, location).is_some(), "{location}");
        }
        for location in [
            "http://mms.twiliocdn.com/AC1/abc",
            "https://evil.example/",
            "https://evil-bucket.s3.amazonaws.com/media.twiliocdn.com/x",
            "https://s3.amazonaws.com/evil/media.twiliocdn.com/x",
            "https://s3evil.compute-1.amazonaws.com/media.twiliocdn.com/x",
            "https://s3-external-1.amazonaws.com/media.twiliocdn.com.evil/x",
            "https://media.twiliocdn.com.evil.amazonaws.com/x",
            "https://169.254.169.254/latest/meta-data",
            "http://127.0.0.1:8080/",
            "//evil.example/",
            "file:///etc/passwd",
            "https://user:pass@mms.twiliocdn.com/x",
        ] {
            assert_eq!(redirected(&live, &from, location), None, "{location}");
        }
    }
}
