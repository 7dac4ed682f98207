//! What the gateway asks of a phone company; each company answers in a folder of its own.

use std::borrow::Cow;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Method};
use telephony_domain::call::report::CallEvent;
use telephony_domain::delivery::{Receipt, Status, StatusReport};
use telephony_domain::line::Sender;
use telephony_domain::message::Arrival;
use telephony_domain::money::{Billed, Price};
use telephony_domain::number::PhoneNumber;
use telephony_domain::retry::Disposition;
use telephony_domain::time::Timestamp;

use crate::route::Routes;

/// Name of the query parameter by which a gateway knows a request that was signed on this machine to test the way.
pub const PROBE_PARAMETER: &str = "openclaw-probe";

/// A phone company.
#[async_trait]
pub trait Provider: Webhooks + Routes {
    /// Hands one part over. An `Ok` means the provider has it; see [`ProviderError::disposition`] for the rest.
    async fn send(&self, part: Outgoing<'_>) -> Result<Receipt, ProviderError>;

    /// Asks for something cheap, to find out whether the provider serves the account. A key that may not read but may send
    /// is served, as far as this can show.
    async fn probe(&self) -> Result<(), ProviderError>;

    /// The time by the provider's clock: what it does from now on bears no earlier one. None before its first answer.
    fn time(&self) -> Option<Timestamp>;

    /// Our messages to `to` that the provider created at or after `since`, newest first, complete.
    async fn recent(&self, to: &PhoneNumber, since: Timestamp) -> Result<Vec<Listed>, ProviderError>;

    /// Messages from contacts to our number `to` that the provider took at or after `since`, newest first, complete.
    async fn received(&self, to: &str, since: Timestamp) -> Result<Vec<Arrival>, ProviderError>;

    /// The message with this provider id as the provider has it now.
    async fn fetch(&self, provider_id: &str) -> Result<Listed, ProviderError>;

    /// The numbers of ours that `sender` sends from and gets messages to: its own, and those of its pool.
    async fn numbers_of(&self, sender: &Sender) -> Result<Vec<String>, ProviderError>;

    /// The message from a contact with this provider id as the provider has it, without attachments; none where it has no
    /// such message.
    async fn received_message(&self, provider_id: &str) -> Result<Option<Arrival>, ProviderError>;

    /// What messages cost, either way, that left or came at or after `since`; those whose price the provider does not know
    /// yet are left out.
    async fn billed(&self, since: Timestamp) -> Result<Vec<Billed>, ProviderError>;

    /// What is left on the account.
    async fn balance(&self) -> Result<Price, ProviderError>;

    /// Messages that the account has from `contact` and to them, no more than `at_most` each way, the newest first.
    async fn messages_with(&self, contact: &PhoneNumber, at_most: usize) -> Result<MessagesWith, ProviderError>;

    /// Deletes the message with this provider id, either way it went, and its attachments where it has any.
    async fn delete(&self, provider_id: &str, has_media: bool) -> Result<Deletion, ProviderError>;

    /// An attachment of a message that came in: its bytes, no more than `at_most`. It is fetched once, from where the
    /// provider keeps attachments and from nowhere else; whether to try again is the caller's to decide.
    async fn attachment(&self, provider_id: &str, url: &str, at_most: usize) -> Result<Bytes, AttachmentError>;

    /// Whether `number` is one of the account's own.
    async fn owns(&self, number: &str) -> Result<bool, ProviderError>;
}

/// Why an attachment could not be had; in words that may be shown to whoever answers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttachmentError {
    /// It may be there later.
    #[error("{0}")]
    NotYet(String),
    /// It is larger than was asked for.
    #[error("it is too large")]
    TooLarge,
    /// It will never be had.
    #[error("{0}")]
    Never(String),
}

/// What the provider has of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessagesWith {
    /// The messages.
    pub messages: Vec<StoredMessage>,
    /// Whether there are no more.
    pub is_complete: bool,
}

/// A message as far as whoever deletes it has to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// The provider's id of the message.
    pub provider_id: String,
    /// Whether they wrote it, or we.
    pub is_from_contact: bool,
    /// The number on our side, once it is chosen.
    pub ours: Option<String>,
    /// The pool of numbers on our side, if it is one.
    pub messaging_service: Option<String>,
    /// Whether files go with it.
    pub has_media: bool,
}

/// What became of a message that was to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// The provider has it no more, or never had it.
    Gone,
    /// It is still on its way; the provider deletes it only afterwards.
    TooEarly,
}

