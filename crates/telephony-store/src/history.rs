//! Reading: the message history, for the operator and for agents.

use async_trait::async_trait;
use telephony_domain::delivery::Status;
use telephony_domain::id::{ConversationId, InboundId, LineId, MessageId, TurnId};
use telephony_domain::message::MessagePurpose;
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::attachments::Attachment;
use crate::lines::Line;
use crate::outbox::{PartProgress, PartState};

/// The direction of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From a contact to one of our lines.
    Inbound,
    /// From one of our lines to a contact.
    Outbound,
}

/// A selection of messages.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only this contact or sender, by canonical address; a number also finds the person's messages on other channels.
    pub contact: Option<String>,
    /// Only messages in this direction.
    pub direction: Option<Direction>,
    /// Only messages of this line.
    pub line: Option<LineId>,
    /// Only at or after this time.
    pub since: Option<Timestamp>,
    /// Only before this time.
    pub until: Option<Timestamp>,
    /// Only these states, as in [`MessageEntry::state`]; empty: any.
    pub states: Vec<String>,
    /// Only messages stored after this mark.
    pub after: Option<Mark>,
    /// Largest number, newest first.
    pub limit: u32,
}

impl Filter {
    /// Returns true if the message has one of the wanted states.
    pub fn wants_state(&self, entry: &MessageEntry) -> bool {
        self.states.is_empty() || self.states.iter().any(|state| state == entry.state())
    }
}

/// A point in the order in which messages were stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The newest message from a contact.
    pub inbound: InboundId,
    /// The newest message to a contact.
    pub message: MessageId,
}

/// States of incoming messages.
pub const INBOUND_STATES: [&str; 12] = [
    "waiting",
    "answering",
    "kept",
    "unconfirmed",
    "order",
    "answered",
    "refused",
    "keyword",
    "empty",
    "failed",
    "dropped",
    "obeyed",
];

/// Those of [`INBOUND_STATES`] that change by themselves.
pub const OPEN_INBOUND_STATES: &[&str] = INBOUND_STATES.split_at(5).0;

/// A message in a list. `Debug` hides the text.
#[derive(Clone, PartialEq, Eq)]
pub struct MessageEntry {
    /// Our id, such as `in-7` or `out-7`.
    pub id: EntryId,
    /// Address of the contact at the provider.
    pub contact: String,
    /// Our line; none if the address is not known to be ours.
    pub line: Option<LineId>,
    /// Time when it was received, or when ours was stored.
    pub time: Timestamp,
    /// Text, without numbering and splitting.
    pub text: String,
    /// Number of attachments.
    pub media: u32,
    /// State in the inbox or the outbox.
    pub standing: EntryState,
}

impl MessageEntry {
    /// Returns the state in one word: the provider's status if it has the message, else our state.
    pub fn state(&self) -> &str {
        match &self.standing {
            EntryState::In { state, .. } => state,
            EntryState::Out { state: PartState::Sent, status: Some(status), .. } => status.as_str(),
            EntryState::Out { state, .. } => state.as_str(),
        }
    }

    /// Returns true if it will change by itself.
    pub fn is_open(&self) -> bool {
        match &self.standing {
            EntryState::In { state, .. } => OPEN_INBOUND_STATES.contains(&state.as_str()),
            EntryState::Out { state: PartState::Sent, status, .. } => !status.is_some_and(Status::is_final),
            EntryState::Out { state, .. } => {
                matches!(state, PartState::Queued | PartState::Ready | PartState::Starting | PartState::Unknown)
            }
        }
    }
}

impl std::fmt::Debug for MessageEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry").field("id", &self.id).field("standing", &self.standing).finish_non_exhaustive()
    }
}

/// A message's id in lists: `in-12` or `out-34`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryId {
    /// A message from a contact: `in-…`.
    In(InboundId),
    /// A message to a contact: `out-…`.
    Out(MessageId),
}

impl std::fmt::Display for EntryId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            EntryId::In(id) => write!(f, "in-{id}"),
            EntryId::Out(id) => write!(f, "out-{id}"),
        }
    }
}

/// The state of a message in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryState {
    /// Incoming: waiting, in a turn, kept, unconfirmed, or done; `why` if it got no answer.
    In {
        /// One of [`INBOUND_STATES`].
        state: String,
        /// Reason, if there is one.
        why: Option<String>,
    },
    /// Outgoing: the state of its least advanced part.
    Out {
        /// The reason for sending it.
        purpose: MessagePurpose,
        /// State in our outbox.
        state: PartState,
        /// Latest status from the provider.
        status: Option<Status>,
        /// Segments of all parts.
        segments: u32,
        /// Error code of the provider.
        code: Option<u32>,
        /// Reason for failing or waiting.
        reason: Option<String>,
    },
}

