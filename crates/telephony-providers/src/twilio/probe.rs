//! Calls a webhook as Twilio would, to test the route from the internet to the gateway.

use std::error::Error;
use std::io;
use std::time::Duration;

use http::header::{CONTENT_TYPE, LOCATION, SERVER};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::Twilio;
use super::public_url::SplitUrl;
use super::rest::http::{build_client, describe};
use super::signature::{Explanation, Payload, SIGNATURE_HEADER, SignedRequest, explain, sign};
use crate::checks::{ProbeAnswer, ProbeFailure, WebhookProbe};
use crate::provider::PROBE_PARAMETER;

/// Time limit for DNS, and for a connection; Twilio waits 5 s for the latter.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Time limit of Twilio for the whole answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

const FORM: &str = "application/x-www-form-urlencoded; charset=UTF-8";

impl Twilio {
    /// Creates the request to `url`, signed as if `signed` were configured at Twilio.
    pub(super) fn probe_signed_for(&self, signed: &str, url: &str, name: &str) -> Result<WebhookProbe, ProbeFailure> {
        let account = self.rest.account();
        let (signed, url) = (named(signed, name), named(url, name));
        // Values that a proxy might change: an empty one, a plus sign, a non-ASCII character.
        let body =
            super::rest::encode(&[("AccountSid", &account.sid), ("Body", "1 + 1 = 2 & grüße 😀"), ("Empty", "")]);
        let payload = Payload::read(Some(FORM), body.as_bytes());
        let signature = account.auth_tokens.first().and_then(|token| sign(token, &signed, &payload));
        match signature {
            Some(signature) => Ok(WebhookProbe { url, body, signature }),
            None => Err(ProbeFailure::NoUrl(url)),
        }
    }

    /// Explains why a probe's signature matches none of `urls`.
    pub(super) fn explain_probe(&self, probe: &WebhookProbe, urls: &[String]) -> Explanation {
        let payload = Payload::read(Some(FORM), probe.body.as_bytes());
        let request = SignedRequest { urls, signature: probe.signature.as_bytes(), settings: None, payload: &payload };
        let account = self.rest.account();
        explain(&account.auth_tokens, &account.shared_keys, &request)
    }
}

/// Returns `url` without its fragment and with the name of a probe.
fn named(url: &str, name: &str) -> String {
    let url = url.split('#').next().unwrap_or_default();
    let delimiter = if url.contains('?') { '&' } else { '?' };
    match url.split_once("://").is_some_and(|(_, rest)| rest.contains('/')) {
        true => format!("{url}{delimiter}{PROBE_PARAMETER}={name}"),
        false => format!("{url}/{delimiter}{PROBE_PARAMETER}={name}"),
    }
}

/// Sends the request and returns the response.
pub(super) async fn send(probe: &WebhookProbe) -> Result<ProbeAnswer, ProbeFailure> {
    let no_url = || ProbeFailure::NoUrl(probe.url.clone());
    let (host, port) = SplitUrl::parse(&probe.url).and_then(|url| url.server()).ok_or_else(no_url)?;
    reach(host, port).await?;
    let client = build_client().map_err(ProbeFailure::NoAnswer)?;
    let request = client
        .post(&probe.url)
        .header(CONTENT_TYPE, FORM)
        .header(SIGNATURE_HEADER, &probe.signature)
        .timeout(ANSWER_TIMEOUT)
        .body(probe.body.clone());
    let answer = request.send().await.map_err(|error| {
        let error = error.without_url();
        match tls_error(&error) {
            Some(rustls::Error::InvalidMessage(_)) => ProbeFailure::Plain { address: format!("{host}:{port}") },
            Some(error) => ProbeFailure::NoTls(error.to_string()),
            None => ProbeFailure::NoAnswer(describe(&error)),
        }
    })?;
    let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    Ok(ProbeAnswer { status: answer.status().as_u16(), location: header(LOCATION), server: header(SERVER) })
}

/// Returns the TLS error among the causes.
fn tls_error<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e rustls::Error> {
    if let Some(found) = error.downcast_ref() {
        return Some(found);
    }
    // The inner error of an `io::Error` is not its source.
    let within = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    within.and_then(|within| tls_error(within)).or_else(|| tls_error(error.source()?))
}

/// Checks that the server can be resolved and connected to.
async fn reach(host: &str, port: u16) -> Result<(), ProbeFailure> {
    let no_address = |cause: String| ProbeFailure::NoAddress { host: host.to_owned(), cause };
    let addresses: Vec<_> = match timeout(CONNECT_TIMEOUT, lookup_host((host, port))).await {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(error)) => return Err(no_address(error.to_string())),
        Err(_) => return Err(no_address("it took longer than 5 s".to_owned())),
    };
    let mut failure = no_address("there is no address for it".to_owned());
    for address in addresses {
        let cause = match timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it took longer than 5 s".to_owned(),
        };
        failure = ProbeFailure::NoConnection { address, cause };
    }
    Err(failure)
}
