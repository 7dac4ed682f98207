//! The interface between the gateway and a provider; each provider has a folder of its own.

use std::borrow::Cow;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Method};
use telephony_domain::call::report::CallEvent;
use telephony_domain::carrier::Carrier;
use telephony_domain::delivery::{Receipt, Status, StatusReport};
use telephony_domain::line::Sender;
use telephony_domain::message::Arrival;
use telephony_domain::money::{Billed, Price};
use telephony_domain::number::PhoneNumber;
use telephony_domain::retry::Disposition;
use telephony_domain::time::Timestamp;

use crate::calling::Calling;
use crate::checks::Checks;
use crate::route::Routes;

/// Query parameter of a request that was signed on this machine to test the route.
pub const PROBE_PARAMETER: &str = "openclaw-probe";

/// A phone company: everything that the gateway asks of it.
#[async_trait]
pub trait Provider: Webhooks + Routes + Calling + Checks {
    /// Hands one part over. An `Ok` means the provider has it; see [`ProviderError::disposition`] for the rest.
    async fn send(&self, part: Outgoing<'_>) -> Result<Receipt, ProviderError>;

    /// Makes a cheap request to check that the provider serves the account. A key that cannot read but may send counts
    /// as served, as far as this can show.
    async fn probe(&self) -> Result<(), ProviderError>;

    /// Returns the time by the provider's clock, a lower bound for its future timestamps. None before its first answer.
    fn time(&self) -> Option<Timestamp>;

    /// Returns our messages to `to` created at or after `since`, newest first, complete.
    async fn recent(&self, to: &PhoneNumber, since: Timestamp) -> Result<Vec<ListedMessage>, ProviderError>;

    /// Returns messages from contacts to our number `to` received at or after `since`, newest first, complete.
    async fn received(&self, to: &str, since: Timestamp) -> Result<Vec<Arrival>, ProviderError>;

    /// Returns the current state of the message with this id.
    async fn fetch(&self, provider_id: &str) -> Result<ListedMessage, ProviderError>;

    /// Returns our numbers that `sender` sends from and receives at: its own, and those of its pool.
    async fn numbers_of(&self, sender: &Sender) -> Result<Vec<String>, ProviderError>;

    /// Returns the message from a contact with this id, without attachments; none if the provider does not have it.
    async fn received_message(&self, provider_id: &str) -> Result<Option<Arrival>, ProviderError>;

    /// Returns prices of messages in both directions from `since` on; leaves out those not known yet.
    async fn billed(&self, since: Timestamp) -> Result<Vec<Billed>, ProviderError>;

    /// Returns the account's balance.
    async fn balance(&self) -> Result<Price, ProviderError>;

    /// Returns the account's messages from and to `contact`, at most `at_most` per direction, newest first.
    async fn messages_with(&self, contact: &PhoneNumber, at_most: usize) -> Result<MessagesWith, ProviderError>;

    /// Deletes the message with this id in either direction, and its attachments if it has any.
    async fn delete(&self, provider_id: &str, has_media: bool) -> Result<Deletion, ProviderError>;

    /// Fetches an attachment of an incoming message, at most `at_most` bytes. Makes one attempt, only from the
    /// provider's own attachment storage; the caller decides about retries.
    async fn attachment(&self, provider_id: &str, url: &str, at_most: usize) -> Result<Bytes, AttachmentError>;

    /// Returns true if `number` belongs to the account.
    async fn owns(&self, number: &str) -> Result<bool, ProviderError>;
}

/// A reason why an attachment could not be fetched, in words that may be shown to the agent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttachmentError {
    /// It may exist later.
    #[error("{0}")]
    NotYet(String),
    /// It is larger than requested.
    #[error("it is too large")]
    TooLarge,
    /// It will never be available.
    #[error("{0}")]
    Never(String),
}

/// The provider's messages with a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessagesWith {
    /// Messages.
    pub messages: Vec<StoredMessage>,
    /// True if the list is complete.
    pub is_complete: bool,
}

/// The fields needed to delete a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// Id at the provider.
    pub provider_id: String,
    /// True if the contact wrote it.
    pub is_from_contact: bool,
    /// Our number, once it is chosen.
    pub ours: Option<String>,
    /// Our pool of numbers, if there is one.
    pub messaging_service: Option<String>,
    /// True if it has attachments.
    pub has_media: bool,
}

/// The result of deleting a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// The provider no longer has it, or never had it.
    Gone,
    /// It is still being sent; the provider only deletes it afterwards.
    TooEarly,
}

