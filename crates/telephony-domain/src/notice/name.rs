//! Names of notices. A notice with the name of one that holds replaces it, so messages with one cause share a name.

use super::Notice;
use crate::id::ConversationId;
use crate::limit::Limit;

/// [`Notice::NotStoring`].
pub const STORAGE: &str = "storage";

/// [`Notice::TunnelDown`].
pub const TUNNEL: &str = "tunnel";

/// [`Notice::AccountStopped`].
pub const ACCOUNT_STOPPED: &str = "account-stopped";

/// [`Notice::Unanswered`].
pub const UNANSWERED: &str = "unanswered";

/// Start of the names of notices about limits; the rest is the cause that a part waits for.
pub const LIMIT: &str = "limit-";

/// Cause of a part that the provider delayed for long: [`Notice::ProviderCapReached`].
pub const DAILY_CAP: &str = "daily-cap";

/// Start of the names of [`Notice::QueueFull`]; the rest is the line.
pub const QUEUE_FULL: &str = "queue-full-";

/// Start of the names of [`Notice::SenderUnanswerable`]; the rest is the sender, or `*` for all others.
pub const TEXT_FROM: &str = "text-from-";

/// Start of the names of [`Notice::ChannelUnsupported`]; the rest is the channel, or `*` for all others.
pub const BY_CHANNEL: &str = "by-channel-";

/// Start of the names of [`Notice::OptedOutByChannel`]; the rest is the contact, or `*` for all others.
pub const STOP_BY_CHANNEL: &str = "stop-by-channel-";

impl Notice {
    /// Returns the name.
    pub fn name(&self) -> String {
        match self {
            Notice::NotStoring { .. } => STORAGE.to_owned(),
            Notice::StoringAgain { .. } => "storage-failed".to_owned(),
            Notice::JournalDamaged { .. } => "journal-damaged".to_owned(),
            Notice::MessageSkipped => "left-out".to_owned(),
            Notice::Tampered => "recut".to_owned(),
            Notice::TunnelDown { .. } => TUNNEL.to_owned(),
            Notice::TunnelUrlUnknown { webhook } => tunnel_url(webhook),
            Notice::Undelivered { code, .. } => format!("undelivered-{code}"),
            Notice::AccountStopped { .. } => ACCOUNT_STOPPED.to_owned(),
            Notice::GaveUpSending { .. } | Notice::GaveUpWhileStopped => "given-up".to_owned(),
            Notice::SendingUnknown { message, .. } => format!("unknown-{message}"),
            Notice::DailyLimitReached { .. } => limit(Limit::SegmentsPerDay.key()),
            Notice::ContactLimitReached { .. } => limit(Limit::SegmentsPerContactPerDay.key()),
            Notice::ReplyLimitReached { .. } => limit(Limit::RepliesPerContactPer30s.key()),
            Notice::ProviderCapReached { .. } => limit(DAILY_CAP),
            Notice::QueueFull { line, .. } => format!("{QUEUE_FULL}{line}"),
            Notice::Paused { conversation, .. } => paused(*conversation),
            Notice::Unanswered { .. } => UNANSWERED.to_owned(),
            Notice::GaveUpAnswering { .. } => "dead-turns".to_owned(),
            Notice::PairingRequested { contact, .. } => pairing_request(contact),
            Notice::PairingLimitReached { .. } => "strangers-not-answered".to_owned(),
            Notice::SenderUnanswerable { sender, .. } => format!("{TEXT_FROM}{sender}"),
            Notice::MoreSendersUnanswerable => format!("{TEXT_FROM}*"),
            Notice::ChannelUnsupported { channel, .. } => format!("{BY_CHANNEL}{channel}"),
            Notice::MoreChannelsUnsupported => format!("{BY_CHANNEL}*"),
            Notice::OptedOutByChannel { contact, .. } => format!("{STOP_BY_CHANNEL}{contact}"),
            Notice::MoreOptedOutByChannel => format!("{STOP_BY_CHANNEL}*"),
            Notice::CommandNotGenuine => "order-refused".to_owned(),
            Notice::CommandUnchecked => "order-unchecked".to_owned(),
            Notice::WrongPins => "wrong-pins".to_owned(),
            Notice::CallNotPlaced { call, .. } | Notice::CallUnknown { call } => format!("call-{call}"),
        }
    }
}

/// Returns the name of [`Notice::TunnelUrlUnknown`]; a new URL is a new notice.
pub fn tunnel_url(webhook: &str) -> String {
    format!("tunnel-url {webhook}")
}

/// Returns the name of the notice about a limit's key, or about [`DAILY_CAP`].
pub fn limit(waits_for: &str) -> String {
    format!("{LIMIT}{waits_for}")
}

/// Returns the name of [`Notice::Paused`].
pub fn paused(conversation: ConversationId) -> String {
    format!("paused-{conversation}")
}

/// Returns the name of [`Notice::PairingRequested`].
pub fn pairing_request(contact: &str) -> String {
    format!("stranger-{contact}")
}