/// A message with its full history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageDetail {
    /// The message as in the list.
    pub entry: MessageEntry,
    /// Id of an incoming message at the provider.
    pub provider_id: Option<String>,
    /// Attachments, in the sender's order.
    pub media: Vec<Attachment>,
    /// Other recipients of an incoming message; empty unless it was sent to a group.
    pub also_to: Vec<String>,
    /// The turn that a message came with or answers.
    pub turn: Option<TurnId>,
    /// Parts of an outgoing message.
    pub parts: Vec<PartProgress>,
    /// Attempts at its parts or its turn, oldest first.
    pub attempts: Vec<Attempt>,
}

/// An attempt to send a part or to answer a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Number of the part (from 1); 0 for a turn.
    pub part: u32,
    /// Time when the attempt began.
    pub started: Timestamp,
    /// End; none while it runs, or if it was interrupted.
    pub ended: Option<Timestamp>,
    /// Outcome in one word: `sent`, `retried`, `failed`, `unknown`, `answered`, …
    pub outcome: String,
    /// Error code of the provider.
    pub code: Option<u32>,
    /// Reason, for the operator.
    pub reason: Option<String>,
}

/// A message, as the operator refers to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageReference {
    /// By our id, such as `out-7`.
    Entry(EntryId),
    /// By the provider's id (of an incoming message or of a part).
    Provider(String),
}

/// A message of the earlier conversation.
#[derive(Clone, PartialEq, Eq)]
pub struct Spoken {
    /// The side that said it.
    pub by: Speaker,
    /// Text as it was received or sent.
    pub text: String,
}

/// A speaker in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// The contact, by text or on a call.
    Contact,
    /// The agent, in its answer.
    Agent,
    /// The operator, or a tool or program of theirs, outside of a turn.
    Operator,
}

/// Counts of open work and failures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkSummary {
    /// Incoming messages waiting for a turn.
    pub waiting: u64,
    /// Turns that the agent is answering.
    pub answering: u64,
    /// Failed turns that are retried soon.
    pub retrying: u64,
    /// Turns that have failed for long and are retried rarely.
    pub parked: u64,
    /// Turns that are no longer retried.
    pub dead: u64,
    /// Messages to numbers not known to be ours.
    pub unconfirmed: u64,
    /// Kept messages of strangers.
    pub kept: u64,
    /// Pairing requests whose code is valid.
    pub pairing_requests: u64,
    /// Parts waiting to be sent.
    pub queued: u64,
    /// Parts being handed over.
    pub sending: u64,
    /// Parts for which it is not known whether they were sent.
    pub unknown: u64,
    /// Parts that failed in the last 24 hours.
    pub failed_today: u64,
    /// Messages received in the last 24 hours.
    pub received_today: u64,
    /// Parts handed over in the last 24 hours.
    pub sent_today: u64,
    /// Parts delivered in the last 24 hours.
    pub delivered_today: u64,
    /// Calls that are not over.
    pub open_calls: u64,
    /// Calls that came in or were placed in the last 24 hours.
    pub calls_today: u64,
}

/// Ages of waiting work and spending, for monitoring.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Time of the oldest message that waits for a turn.
    pub oldest_waiting: Option<Timestamp>,
    /// Queues by line, in the order in which lines were claimed.
    pub lines: Vec<LineBacklog>,
    /// Segments possibly spent by attempts of the last 24 hours, which limits count.
    pub spent_today: u64,
    /// Parts of the last 24 hours for which it will never be known whether they were sent.
    pub finally_unknown_today: u64,
    /// Writes waiting in this process.
    pub to_write: usize,
}

/// The queue of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineBacklog {
    /// The line that the parts wait for.
    pub line: Line,
    /// Number of waiting parts.
    pub parts: u64,
    /// Billed segments of the waiting parts.
    pub segments: u64,
    /// Time when the message of the oldest part was stored.
    pub oldest: Option<Timestamp>,
}

/// Read access. No call keeps a transaction open after it returns.
#[async_trait]
pub trait History: Send + Sync {
    /// Returns messages in both directions, newest first.
    async fn messages(&self, filter: Filter) -> Result<Vec<MessageEntry>, StoreError>;

    /// Returns the current state of messages with these ids, in the same order; skips missing ones.
    async fn entries(&self, ids: Vec<EntryId>) -> Result<Vec<MessageEntry>, StoreError>;

    /// Returns the mark after the newest stored messages.
    async fn mark(&self) -> Result<Mark, StoreError>;

    /// Returns a message with its attempts.
    async fn message(&self, reference: MessageReference) -> Result<Option<MessageDetail>, StoreError>;

    /// Returns the last `turns` answered turns of a conversation since its last reset, oldest line first, with the
    /// operator's texts between and after them. Texts that were not sent or did not arrive are left out.
    async fn spoken(&self, conversation: ConversationId, turns: u32) -> Result<Vec<Spoken>, StoreError>;

    /// Hides turns up to `last`, and everything that was to be forgotten before, from agents.
    async fn reset_conversation(&self, conversation: ConversationId, last: TurnId) -> Result<(), StoreError>;

    /// Returns counts of open work and failures.
    async fn summary(&self, now: Timestamp) -> Result<WorkSummary, StoreError>;

    /// Returns ages of waiting work and spending.
    async fn backlog(&self, now: Timestamp) -> Result<Backlog, StoreError>;
}
