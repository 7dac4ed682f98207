//! The public URLs that the provider calls, from the configuration or the running gateway's tunnel.

use telephony_config::{Loaded, PublicUrl, TelephonyConfig};
use telephony_gateway::control::status;
use telephony_gateway::routing::RouteTarget;
use telephony_providers::route::CallbackUrls;
use url::Url;

use crate::failure::Failure;

/// Returns the public URL: the given one, else the configured one, else the running gateway's tunnel.
pub async fn public_url(loaded: &Loaded, given: Option<&str>) -> Result<Option<PublicUrl>, Failure> {
    let telephony = &loaded.telephony;
    let read = |url: &str| PublicUrl::parse(url, &telephony.serve.path, &telephony.serve.status_path);
    if let Some(url) = given {
        let hint = "pass the base, such as https://your-domain.com, or the full webhook URL, without a `#` part";
        let refused = || Failure::usage(format!("`{url}` is not a valid http or https URL")).hint(hint);
        return read(url).ok_or_else(refused).map(Some);
    }
    if telephony.public_url.is_some() {
        return Ok(telephony.public_url.clone());
    }
    let alive = status::notify(&loaded.state).await;
    Ok(alive.and_then(|alive| alive.webhook_url).and_then(|url| read(&url)))
}

/// Returns the callback URLs to register with the provider.
pub fn callbacks(url: &PublicUrl) -> CallbackUrls {
    CallbackUrls { webhook: url.registered_webhook(""), status: url.registered_status_callback("") }
}

/// Returns the target of a routing change: the sender and its new URLs.
pub fn target<'a>(
    telephony: &TelephonyConfig,
    sender: &'a telephony_domain::line::Sender,
    callbacks: &'a CallbackUrls,
) -> RouteTarget<'a> {
    RouteTarget { sender, callbacks, takes_calls: telephony.voice.enabled }
}

/// Returns host and port of a URL's server. An IPv6 address has no brackets.
pub fn server(url: &str) -> Option<(String, u16)> {
    let url = Url::parse(url).ok()?;
    let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
    Some((host, url.port_or_known_default()?))
}

/// Explains that there is no public URL.
pub fn no_public_url() -> Failure {
    Failure::new("there is no public URL where Twilio can reach the gateway")
        .hint("set publicUrl, start a gateway with a tunnel, or pass --url")
}