/// The provider's part of the public listener: cheap, synchronous, no I/O.
pub trait Webhooks: Send + Sync {
    /// Returns the provider's rules for what a line sends.
    fn carrier(&self) -> &'static Carrier;

    /// Returns true if the headers contain a signature; without one the body is not read.
    fn is_signed(&self, headers: &HeaderMap) -> bool;

    /// Checks the signature, then the account, then reads the event. The only route from a request to a [`Verified`]
    /// event.
    fn verify(&self, request: &Unverified<'_>) -> Result<Verified<WebhookEvent>, Rejection>;

    /// Explains an error code in a report and its remedy; empty for unknown codes.
    fn explain(&self, code: u32) -> String;

    /// Returns true if an error code in a report concerns the account or the sender: other messages fail too until the
    /// operator fixes something.
    fn calls_for_operator(&self, code: u32) -> bool;

    /// Formats the answer to a webhook, as the gateway has decided.
    fn answer(&self, outcome: EventOutcome) -> WebhookAnswer;
}

/// A request to the public listener that is not verified.
#[derive(Debug, Clone, Copy)]
pub struct Unverified<'a> {
    /// HTTP method of the request.
    pub method: &'a Method,
    /// URLs that the provider may have called, likeliest first, each with the request's query.
    pub urls: &'a [String],
    /// Query string, without `?`.
    pub query: &'a str,
    /// Headers of the request, with the signature.
    pub headers: &'a HeaderMap,
    /// The whole body, which the signature covers.
    pub body: &'a Bytes,
}

/// Verified data; only a provider's verifier creates it.
#[derive(Debug)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    pub(crate) fn new(vouched: T) -> Self {
        Self(vouched)
    }

    /// Returns the data, whose sender is now known to be the provider.
    pub fn into_inner(self) -> T {
        self.0
    }
}

/// The event in a webhook.
#[derive(Debug, Clone, PartialEq)]
pub enum WebhookEvent {
    /// A contact sent a message.
    Message(Arrival),
    /// One of our messages has a new status.
    MessageStatus(StatusReport),
    /// A call needs instructions, or has a new status.
    Call(CallEvent),
    /// The provider reports an error or a warning about the account.
    Alert,
    /// A properly signed test of the route: it has [`PROBE_PARAMETER`] in its query.
    Probe,
}

/// A reason for rejecting a request. None of them reveals the valid signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no signature.
    #[error("the request has no signature")]
    Unsigned,
    /// The signature matches none of the URLs with any of the tokens.
    #[error("the signature is not valid: {0}")]
    BadSignature(String),
    /// The signature is valid, but for a different account.
    #[error("the request is for a different account")]
    WrongAccount,
    /// The signature is valid, but the fields are not split as the provider splits them: text was moved between them.
    #[error("its signature is genuine, but its fields were rearranged: {0}")]
    Tampered(String),
    /// The signature is valid, but the content is not readable.
    #[error("the request cannot be read: {0}")]
    Malformed(String),
}

/// The gateway's decision about an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventOutcome {
    /// It is stored, and needs no answer.
    Acknowledged,
    /// The call is not answered.
    CallDeclined,
}

/// The answer to a webhook, in the provider's format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookAnswer {
    /// Value of `Content-Type`, which is always sent.
    pub content_type: &'static str,
    /// Body in the provider's format, such as TwiML.
    pub body: Cow<'static, str>,
}

/// A part to send.
#[derive(Clone, Copy)]
pub struct Outgoing<'a> {
    /// Our number or messaging service.
    pub from: &'a Sender,
    /// Number of the recipient.
    pub to: &'a PhoneNumber,
    /// Text of this part; may be empty with media.
    pub text: &'a str,
    /// Attachments, as URLs that the provider can fetch.
    pub media: &'a [String],
    /// Our id of the part; returned in its reports if `status_url` is set.
    pub correlation_id: &'a str,
    /// URL for status reports, without the correlation id; none if the provider cannot reach us.
    pub status_url: Option<&'a str>,
}

/// One of our messages in the provider's list. `Debug` hides the text.
#[derive(Clone, PartialEq, Eq)]
pub struct ListedMessage {
    /// Id at the provider.
    pub provider_id: String,
    /// Number that sent it, once it is chosen.
    pub from: Option<String>,
    /// Pool of numbers that sent it, if there is one.
    pub messaging_service: Option<String>,
    /// True if the provider sent it by itself, as it answers STOP and HELP.
    pub is_automatic: bool,
    /// Text as sent, including any prefix that the provider added.
    pub text: String,
    /// Number of attached files.
    pub media: u32,
    /// Status at the time of the request.
    pub status: Status,
    /// Time when the provider created it (in whole seconds).
    pub created: Timestamp,
    /// Error code, after a failure.
    pub error_code: Option<u32>,
    /// True if that code means that the contact opted out at the provider.
    pub is_opt_out: bool,
    /// Segments as counted by the provider, if it says.
    pub segments: Option<u32>,
    /// Price, once the provider knows it.
    pub price: Option<Price>,
}