/// The provider's side of the public listener: cheap, synchronous, no I/O.
pub trait Webhooks: Send + Sync {
    /// The provider's name, as in `channels.telephony.provider`.
    fn name(&self) -> &'static str;

    /// Whether the headers carry a signature at all; without one the body is not read.
    fn is_signed(&self, headers: &HeaderMap) -> bool;

    /// Checks the signature, then that the account is ours, then reads the event.
    /// The only way from a request to a [`Verified`] event.
    fn verify(&self, request: &Unverified<'_>) -> Result<Verified<Event>, Rejection>;

    /// What an error code in a report means and what the operator can do about it; none for codes we do not know.
    fn explain(&self, code: u32) -> String;

    /// Returns true if an error code in a report concerns the account or the sender: other messages fail too until the
    /// operator fixes something.
    fn calls_for_operator(&self, code: u32) -> bool;

    /// Words the answer to a webhook, as the gateway has decided about it.
    fn answer(&self, outcome: Outcome) -> Answer;
}

/// Terms on which a call's documents are spoken and answered.
#[derive(Debug, Clone, Copy)]
pub struct CallTerms<'a> {
    /// The language of both sides, as a BCP 47 tag such as `en-US`.
    pub language: &'a str,
    /// The provider's name for a voice; none for its own choice.
    pub voice: Option<&'a str>,
    /// Words that the recognizer should expect.
    pub hints: &'a [String],
    /// Seconds without a sound, or between two keys, after which listening ends.
    pub silence_seconds: u32,
    /// The URL of the next document.
    pub next_url: &'a str,
}

/// A request to the public listener that nobody has vouched for.
#[derive(Debug, Clone, Copy)]
pub struct Unverified<'a> {
    /// The request's method.
    pub method: &'a Method,
    /// The URLs that the provider may have called, likeliest first, each with the request's query.
    pub urls: &'a [String],
    /// The request's query string, without `?`.
    pub query: &'a str,
    /// The request's headers.
    pub headers: &'a HeaderMap,
    /// The whole body.
    pub body: &'a Bytes,
}

/// Something the provider vouched for; only a provider's verifier makes one.
#[derive(Debug)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    pub(crate) fn new(vouched: T) -> Self {
        Self(vouched)
    }

    /// What was vouched for.
    pub fn into_inner(self) -> T {
        self.0
    }
}

/// What a webhook says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A contact sent a message.
    Message(Arrival),
    /// One of our messages has come further.
    MessageStatus(StatusReport),
    /// A call wants to know how it goes on, or has come further.
    Call(CallEvent),
    /// The provider reports an error or a warning of the account.
    Alert,
    /// Signed properly, and only a test of the way: it has [`PROBE_PARAMETER`] in its query.
    Probe,
}

/// Why a request is not believed. None of it says what a valid signature would be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no signature.
    #[error("the request carries no signature")]
    Unsigned,
    /// The signature fits none of the URLs with any of the tokens.
    #[error("the signature is not valid: {0}")]
    BadSignature(String),
    /// Signed properly, but for an account that is not ours.
    #[error("the request is for another account")]
    WrongAccount,
    /// Signed properly, but its fields are not cut as the provider cuts them: somebody moved text between them.
    #[error("its signature is genuine, but its fields were rearranged: {0}")]
    Recut(String),
    /// Signed properly, but it cannot be read.
    #[error("the request cannot be read: {0}")]
    Malformed(String),
}

/// The gateway's decision about an event that it has taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is kept, and there is nothing to say.
    Acknowledged,
    /// The call is not answered.
    CallDeclined,
}

/// The answer to a webhook, in the provider's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The `Content-Type`; always sent.
    pub content_type: &'static str,
    /// The body.
    pub body: Cow<'static, str>,
}

/// One part on its way out.
#[derive(Clone, Copy)]
pub struct Outgoing<'a> {
    /// Who we are.
    pub from: &'a Sender,
    /// Who receives it.
    pub to: &'a PhoneNumber,
    /// The text.
    pub text: &'a str,
    /// Attachments, as URLs the provider can fetch.
    pub media: &'a [String],
    /// Our name for the part; comes back in its reports where `status_url` is set.
    pub correlation_id: &'a str,
    /// The URL for status reports, without the correlation id; none if we cannot be reached.
    pub status_url: Option<&'a str>,
}

