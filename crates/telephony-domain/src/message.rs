//! Messages in both directions: those received from a contact, and those to be sent to one.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::address::{SenderOrigin, without_channel};
use crate::id::TurnId;
use crate::number::{PhoneNumber, mask};
use crate::time::Timestamp;

/// A verified message from a contact. `Debug` hides text and numbers.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// Id of the message at the provider, the same each time the message is delivered.
    pub provider_id: String,
    /// The sender's canonical address ([`crate::address::canonical`]): usually E.164, but also short codes, names and
    /// users of other channels.
    pub from: String,
    /// Our number that received it.
    pub to: String,
    /// Id of the messaging service that received it.
    pub messaging_service: Option<String>,
    /// Text as the provider delivered it, unchanged.
    pub text: String,
    /// Attachments, still at the provider.
    pub media: Vec<Media>,
    /// Other recipients; empty unless it was sent to a group.
    pub also_to: Vec<String>,
    /// The provider's classification as a consent keyword: `STOP`, `START` or `HELP`.
    pub opt_out_type: Option<String>,
    /// Time when the provider received it. Its lists have it; webhooks do not, and arrive at once.
    #[serde(rename = "taken")]
    pub provider_time: Option<Timestamp>,
    /// The signed content; none for messages from the provider's lists, which are not signed.
    pub signed: Option<Signed>,
}

/// A provider's signature and our reading of the signed text. Some providers sign a text that can be parsed in several
/// ways; of requests with the same signature, only the first counts. `Debug` hides both.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// Signature as the request's header had it.
    pub signature: String,
    /// Digest of all parsed fields.
    pub content: String,
}

impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed").finish_non_exhaustive()
    }
}

impl Arrival {
    /// Returns the kind of sender.
    pub fn origin(&self) -> SenderOrigin {
        SenderOrigin::of(&self.from)
    }

    /// Returns true if it was sent to an address of a channel that is not a number of a line, such as an RCS agent.
    pub fn is_to_channel(&self) -> bool {
        without_channel(&self.to) != self.to
    }

    /// Returns the time when it was received: the provider's time if known, but never later than `now`.
    pub fn received_at(&self, now: Timestamp) -> Timestamp {
        self.provider_time.map_or(now, |time| time.min(now))
    }
}

impl fmt::Debug for Arrival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arrival")
            .field("provider_id", &self.provider_id)
            .field("from", &mask(&self.from))
            .field("to", &mask(&self.to))
            .field("media", &self.media.len())
            .finish_non_exhaustive()
    }
}

/// An attachment at the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// URL to fetch it from, with the account's credentials.
    pub url: String,
    /// Type according to the provider, such as `image/jpeg`.
    pub content_type: String,
}

/// The reason for sending a message, which decides who may receive it and how it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MessagePurpose {
    /// The agent's answer to a turn.
    Reply,
    /// Requested by the operator or by an agent's tool.
    Send,
    /// Gives a stranger the pairing code.
    Pairing,
    /// Reports the operator's approval to a contact.
    Approval,
    /// Informs a contact that no agent can answer at the moment.
    Unavailable,
    /// Informs the operator about notices.
    Notice,
    /// Answers a command of the operator.
    OperatorCommand,
}

impl MessagePurpose {
    /// Returns the word used in the store, in `--json` and on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            MessagePurpose::Reply => "reply",
            MessagePurpose::Send => "send",
            MessagePurpose::Pairing => "pairing",
            MessagePurpose::Approval => "approval",
            MessagePurpose::Unavailable => "unavailable",
            MessagePurpose::Notice => "notice",
            MessagePurpose::OperatorCommand => "order",
        }
    }

    /// Returns true if no person requested it: a machine at the other end could trigger more of them endlessly.
    pub fn is_automatic(self) -> bool {
        match self {
            MessagePurpose::Reply
            | MessagePurpose::Pairing
            | MessagePurpose::Unavailable
            | MessagePurpose::OperatorCommand => true,
            MessagePurpose::Send | MessagePurpose::Approval | MessagePurpose::Notice => false,
        }
    }

    /// Returns true if it is for the operator, so that contacts cannot use up its limits. It has limits of its own
    /// ([`crate::notice::sms::pause_after`], [`crate::operator_command::ANSWERS_PER_DAY`]).
    pub fn is_for_operator(self) -> bool {
        matches!(self, MessagePurpose::Notice | MessagePurpose::OperatorCommand)
    }
}

/// A message to store and send, already split into parts. `Debug` hides the text.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct MessageDraft {
    /// Idempotency key of the intent: enqueuing it again changes nothing, whatever the text.
    pub key: String,
    /// Reason for sending it.
    pub purpose: MessagePurpose,
    /// Number of the recipient.
    pub to: PhoneNumber,
    /// The whole text without splitting and numbering, as shown in lists and the agent's history.
    pub text: String,
    /// Parts in order, one request to the provider each; never empty.
    pub parts: Vec<PartDraft>,
    /// Attachments of the first part, in order.
    pub media: Vec<OutboundMedia>,
    /// The turn it answers.
    pub turn: Option<TurnId>,
}

/// One part of a [`MessageDraft`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartDraft {
    /// Text as the contact reads it, with its number.
    pub text: String,
    /// Segments that the carrier will count (at least 1).
    pub segments: u32,
}

/// An attachment of an outgoing message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum OutboundMedia {
    /// A URL that the provider can fetch.
    Url(String),
    /// A file that the provider fetches from us.
    File(ServedFile),
}

/// A file that the provider fetches from us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServedFile {
    /// Name of the file in the store.
    pub name: String,
    /// Media type, such as `image/png`.
    pub content_type: String,
    /// Length of the file in bytes.
    pub size: u64,
    /// Token required to fetch it.
    pub token: MediaToken,
}

/// A secret token for fetching a file: one half selects it, the other, of 128 random bits, is compared in constant
/// time. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaToken {
    /// The half that selects the file.
    pub selector: String,
    /// The half that is compared.
    pub secret: String,
}

impl MediaToken {
    /// Hex digits of the selector.
    const SELECTOR: usize = 16;

    /// Hex digits of the whole token.
    const LENGTH: usize = 48;

    /// Creates a token from random bytes.
    pub fn from_random(bytes: [u8; 24]) -> MediaToken {
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let (selector, secret) = digits.split_at(Self::SELECTOR);
        MediaToken { selector: selector.to_owned(), secret: secret.to_owned() }
    }

    /// Parses a token; none if it cannot be one.
    pub fn read(text: &str) -> Option<MediaToken> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let is_token = text.len() == Self::LENGTH && text.bytes().all(is_digit);
        let (selector, secret) = is_token.then(|| text.split_at(Self::SELECTOR))?;
        Some(MediaToken { selector: selector.to_owned(), secret: secret.to_owned() })
    }

    /// Returns the token as it appears in a URL.
    pub fn whole(&self) -> String {
        format!("{}{}", self.selector, self.secret)
    }
}

impl fmt::Debug for MediaToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediaToken").finish_non_exhaustive()
    }
}

impl fmt::Debug for MessageDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft")
            .field("key", &self.key)
            .field("purpose", &self.purpose)
            .field("to", &self.to)
            .field("parts", &self.parts.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for PartDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PartDraft").field("segments", &self.segments).finish_non_exhaustive()
    }
}
