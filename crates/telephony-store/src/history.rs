//! Reading: what happened, for the operator and for agents that want to know what was said before.

use async_trait::async_trait;
use telephony_domain::delivery::Status;
use telephony_domain::id::{ConversationId, InboundId, LineId, MessageId, TurnId};
use telephony_domain::message::Purpose;
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::attachments::Attachment;
use crate::lines::Line;
use crate::outbox::{PartProgress, PartState};

/// Which way a message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From a contact.
    Inbound,
    /// To a contact.
    Outbound,
}

/// Which messages to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only with this contact or sender, by canonical address; a number also finds what the person wrote by other channels.
    pub contact: Option<String>,
    /// Only this way.
    pub direction: Option<Direction>,
    /// Only on this line.
    pub line: Option<LineId>,
    /// Only at or after this time.
    pub since: Option<Timestamp>,
    /// Only before this time.
    pub until: Option<Timestamp>,
    /// Only messages that stand at one of these words, as [`Entry::state`] says them; none: at any.
    pub states: Vec<String>,
    /// Only messages stored after this mark.
    pub after: Option<Mark>,
    /// No more than this many (the newest).
    pub limit: u32,
}

impl Filter {
    /// Whether a message stands where it is asked for.
    pub fn wants_state(&self, entry: &Entry) -> bool {
        self.states.is_empty() || self.states.iter().any(|state| state == entry.state())
    }
}

/// A point in the order in which messages were stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The newest message of a contact.
    pub inbound: InboundId,
    /// The newest message to a contact.
    pub message: MessageId,
}

/// Words for where a message of a contact stands.
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

/// Those of [`INBOUND_STATES`] that a message leaves by itself.
pub const OPEN_INBOUND_STATES: &[&str] = INBOUND_STATES.split_at(5).0;

/// A message in a list. `Debug` hides the text.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: EntryId,
    /// The other side, as the provider named it.
    pub contact: String,
    /// The line.
    pub line: Option<LineId>,
    /// When it came, or when ours was stored.
    pub time: Timestamp,
    /// The text, unnumbered, uncut.
    pub text: String,
    /// How many attachments.
    pub media: u32,
    /// Where it stands.
    pub standing: EntryState,
}

impl Entry {
    /// Where it stands in one word: of a message that the provider has its status, else the state.
    pub fn state(&self) -> &str {
        match &self.standing {
            EntryState::In { state, .. } => state,
            EntryState::Out { state: PartState::Sent, status: Some(status), .. } => status.as_str(),
            EntryState::Out { state, .. } => state.as_str(),
        }
    }

    /// Whether it will change by itself.
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

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry").field("id", &self.id).field("standing", &self.standing).finish_non_exhaustive()
    }
}

/// A message's id in lists: `in-12` or `out-34`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EntryId {
    /// From a contact.
    In(InboundId),
    /// To a contact.
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

/// Where a message in a list stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryState {
    /// Inbound: waiting, with its turn, kept, unconfirmed, or done; `why` where it got no answer.
    In {
        /// One of [`INBOUND_STATES`].
        state: String,
        /// Why, where there is more to say.
        why: Option<String>,
    },
    /// Outbound: the least advanced of its parts.
    Out {
        /// Why it was sent.
        purpose: Purpose,
        /// How far our outbox is.
        state: PartState,
        /// The provider's last word.
        status: Option<Status>,
        /// Segments of all parts.
        segments: u32,
        /// The provider's error code.
        code: Option<u32>,
        /// Why it failed or waits.
        reason: Option<String>,
    },
}

/// One message with everything that happened to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    /// The message as in the list.
    pub entry: Entry,
    /// The provider's id of an inbound message.
    pub provider_id: Option<String>,
    /// Its attachments, in order.
    pub media: Vec<Attachment>,
    /// Who else an inbound message was sent to; empty unless it came to a group.
    pub also_to: Vec<String>,
    /// Its turn.
    pub turn: Option<TurnId>,
    /// Parts of an outbound message.
    pub parts: Vec<PartProgress>,
    /// Attempts at its parts or its turn, oldest first.
    pub attempts: Vec<Attempt>,
}

