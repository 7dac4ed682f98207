//! Messages both ways: what arrived from a contact, and what is to be sent to one.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::address::{Origin, without_channel};
use crate::id::TurnId;
use crate::number::{PhoneNumber, mask};
use crate::time::Timestamp;

/// A message from a contact, as the provider vouched for it. `Debug` hides text and numbers.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// The provider's id of the message; the same message always has the same id.
    pub provider_id: String,
    /// The sender's canonical address ([`crate::address::canonical`]): mostly E.164, but also short codes, names and users
    /// of other channels.
    pub from: String,
    /// Which of our numbers it was sent to.
    pub to: String,
    /// The messaging service that received it, by the provider's id.
    pub messaging_service: Option<String>,
    /// The text, byte for byte.
    pub text: String,
    /// Pictures and other attachments, still at the provider.
    pub media: Vec<Media>,
    /// Who else it was sent to: empty unless it came to a group.
    pub also_to: Vec<String>,
    /// The provider's own reading of a consent keyword: `STOP`, `START` or `HELP`.
    pub opt_out_type: Option<String>,
    /// When the provider took it, where it says so: its lists do, webhooks do not, and come at once.
    #[serde(rename = "taken")]
    pub provider_time: Option<Timestamp>,
    /// The signed content; none for messages from the provider's lists, which are not signed.
    pub signed: Option<Signed>,
}

/// A provider's signature, and what it was taken to say. Some providers sign a text that can be read in several ways: of
/// those that come with the same signature, only the first counts. `Debug` hides both.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// The signature as it came.
    pub signature: String,
    /// A digest of all fields as they were cut.
    pub content: String,
}

impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed").finish_non_exhaustive()
    }
}

impl Arrival {
    /// The kind of sender.
    pub fn origin(&self) -> Origin {
        Origin::of(&self.from)
    }

    /// Returns true if it came to an address of a channel that is no number of a line, such as an RCS agent.
    pub fn is_to_channel(&self) -> bool {
        without_channel(&self.to) != self.to
    }

    /// When it came, which is `now` unless the provider says otherwise; never later.
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

/// An attachment that the provider holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// Where it can be fetched, with the account's credentials.
    pub url: String,
    /// What the provider says it is, such as `image/jpeg`.
    pub content_type: String,
}

/// Why a message is sent; it decides who may receive it and how it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// The agent's answer to a turn.
    Reply,
    /// Asked for by the operator or by an agent's tool.
    Send,
    /// Tells a stranger the pairing code.
    Pairing,
    /// Tells a contact that the operator approved them.
    Approval,
    /// Tells a contact that no agent can answer just now.
    Unavailable,
    /// Tells the operator something.
    Notice,
    /// Answers an order of the operator's.
    OperatorCommand,
}

impl Purpose {
    /// The word used in the store, in `--json` and on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Purpose::Reply => "reply",
            Purpose::Send => "send",
            Purpose::Pairing => "pairing",
            Purpose::Approval => "approval",
            Purpose::Unavailable => "unavailable",
            Purpose::Notice => "notice",
            Purpose::OperatorCommand => "order",
        }
    }

    /// Whether no person asked for it: a machine at the other end could call forth more of it without end.
    pub fn is_automatic(self) -> bool {
        match self {
            Purpose::Reply | Purpose::Pairing | Purpose::Unavailable | Purpose::OperatorCommand => true,
            Purpose::Send | Purpose::Approval | Purpose::Notice => false,
        }
    }

    /// Whether it is for the operator: what contacts use up must not keep it back. It has bounds of its own
    /// ([`crate::notice::pause_after`], [`crate::order::ANSWERS_PER_DAY`]).
    pub fn is_for_operator(self) -> bool {
        matches!(self, Purpose::Notice | Purpose::OperatorCommand)
    }
}

/// A message to be stored and then sent, already cut into parts. `Debug` hides the text.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    /// Enqueuing the same key again changes nothing: it names the intent, not the text.
    pub key: String,
    /// Why it is sent.
    pub purpose: Purpose,
    /// Who receives it.
    pub to: PhoneNumber,
    /// The whole text, uncut and unnumbered, as lists and the agent's history show it.
    pub text: String,
    /// One request to the provider each, in order; never empty.
    pub parts: Vec<PartDraft>,
    /// What goes with the first part, in order.
    pub media: Vec<OutboundMedia>,
    /// The turn it answers.
    pub turn: Option<TurnId>,
}

/// One part of a [`Draft`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartDraft {
    /// The text as the contact will read it, numbering included.
    pub text: String,
    /// How many segments the carrier will count (at least 1).
    pub segments: u32,
}

/// Something that goes with a message of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum OutboundMedia {
    /// Where the provider can fetch it.
    Url(String),
    /// A file that the provider fetches from us.
    File(ServedFile),
}

/// A file of ours that the provider fetches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServedFile {
    /// The file's name in the store.
    pub name: String,
    /// What it is.
    pub content_type: String,
    /// Its length (bytes).
    pub size: u64,
    /// What whoever fetches it has to know.
    pub token: MediaToken,
}

/// What somebody has to know to fetch a file: one half finds it, the other, of 128 random bits, is compared in constant
/// time. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaToken {
    /// What it is found by.
    pub selector: String,
    /// What is compared.
    pub secret: String,
}

impl MediaToken {
    /// Digits of the half that finds.
    const SELECTOR: usize = 16;

    /// Digits of the whole.
    const LENGTH: usize = 48;

    /// A token made of random bytes.
    pub fn from_random(bytes: [u8; 24]) -> MediaToken {
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let (selector, secret) = digits.split_at(Self::SELECTOR);
        MediaToken { selector: selector.to_owned(), secret: secret.to_owned() }
    }

    /// Reads what somebody says is a token; none for what cannot be one.
    pub fn read(text: &str) -> Option<MediaToken> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let is_token = text.len() == Self::LENGTH && text.bytes().all(is_digit);
        let (selector, secret) = is_token.then(|| text.split_at(Self::SELECTOR))?;
        Some(MediaToken { selector: selector.to_owned(), secret: secret.to_owned() })
    }

    /// The token as it stands in an address.
    pub fn whole(&self) -> String {
        format!("{}{}", self.selector, self.secret)
    }
}

impl fmt::Debug for MediaToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MediaToken").finish_non_exhaustive()
    }
}

impl fmt::Debug for Draft {
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