impl std::fmt::Debug for ListedMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listed")
            .field("provider_id", &self.provider_id)
            .field("status", &self.status)
            .field("created", &self.created)
            .finish_non_exhaustive()
    }
}

impl ListedMessage {
    /// Returns true if a line with these addresses can have sent it: a different number or pool of the account may have
    /// sent the same text.
    pub fn can_be_from(&self, addresses: &[String]) -> bool {
        self.messaging_service.as_ref().or(self.from.as_ref()).is_none_or(|address| addresses.contains(address))
    }

    /// Returns the provider's charge, once it is known.
    pub fn billed(&self) -> Option<Billed> {
        let price = self.price?;
        Some(Billed { provider_id: self.provider_id.clone(), price, segments: self.segments })
    }
}

/// A failed request to the provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// The request was never sent: no address, no connection, no TLS.
    #[error("cannot reach {server}: {cause}")]
    Unreachable {
        /// Host, and port if it is not the usual one.
        server: String,
        /// Error of the lookup, the connection or TLS.
        cause: String,
    },
    /// The request was sent and there was no answer.
    #[error("no answer from {server}: {cause}")]
    NoAnswer {
        /// Host, and port if it is not the usual one.
        server: String,
        /// Error of the connection, or the time that passed.
        cause: String,
    },
    /// The answer is not as expected.
    #[error("the answer is not usable: {cause}")]
    Unreadable {
        /// The part of the answer that is missing or wrong.
        cause: String,
    },
    /// The provider rejected the request.
    #[error("{sentence}")]
    Refused {
        /// HTTP status of the answer, 400 or more.
        http_status: u16,
        /// Error code, if there is one.
        code: Option<u32>,
        /// Description, in our words.
        sentence: String,
        /// Hint for the operator.
        hint: String,
        /// The next step that the error code allows.
        disposition: Disposition,
        /// True if the recipient opted out of this sender.
        is_opt_out: bool,
    },
}

impl ProviderError {
    /// Returns the next step.
    pub fn disposition(&self) -> Disposition {
        match self {
            ProviderError::Unreachable { .. } => Disposition::Retry { after: None },
            ProviderError::NoAnswer { .. } | ProviderError::Unreadable { .. } => Disposition::Unknown,
            ProviderError::Refused { disposition, .. } => *disposition,
        }
    }

    /// Returns the provider's error code, if there is one.
    pub fn code(&self) -> Option<u32> {
        match self {
            ProviderError::Refused { code, .. } => *code,
            _ => None,
        }
    }

    /// Returns true if the provider itself reported that it does not exist. A bare 404 may come from a proxy.
    pub fn is_not_found(&self) -> bool {
        matches!(self, ProviderError::Refused { http_status: 404, code: Some(_), .. })
    }

    /// Returns true if the provider itself rejected the credentials. A bare 401 may come from a proxy.
    pub fn is_unauthorized(&self) -> bool {
        matches!(self, ProviderError::Refused { http_status: 401, code: Some(_), .. })
    }

    /// Returns true if the recipient opted out of this sender.
    pub fn is_opt_out(&self) -> bool {
        matches!(self, ProviderError::Refused { is_opt_out: true, .. })
    }

    /// Returns true if the provider has finished the request: it answered itself, and not because a backend timed out
    /// (408 and 504).
    pub fn was_answered(&self) -> bool {
        matches!(self, ProviderError::Refused { http_status, .. } if !matches!(http_status, 408 | 504))
    }

    /// Returns description and hint together.
    pub fn with_hint(&self) -> String {
        let happened = self.to_string();
        let mark = if happened.ends_with('.') { "" } else { ";" };
        format!("{happened}{mark} {}", self.hint())
    }

    /// Returns the hint for the operator.
    pub fn hint(&self) -> &str {
        match self {
            ProviderError::Refused { hint, .. } => hint,
            ProviderError::Unreadable { .. } => {
                "check twilio.apiBaseUrl, and what may answer in Twilio's place: a proxy, a captive portal"
            }
            _ => "check this machine's internet connection, and twilio.apiBaseUrl if it is set",
        }
    }
}
