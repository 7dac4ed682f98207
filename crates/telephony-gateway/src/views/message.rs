//! Messages in lists, one message with its history, a message that is being sent, and turns without an answer.

use std::collections::HashMap;
use std::path::PathBuf;

use serde::Serialize;
use telephony_domain::id::LineId;
use telephony_providers::provider::Webhooks;
use telephony_store::Store;
use telephony_store::attachments::{Attachment, AttachmentState};
use telephony_store::history::{Attempt, EntryId, EntryState, MessageDetail, MessageEntry};
use telephony_store::inbox::FailedTurn;
use telephony_store::outbox::{ExpectedStart, Progress};

use super::part::PartView;
use super::time::TimeView;

/// A message in a list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageView {
    /// Our id, such as `in-7` or `out-7`.
    pub id: String,
    /// `inbound` or `outbound`.
    pub direction: &'static str,
    /// Name of the line; none if it is not known to be ours.
    pub line: Option<String>,
    /// Number, short code or name of the contact.
    pub contact: String,
    /// Time when it arrived or was queued.
    pub time: TimeView,
    /// State in the inbox or the outbox.
    pub state: String,
    /// Status at the provider, of an outgoing message.
    pub status: Option<&'static str>,
    /// Purpose of an outgoing message.
    pub purpose: Option<&'static str>,
    /// Billed segments of an outgoing message.
    pub segments: Option<u32>,
    /// Error code of the provider.
    pub code: Option<u32>,
    /// Cause of the state, in words.
    pub why: Option<String>,
    /// Number of attachments.
    pub media: u32,
    /// Text as the contact wrote it or reads it.
    pub text: String,
}

/// A message with its full history.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageDetailView {
    /// The message as in a list.
    pub message: MessageView,
    /// Id of an incoming message at the provider.
    pub sid: Option<String>,
    /// Turn that the message belongs to.
    pub turn: Option<i64>,
    /// Attachments, in the sender's order.
    pub media: Vec<AttachmentView>,
    /// Other recipients of an incoming group message.
    pub also_to: Vec<String>,
    /// Parts of an outgoing message, in order.
    pub parts: Vec<PartView>,
    /// Attempts to answer or to send it, oldest first.
    pub attempts: Vec<AttemptView>,
}

/// An attachment of an incoming or outgoing message.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AttachmentView {
    /// Media type; may be empty.
    pub content_type: String,
    /// Address of a file that is not ours.
    pub url: Option<String>,
    /// Path of a file that is stored.
    pub file: Option<PathBuf>,
    /// Size of a stored file in bytes.
    pub size: Option<u64>,
    /// The reason why there is no file, if it could not be fetched.
    pub unavailable: Option<String>,
}

/// An attempt to answer or to send a message.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AttemptView {
    /// Position of the part, from 1; 0 for an attempt to answer.
    pub part: u32,
    /// Time when the attempt began.
    pub started_at: TimeView,
    /// End, if it has ended.
    pub ended_at: Option<TimeView>,
    /// Outcome in one word.
    pub outcome: String,
    /// Error code of the provider.
    pub code: Option<u32>,
    /// Cause of a failure.
    pub reason: Option<String>,
}

/// A message that was just queued.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QueuedMessageView {
    /// Our id, such as `out-7`.
    pub id: String,
    /// Number of the recipient.
    pub to: String,
    /// Billed segments of all parts.
    pub segments: u32,
    /// Expected departure, if it does not leave at once.
    pub expected_at: Option<TimeView>,
    /// Cause of a late departure, as in [`PartView::waits_for`].
    pub waits_for: Option<String>,
    /// Parts, in order.
    pub parts: Vec<PartView>,
}

/// A turn that the agent could not answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FailedTurnView {
    /// Our id, which `messages --retry` accepts.
    pub turn: i64,
    /// Number of the contact who waits.
    pub contact: String,
    /// `parked` or `dead`.
    pub state: &'static str,
    /// Attempts so far.
    pub attempts: u32,
    /// Cause of the last failure.
    pub reason: String,
    /// Time when its first message arrived.
    pub received_at: TimeView,
    /// Time of the next attempt; none for a dead turn.
    pub next_attempt_at: Option<TimeView>,
}

