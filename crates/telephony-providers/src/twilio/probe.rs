//! Calls a webhook as Twilio would, to test the route from the internet to the gateway.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use http::header::{CONTENT_TYPE, LOCATION, SERVER};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::Twilio;
use super::public_url::PublicUrl;
use super::rest::http::{build_client, describe};
use super::signature::{Payload, SIGNATURE_HEADER, sign};
use crate::provider::PROBE_PARAMETER;

/// Time limit for DNS, and for a connection; Twilio waits 5 s for the latter.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Time limit of Twilio for the whole answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

const FORM: &str = "application/x-www-form-urlencoded; charset=UTF-8";

/// A request as Twilio would make it, without personal content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// Full URL.
    pub url: String,
    /// Form.
    pub body: String,
    /// Signature.
    pub signature: String,
}

/// The response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Target of a redirect.
    pub location: Option<String>,
    /// `Server` header.
    pub server: Option<String>,
}

/// A failure, by how far the request got.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The URL is invalid, or there is no token to sign with.
    #[error("`{0}` is not a valid URL for a webhook")]
    NoUrl(String),
    /// The host name does not resolve.
    #[error("the name `{host}` does not resolve: {cause}")]
    NoAddress {
        /// Host.
        host: String,
        /// Cause.
        cause: String,
    },
    /// Nothing accepts connections there.
    #[error("no connection to {address}: {cause}")]
    NoConnection {
        /// Last address tried.
        address: SocketAddr,
        /// Cause.
        cause: String,
    },
    /// The server does not speak TLS, although the URL says https.
    #[error("{address} answers without TLS, although the URL says https")]
    Plain {
        /// Host and port.
        address: String,
    },
    /// Twilio would not trust the connection.
    #[error("no TLS that Twilio would trust: {0}")]
    NoTls(String),
    /// The request was sent, but there was no readable response.
    #[error("no answer: {0}")]
    NoAnswer(String),
}

impl Twilio {
    /// Creates the request that Twilio would make to `url` (without its fragment), with `name` as the probe's.
    pub fn probe(&self, url: &str, name: &str) -> Result<Probe, Failure> {
        self.probe_signed_for(url, url, name)
    }

    /// Creates the request to `url`, signed as if `signed` were configured at Twilio.
    pub fn probe_signed_for(&self, signed: &str, url: &str, name: &str) -> Result<Probe, Failure> {
        let account = self.rest.account();
        let (signed, url) = (named(signed, name), named(url, name));
        // Values that a proxy might change: an empty one, a plus sign, a non-ASCII character.
        let body =
            super::rest::encode(&[("AccountSid", &account.sid), ("Body", "1 + 1 = 2 & grüße 😀"), ("Empty", "")]);
        let payload = Payload::read(Some(FORM), body.as_bytes());
        let signature = account.auth_tokens.first().and_then(|token| sign(token, &signed, &payload));
        match signature {
            Some(signature) => Ok(Probe { url, body, signature }),
            None => Err(Failure::NoUrl(url)),
        }
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

impl Probe {
    /// Sends the request and returns the response.
    pub async fn send(&self) -> Result<Answer, Failure> {
        let no_url = || Failure::NoUrl(self.url.clone());
        let (host, port) = PublicUrl::parse(&self.url).and_then(|url| url.server()).ok_or_else(no_url)?;
        reach(host, port).await?;
        let client = build_client().map_err(Failure::NoAnswer)?;
        let request = client
            .post(&self.url)
            .header(CONTENT_TYPE, FORM)
            .header(SIGNATURE_HEADER, &self.signature)
            .timeout(ANSWER_TIMEOUT)
            .body(self.body.clone());
        let answer = request.send().await.map_err(|error| {
            let error = error.without_url();
            match tls_error(&error) {
                Some(rustls::Error::InvalidMessage(_)) => Failure::Plain { address: format!("{host}:{port}") },
                Some(error) => Failure::NoTls(error.to_string()),
                None => Failure::NoAnswer(describe(&error)),
            }
        })?;
        let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Ok(Answer { status: answer.status().as_u16(), location: header(LOCATION), server: header(SERVER) })
    }
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
async fn reach(host: &str, port: u16) -> Result<(), Failure> {
    let no_address = |cause: String| Failure::NoAddress { host: host.to_owned(), cause };
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
        failure = Failure::NoConnection { address, cause };
    }
    Err(failure)
}
