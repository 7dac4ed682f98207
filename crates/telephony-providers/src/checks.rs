//! Checks of an account: its credentials, senders and registration, and test requests to our webhook. Setup and doctor
//! use them; no message depends on them.

use std::fmt;
use std::net::SocketAddr;

use async_trait::async_trait;
use serde::Deserialize;
use telephony_domain::line::Sender;
use telephony_domain::time::Timestamp;

use crate::provider::ProviderError;

/// The checks of an account.
#[async_trait]
pub trait Checks: Send + Sync {
    /// Returns the base URL of the API.
    fn api_url(&self) -> &str;

    /// Checks that the provider accepts the credentials.
    async fn check_credentials(&self) -> Result<(), ProviderError>;

    /// Checks the secret of webhook signatures, if requests use different credentials, because an error in it would go
    /// unnoticed.
    async fn check_signing_secret(&self) -> Result<(), ProviderError>;

    /// Returns the account's state.
    async fn account_state(&self) -> Result<AccountState, ProviderError>;

    /// Returns the numbers that a trial account may text.
    async fn verified_numbers(&self) -> Result<Vec<String>, ProviderError>;

    /// Returns the newest alerts, newest first.
    async fn alerts(&self) -> Result<Vec<Alert>, ProviderError>;

    /// Returns the account's numbers.
    async fn numbers(&self) -> Result<Vec<OwnedNumber>, ProviderError>;

    /// Returns the account's entry for exactly this number.
    async fn number(&self, number: &str) -> Result<Option<OwnedNumber>, ProviderError>;

    /// Returns the account's messaging services; none from a server that does not have any.
    async fn services(&self) -> Result<Vec<MessagingService>, ProviderError>;

    /// Counts the senders of a messaging service; none if the account does not have it.
    async fn senders_of(&self, service: &str) -> Result<Option<ServiceSenders>, ProviderError>;

    /// Returns the state of a sender's registration with carriers.
    async fn registration(&self, sender: &Sender) -> Result<Registration, ProviderError>;

    /// Creates a test request to `url`, signed as if the URL `signed` were configured at the provider. `name` marks it
    /// as a test for the gateway.
    fn webhook_probe(&self, signed: &str, url: &str, name: &str) -> Result<WebhookProbe, ProbeFailure>;

    /// Sends a test request and returns the response.
    async fn send_probe(&self, probe: &WebhookProbe) -> Result<ProbeAnswer, ProbeFailure>;

    /// Describes the changes to `urls` with which the signature of a test request would have matched.
    fn differences(&self, probe: &WebhookProbe, urls: &[String]) -> Vec<&'static str>;
}

/// The state of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountState {
    /// True if the provider serves it.
    pub is_active: bool,
    /// True if it may only text verified numbers.
    pub is_trial: bool,
    /// State in the provider's words.
    pub status: String,
}

/// A provider's alert about a webhook or a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alert {
    /// Error code of the provider, explained by `Webhooks::explain`.
    pub code: u32,
    /// Time when the provider raised it.
    pub at: Timestamp,
}

/// A number of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedNumber {
    /// Number in E.164 form.
    pub number: String,
    /// Capabilities; none if not reported.
    pub capabilities: Option<Capabilities>,
}

/// The capabilities of a number. `Display` lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct Capabilities {
    /// True if the number has text messages.
    pub sms: bool,
    /// True if the number has picture messages.
    pub mms: bool,
    /// True if the number has calls.
    pub voice: bool,
}

/// A pool of senders behind one id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessagingService {
    /// Id at the provider.
    pub id: String,
    /// Name given by the operator.
    pub name: String,
}

/// The numbers of senders in a messaging service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceSenders {
    /// Number of phone numbers.
    pub numbers: usize,
    /// Number of short codes.
    pub short_codes: usize,
}

/// The state of a sender's registration with carriers, described for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registration {
    /// Carriers need none for this sender.
    NotNeeded,
    /// The provider does not report it.
    NotReported(String),
    /// Carriers need one, and there is none.
    Missing(String),
    /// It is not approved.
    NotApproved(String),
    /// Carriers have approved it; in the provider's words.
    Approved(String),
}

/// A request as the provider would make it, without personal content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookProbe {
    /// Full URL, with the query.
    pub url: String,
    /// Body in the provider's format.
    pub body: String,
    /// Signature as the provider would compute it.
    pub signature: String,
}

/// The response to a test request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeAnswer {
    /// HTTP status of the response.
    pub status: u16,
    /// Target of a redirect.
    pub location: Option<String>,
    /// The `Server` header, which names a proxy.
    pub server: Option<String>,
}

/// A failure of a test request, by how far it got.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProbeFailure {
    /// The URL is invalid, or there is no secret to sign with.
    #[error("`{0}` is not a valid URL for a webhook")]
    NoUrl(String),
    /// The host name does not resolve.
    #[error("the name `{host}` does not resolve: {cause}")]
    NoAddress {
        /// Host name of the URL.
        host: String,
        /// Error of the name lookup.
        cause: String,
    },
    /// Nothing accepts connections there.
    #[error("no connection to {address}: {cause}")]
    NoConnection {
        /// The last address that was tried.
        address: SocketAddr,
        /// Error of the system, such as "connection refused".
        cause: String,
    },
    /// The server does not speak TLS, although the URL says https.
    #[error("{address} answers without TLS, although the URL says https")]
    Plain {
        /// Host and port of the URL.
        address: String,
    },
    /// The provider would not trust the connection.
    #[error("no TLS connection that is trusted: {0}")]
    NoTls(String),
    /// The request was sent, but there was no readable response.
    #[error("no answer: {0}")]
    NoAnswer(String),
}

impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = [(self.sms, "SMS"), (self.mms, "MMS"), (self.voice, "Voice")];
        let names: Vec<_> = all.into_iter().filter_map(|(can, name)| can.then_some(name)).collect();
        f.write_str(&names.join(", "))
    }
}