impl MessageView {
    /// Converts a stored message; `names` holds the names of the lines.
    pub fn of(entry: &MessageEntry, names: &HashMap<LineId, String>) -> Self {
        let mut message = Self {
            id: entry.id.to_string(),
            direction: if matches!(entry.id, EntryId::In(_)) { "inbound" } else { "outbound" },
            line: entry.line.and_then(|line| names.get(&line)).cloned(),
            contact: entry.contact.clone(),
            time: TimeView(entry.time),
            state: String::new(),
            status: None,
            purpose: None,
            segments: None,
            code: None,
            why: None,
            media: entry.media,
            text: entry.text.clone(),
        };
        match &entry.standing {
            EntryState::In { state, why } => {
                message.state = state.clone();
                message.why = why.clone();
            }
            EntryState::Out { purpose, state, status, segments, code, reason } => {
                message.state = state.as_str().to_owned();
                message.status = status.map(|status| status.as_str());
                message.purpose = Some(purpose.as_str());
                message.segments = Some(*segments);
                message.code = *code;
                message.why = reason.clone();
            }
        }
        message
    }
}

impl MessageDetailView {
    /// Converts a message of `store`; `names` holds the names of the lines.
    pub fn of(
        detail: &MessageDetail,
        store: &dyn Store,
        provider: &dyn Webhooks,
        names: &HashMap<LineId, String>,
    ) -> Self {
        Self {
            message: MessageView::of(&detail.entry, names),
            sid: detail.provider_id.clone(),
            turn: detail.turn.map(|turn| turn.0),
            media: detail.media.iter().map(|media| AttachmentView::of(media, store)).collect(),
            also_to: detail.also_to.clone(),
            parts: detail.parts.iter().map(|part| PartView::of(part, provider)).collect(),
            attempts: detail.attempts.iter().map(AttemptView::of).collect(),
        }
    }
}

impl AttachmentView {
    fn of(attachment: &Attachment, store: &dyn Store) -> Self {
        let (file, unavailable) = match &attachment.state {
            AttachmentState::Kept(file) => (Some(file), None),
            AttachmentState::Unavailable(reason) => (None, Some(reason.clone())),
            AttachmentState::Elsewhere => (None, None),
        };
        Self {
            content_type: attachment.content_type.clone(),
            url: attachment.url.clone(),
            file: file.map(|file| store.path_of(&file.name)),
            size: file.map(|file| file.size),
            unavailable,
        }
    }
}

impl AttemptView {
    fn of(attempt: &Attempt) -> Self {
        Self {
            part: attempt.part,
            started_at: TimeView(attempt.started),
            ended_at: attempt.ended.map(TimeView),
            outcome: attempt.outcome.clone(),
            code: attempt.code,
            reason: attempt.reason.clone(),
        }
    }
}

impl QueuedMessageView {
    /// Converts a queued message to `to`.
    pub fn of(progress: &Progress, to: String, expected: Option<ExpectedStart>, provider: &dyn Webhooks) -> Self {
        Self {
            id: EntryId::Out(progress.message).to_string(),
            to,
            segments: progress.parts.iter().map(|part| part.segments).sum(),
            expected_at: expected.as_ref().map(|expected| TimeView(expected.at)),
            waits_for: expected.and_then(|expected| expected.waits_for),
            parts: progress.parts.iter().map(|part| PartView::of(part, provider)).collect(),
        }
    }
}

impl FailedTurnView {
    /// Converts a stored turn.
    pub fn of(turn: &FailedTurn) -> Self {
        Self {
            turn: turn.turn.0,
            contact: turn.contact.to_string(),
            state: if turn.is_dead { "dead" } else { "parked" },
            attempts: turn.attempts,
            reason: turn.reason.clone(),
            received_at: TimeView(turn.received),
            next_attempt_at: turn.next_attempt.map(TimeView),
        }
    }
}