/// One of our messages as the provider lists it. `Debug` hides the text.
#[derive(Clone, PartialEq, Eq)]
pub struct Listed {
    /// The provider's id of the message.
    pub provider_id: String,
    /// The number that it went out from, once that is chosen.
    pub from: Option<String>,
    /// The pool of numbers that it went out from, if it did.
    pub messaging_service: Option<String>,
    /// The text that was sent, with what the provider put in front.
    pub text: String,
    /// How many files went with it.
    pub media: u32,
    /// How far it is.
    pub status: Status,
    /// When the provider created it (it counts whole seconds).
    pub created: Timestamp,
    /// The provider's error code, where it failed.
    pub error_code: Option<u32>,
    /// That code means that the contact opted out at the provider.
    pub is_opt_out: bool,
    /// Segments as the provider counted them, where it has.
    pub segments: Option<u32>,
    /// What it cost, once the provider knows.
    pub price: Option<Price>,
}

impl std::fmt::Debug for Listed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listed")
            .field("provider_id", &self.provider_id)
            .field("status", &self.status)
            .field("created", &self.created)
            .finish_non_exhaustive()
    }
}

impl Listed {
    /// Whether `sender` can have sent it: another number or pool of the account may have said the same.
    pub fn can_be_from(&self, sender: &Sender) -> bool {
        if self.messaging_service != sender.messaging_service {
            return false;
        }
        match (&sender.messaging_service, &sender.number, &self.from) {
            (None, Some(ours), Some(from)) => from == ours.as_str(),
            _ => true,
        }
    }

    /// What the provider took for it, once it knows.
    pub fn billed(&self) -> Option<Billed> {
        let price = self.price?;
        Some(Billed { provider_id: self.provider_id.clone(), price, segments: self.segments })
    }
}

/// Why the provider did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// The request never left: no address, no connection, no TLS.
    #[error("could not reach the provider: {cause}")]
    Unreachable {
        /// What failed.
        cause: String,
    },
    /// The request left and no answer came back.
    #[error("no answer from the provider: {cause}")]
    NoAnswer {
        /// What failed.
        cause: String,
    },
    /// An answer came that does not say what it should.
    #[error("the provider's answer cannot be used: {cause}")]
    Unreadable {
        /// What is wrong with it.
        cause: String,
    },
    /// The provider answered no.
    #[error("{sentence}")]
    Refused {
        /// The HTTP status of the answer.
        http_status: u16,
        /// The provider's error code, where it gave one.
        code: Option<u32>,
        /// What happened, in our words.
        sentence: String,
        /// What the operator can do about it.
        hint: String,
        /// What it means for the next attempt.
        disposition: Disposition,
        /// The recipient wants nothing more from this sender.
        is_opt_out: bool,
    },
}

impl ProviderError {
    /// What may be done next.
    pub fn disposition(&self) -> Disposition {
        match self {
            ProviderError::Unreachable { .. } => Disposition::Retry { after: None },
            ProviderError::NoAnswer { .. } | ProviderError::Unreadable { .. } => Disposition::Unknown,
            ProviderError::Refused { disposition, .. } => *disposition,
        }
    }

    /// The provider's error code, where it gave one.
    pub fn code(&self) -> Option<u32> {
        match self {
            ProviderError::Refused { code, .. } => *code,
            _ => None,
        }
    }

    /// Returns true if the provider itself said that there is no such thing. A bare 404 may be a proxy's.
    pub fn is_not_found(&self) -> bool {
        matches!(self, ProviderError::Refused { http_status: 404, code: Some(_), .. })
    }

    /// Returns true if the provider itself refused the credentials. A bare 401 may be a proxy's.
    pub fn is_unauthorized(&self) -> bool {
        matches!(self, ProviderError::Refused { http_status: 401, code: Some(_), .. })
    }

    /// Whether the recipient wants nothing more from this sender.
    pub fn is_opt_out(&self) -> bool {
        matches!(self, ProviderError::Refused { is_opt_out: true, .. })
    }

    /// Whether the provider is done with the request: it answered itself, and not for a part of it that it waited for in
    /// vain (408 and 504).
    pub fn was_answered(&self) -> bool {
        matches!(self, ProviderError::Refused { http_status, .. } if !matches!(http_status, 408 | 504))
    }

    /// What happened and what to do about it, in one go.
    pub fn with_hint(&self) -> String {
        let happened = self.to_string();
        let mark = if happened.ends_with('.') { "" } else { ";" };
        format!("{happened}{mark} {}", self.hint())
    }

    /// What the operator can do about it.
    pub fn hint(&self) -> &str {
        match self {
            ProviderError::Refused { hint, .. } => hint,
            ProviderError::Unreadable { .. } => {
                "check twilio.apiBaseUrl, and what may answer in Twilio's place: a proxy, a captive portal"
            }
            _ => "check this machine's connection to the internet; the message is kept",
        }
    }
}