/// One attempt to send a part or to answer a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Which part (from 1) of the message; 0 for a turn.
    pub part: u32,
    /// When it began.
    pub started: Timestamp,
    /// When it ended; none while it runs, or when it was cut short.
    pub ended: Option<Timestamp>,
    /// In one word: `sent`, `retried`, `failed`, `unknown`, `answered`, …
    pub outcome: String,
    /// The provider's error code.
    pub code: Option<u32>,
    /// In words for the operator.
    pub reason: Option<String>,
}

/// Which message the operator means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// By our id.
    Entry(EntryId),
    /// By the provider's id (of an inbound message or of a part).
    Provider(String),
}

/// One line of what was said before.
#[derive(Clone, PartialEq, Eq)]
pub struct Spoken {
    /// The speaker.
    pub by: Speaker,
    /// The text.
    pub text: String,
}

/// A speaker in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    /// The contact.
    Contact,
    /// The agent, in its answer.
    Agent,
    /// The operator, or a tool or program of theirs, outside of a turn.
    Operator,
}

/// How much there is to do, and what went wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Messages of contacts that wait for a turn.
    pub waiting: u64,
    /// Turns being answered.
    pub answering: u64,
    /// Turns that failed and are tried again soon.
    pub retrying: u64,
    /// Turns that are parked.
    pub parked: u64,
    /// Turns that are dead.
    pub dead: u64,
    /// Messages to numbers not yet known to be ours.
    pub unconfirmed: u64,
    /// Kept messages of strangers.
    pub kept: u64,
    /// Pairing requests whose code still works.
    pub pairing_requests: u64,
    /// Parts that wait to be sent.
    pub queued: u64,
    /// Parts being handed over.
    pub sending: u64,
    /// Parts in doubt.
    pub unknown: u64,
    /// Parts that failed in the last 24 hours.
    pub failed_today: u64,
    /// Inbound messages in the last 24 hours.
    pub received_today: u64,
    /// Parts handed over in the last 24 hours.
    pub sent_today: u64,
    /// Parts delivered in the last 24 hours.
    pub delivered_today: u64,
}

/// How long things have waited and how much was spent, for those who watch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backlog {
    /// When the oldest message that waits for a turn came.
    pub oldest_waiting: Option<Timestamp>,
    /// What waits to be sent, by line, in the order in which they were claimed.
    pub lines: Vec<LineBacklog>,
    /// Segments that attempts of the last 24 hours may have spent, which is what limits count.
    pub spent_today: u64,
    /// Parts of the last 24 hours of which it will never be known whether they were sent.
    pub finally_unknown_today: u64,
    /// What waits to be written down, in this process.
    pub to_write: usize,
}

/// What waits to be sent on a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineBacklog {
    /// On which.
    pub line: Line,
    /// Parts that wait.
    pub parts: u64,
    /// Their segments.
    pub segments: u64,
    /// When the message of the oldest of them was stored.
    pub oldest: Option<Timestamp>,
}

/// Reading. No call holds a transaction open after it returns.
#[async_trait]
pub trait History: Send + Sync {
    /// Messages both ways, newest first.
    async fn messages(&self, filter: Filter) -> Result<Vec<Entry>, StoreError>;

    /// The messages with these ids that there are, as they stand now, in the same order.
    async fn entries(&self, ids: Vec<EntryId>) -> Result<Vec<Entry>, StoreError>;

    /// The mark after everything that is stored now.
    async fn mark(&self) -> Result<Mark, StoreError>;

    /// One message with its attempts.
    async fn message(&self, reference: Reference) -> Result<Option<Detail>, StoreError>;

    /// The last `turns` answered turns of a conversation, oldest line first, not before its last reset, and the texts that
    /// the operator sent between them and after them. A text that did not leave or did not arrive is not among them.
    async fn spoken(&self, conversation: ConversationId, turns: u32) -> Result<Vec<Spoken>, StoreError>;

    /// From now on agents are told nothing of turns up to `last`, nor of what was to be forgotten before.
    async fn reset_conversation(&self, conversation: ConversationId, last: TurnId) -> Result<(), StoreError>;

    /// How much there is to do, and what went wrong.
    async fn summary(&self, now: Timestamp) -> Result<Summary, StoreError>;

    /// How long things have waited and how much was spent.
    async fn backlog(&self, now: Timestamp) -> Result<Backlog, StoreError>;
}
