//! Notices to the operator: each is a value with a name, a text, and a time for which it is shown.

pub mod name;
pub mod sms;
mod text;

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::{CallId, ConversationId, LineId, MessageId};
use crate::pairing::CODE_VALID_FOR;

/// Time for which a past event is shown, in which a notice is not repeated by SMS, and for which messages to the
/// operator are counted.
pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A notice. It contains no message texts; contacts are whole numbers, because the operator needs them for commands,
/// and a purge masks them. `Display` shows the text, and `Debug` only the name.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Notice {
    /// Messages cannot be stored.
    NotStoring {
        /// Error of the store.
        error: String,
        /// Advice for the operator, such as to free disk space.
        hint: String,
    },
    /// Messages can be stored again.
    StoringAgain {
        /// Number of webhooks that got 503 meanwhile; the gateway fetches their messages.
        rejected: u64,
    },
    /// The journal is damaged.
    JournalDamaged {
        /// Number of damaged places.
        places: usize,
        /// Total length of the damaged places in bytes.
        bytes: u64,
        /// Path of a copy.
        copy: Option<String>,
    },
    /// An incoming message was skipped, because it could not be stored.
    MessageSkipped,
    /// A signed request was rearranged.
    Tampered,
    /// The tunnel is not open.
    TunnelDown {
        /// Name of the tunnel.
        tunnel: String,
        /// Error of the tunnel, with advice for the operator.
        problem: String,
    },
    /// The provider does not have the tunnel's URL.
    TunnelUrlUnknown {
        /// URL of the webhook through the tunnel.
        webhook: String,
    },
    /// Accepted messages do not arrive, for a reason that only the operator can remove.
    Undelivered {
        /// Error code of the provider.
        code: u32,
        /// Meaning of the error code, with advice for the operator.
        explanation: String,
    },
    /// The provider rejects the account, so nothing is sent.
    AccountStopped {
        /// Error code of the provider.
        code: Option<u32>,
        /// Meaning of the error code, with advice for the operator.
        reason: String,
    },
    /// The gateway gave up on sending a message.
    GaveUpSending {
        /// Shown as `out-…`, which `messages --retry` accepts.
        message: MessageId,
        /// Number of the recipient.
        contact: String,
        /// Time since the first attempt.
        hours: u64,
        /// Failure of the last attempt.
        reason: String,
    },
    /// Messages failed that had waited for a day while sending was stopped.
    GaveUpWhileStopped,
    /// It stays unknown whether a message was sent.
    SendingUnknown {
        /// Shown as `out-…`, which `messages --retry` accepts.
        message: MessageId,
        /// Number of the recipient.
        contact: String,
    },
    /// The daily limit is reached.
    DailyLimitReached {
        /// Maximum number of segments.
        most: u32,
    },
    /// The daily limit of a contact is reached.
    ContactLimitReached {
        /// Maximum number of segments.
        most: u32,
        /// Number of the contact.
        contact: String,
        /// True if the operator approved the contact.
        is_approved: bool,
    },
    /// The limit on quick replies to a contact is reached.
    ReplyLimitReached {
        /// Maximum number of replies.
        most: u32,
        /// Number of the contact.
        contact: String,
    },
    /// The provider accepts nothing more for hours.
    ProviderCapReached {
        /// Meaning of the provider's error code.
        reason: String,
    },
    /// A line's queue is full.
    QueueFull {
        /// Id of the line in the store.
        line: LineId,
        /// Its number or messaging service.
        sender: String,
        /// Segments of all parts that wait on the line.
        segments: u32,
    },
    /// A conversation that looks like two machines is paused.
    Paused {
        /// Id of the conversation in the store.
        conversation: ConversationId,
        /// Number of the contact.
        contact: String,
        /// True if the operator approved the contact.
        is_approved: bool,
    },
    /// A contact waits long for an answer.
    Unanswered {
        /// Number of the contact.
        contact: String,
        /// Failure of the agent's last attempt.
        reason: String,
    },
    /// The gateway gave up on answering a message.
    GaveUpAnswering {
        /// Number of the contact who sent it.
        contact: String,
        /// Failure of the agent's last attempt.
        reason: String,
    },
    /// A stranger asks to be approved.
    PairingRequested {
        /// Number of the stranger.
        contact: String,
        /// Code of the request.
        code: String,
    },
    /// The limit on pairing replies is reached.
    PairingLimitReached {
        /// Pairing replies within a day.
        sent: u32,
    },
    /// A text came from a short code or a name.
    SenderUnanswerable {
        /// The short code or name.
        sender: String,
        /// True for a short code.
        is_short_code: bool,
        /// True for more than one text.
        is_several: bool,
    },
    /// Texts came from more short codes and names.
    MoreSendersUnanswerable,
    /// A message came on an unsupported channel.
    ChannelUnsupported {
        /// Prefix of the sender's address, such as `whatsapp`.
        channel: String,
        /// Sender of the last message.
        sender: String,
        /// True for more than one message.
        is_several: bool,
    },
    /// Messages came on more unsupported channels.
    MoreChannelsUnsupported,
    /// A contact sent STOP on an unsupported channel.
    OptedOutByChannel {
        /// Number of the contact.
        contact: String,
        /// Prefix of the contact's address, such as `whatsapp`.
        channel: String,
    },
    /// More contacts sent STOP on an unsupported channel.
    MoreOptedOutByChannel,
    /// The provider has no message that contains this command.
    CommandNotGenuine,
    /// The provider does not let us check a command.
    CommandUnchecked,
    /// Callers entered too many wrong PINs.
    WrongPins,
    /// A call was not placed.
    CallNotPlaced {
        /// Id that `telephony calls` accepts.
        call: CallId,
        /// The reason why it was not placed.
        reason: String,
    },
    /// It stays unknown whether a call was placed.
    CallUnknown {
        /// Id that `telephony calls` accepts.
        call: CallId,
    },
}

impl Notice {
    /// Returns the time until it ends by itself; none if it concerns an ongoing problem and has to be ended.
    pub fn lasts(&self) -> Option<Duration> {
        match self {
            Notice::NotStoring { .. }
            | Notice::TunnelDown { .. }
            | Notice::AccountStopped { .. }
            | Notice::DailyLimitReached { .. }
            | Notice::ContactLimitReached { .. }
            | Notice::ReplyLimitReached { .. }
            | Notice::ProviderCapReached { .. }
            | Notice::QueueFull { .. }
            | Notice::Paused { .. } => None,
            Notice::PairingRequested { .. } => Some(CODE_VALID_FOR),
            _ => Some(DAY),
        }
    }

    /// Returns true if it is worth an SMS. A short wait is not, and the provider would not accept one about itself.
    pub fn is_by_sms(&self) -> bool {
        !matches!(
            self,
            Notice::AccountStopped { .. } | Notice::ReplyLimitReached { .. } | Notice::ProviderCapReached { .. }
        )
    }
}

impl fmt::Debug for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Notice").field(&self.name()).finish()
    }
}
