//! The inbox: messages from contacts, and the turns made of them.

use std::time::Duration;

use async_trait::async_trait;
use telephony_domain::id::{ConversationId, InboundId, LineId, TurnId};
use telephony_domain::message::{Arrival, MessageDraft, PartDraft};
use telephony_domain::number::PhoneNumber;
use telephony_domain::policy::{Policy, Refusal, Standing};
use telephony_domain::retry::{Disposition, TurnFate};
use telephony_domain::time::Timestamp;

use crate::attachments::Attachment;
use crate::lines::Line;
use crate::{LeaseHolder, Next, StoreError};

/// Duration of a turn's lease unless it is renewed.
pub const LEASE: Duration = Duration::from_secs(30);

/// Interval at which a live holder renews its lease.
pub const RENEW_EVERY: Duration = Duration::from_secs(10);

/// The rules for judging arrivals as they are stored.
#[derive(Debug, Clone, Default)]
pub struct ArrivalRules {
    /// Rules for who may talk to the assistant.
    pub policy: Policy,
    /// Texts of one contact within this time become one turn; zero: every text is a turn of its own.
    pub coalesce: Duration,
    /// Number whose commands are executed; none if the sender cannot be verified.
    pub operator: Option<PhoneNumber>,
    /// Line for messages to an address that is not a number: an RCS agent, or our name in another channel.
    pub line: Option<LineId>,
}

/// The outcome of an arrival. All but `Repeat` and `Tampered` are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// It waits for a turn.
    Waiting(InboundId),
    /// It waits until we know whether its number is ours.
    Unconfirmed(InboundId),
    /// It is finished: the sender gets no answer.
    Refused(InboundId, Refusal),
    /// It is finished: a consent keyword, obeyed in the same transaction (an opt-out cancels queued messages).
    Keyword(InboundId, telephony_domain::keyword::Keyword),
    /// It waits to be executed (see [`crate::operator_commands::OperatorCommands`]).
    OperatorCommand(InboundId),
    /// It is finished: neither text nor media.
    Empty(InboundId),
    /// The message was stored before; nothing changed.
    Repeat,
    /// Its signature arrived with other fields before: a genuine webhook was rearranged. Not stored.
    Tampered,
}

/// The right to work on a turn, until it expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnLease {
    /// The turn that the holder works on.
    pub turn: TurnId,
    /// Number of the lease on this turn; an older one is no longer valid.
    pub fence: i64,
}

/// A turn to work on.
#[derive(Debug, Clone)]
pub struct LeasedTurn {
    /// Right to work on the turn; results need it.
    pub lease: TurnLease,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// The conversation that the turn belongs to.
    pub conversation: ConversationId,
    /// Line that the contact wrote to.
    pub line: Line,
    /// Number of the contact who waits.
    pub contact: PhoneNumber,
    /// Current standing of the contact.
    pub standing: Standing,
    /// Messages, oldest first; the same for every attempt, never empty.
    pub messages: Vec<Inbound>,
}

/// A stored message of a contact. `Debug` hides the text.
#[derive(Clone, PartialEq, Eq)]
pub struct Inbound {
    /// Our id, shown as `in-…`.
    pub id: InboundId,
    /// Id at the provider.
    pub provider_id: String,
    /// Text as the contact wrote it.
    pub text: String,
    /// Attachments, in the contact's order.
    pub media: Vec<Attachment>,
    /// Other recipients; empty unless it was sent to a group.
    pub also_to: Vec<String>,
    /// Time when it was received.
    pub received: Timestamp,
}

impl std::fmt::Debug for Inbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inbound").field("id", &self.id).field("provider_id", &self.provider_id).finish_non_exhaustive()
    }
}

/// The end of a turn.
#[derive(Debug, Clone)]
pub enum TurnEnd {
    /// The agent answered; the drafts are queued in the same transaction. Empty: a silent answer.
    Answered(Vec<MessageDraft>),
    /// The contact gets no answer.
    Refused(Refusal),
}

/// A failed attempt at a turn.
#[derive(Debug, Clone)]
pub struct TurnFailure {
    /// Reason for the operator; never contains message texts.
    pub reason: String,
    /// The next step that the error allows.
    pub disposition: Disposition,
    /// True if no connection to the agent was possible: once it is, the turn does not wait for its next attempt.
    pub is_unreachable: bool,
    /// 0..=1, to spread retries.
    pub jitter: f64,
    /// Apology to the contact once the turn has failed for [`telephony_domain::retry::UNAVAILABLE_AFTER`] or is dead;
    /// sent once until a turn of the conversation is answered again.
    pub sorry: Option<Apology>,
}

/// The apology when there is no answer. `Debug` hides nothing, because it is the operator's own text.
#[derive(Debug, Clone)]
pub struct Apology {
    /// The whole text, before it is split.
    pub text: String,
    /// Text split into parts.
    pub parts: Vec<PartDraft>,
}

/// A turn that needs the operator's attention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedTurn {
    /// Our id, which `messages --retry` accepts.
    pub turn: TurnId,
    /// Number of the contact who waits.
    pub contact: PhoneNumber,
    /// True if it is dead; false if it is parked and still retried.
    pub is_dead: bool,
    /// Number of attempts so far.
    pub attempts: u32,
    /// Reason why the last attempt failed.
    pub reason: String,
    /// Time of its first message.
    pub received: Timestamp,
    /// Time of the next attempt.
    pub next_attempt: Option<Timestamp>,
}

/// Incoming messages, and the turns that answer them.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// Stores an arrival at `provider`, once per id there, and judges it in the same transaction: obeys consent
    /// keywords, finishes refusals, sets messages to an unknown `to` aside. A message found at the provider is stored with its own time; a
    /// keyword then only counts if no later wish is known ([`telephony_domain::consent`]). Takes precedence over all
    /// other work.
    async fn accept(
        &self,
        provider: &str,
        arrival: Arrival,
        rules: std::sync::Arc<ArrivalRules>,
        now: Timestamp,
    ) -> Result<Accepted, StoreError>;

    /// Returns the digest of the fields of the stored message with this signature (see
    /// [`telephony_domain::message::Signed`]); none if there is no such message.
    async fn signed_content(&self, signature: &str) -> Result<Option<String>, StoreError>;

    /// Leases the oldest due work: a turn to retry, a turn whose lease expired, or a new turn made of all waiting
    /// messages of a conversation (only the oldest one if `merges` is false). A conversation has one turn in flight at
    /// a time, not counting parked turns. Returns up to `limit` turns (at least one) of different conversations.
    async fn lease_turns(
        &self,
        holder: &LeaseHolder,
        merges: bool,
        limit: usize,
        now: Timestamp,
    ) -> Result<Next<Vec<LeasedTurn>>, StoreError>;

    /// Extends the lease to `now` + [`LEASE`]. Fails with [`StoreError::LeaseLost`].
    async fn renew_turn(&self, lease: &TurnLease, now: Timestamp) -> Result<(), StoreError>;

    /// Closes the turn and its messages and queues the answer. Fails with [`StoreError::LeaseLost`]. An answer to a
    /// contact who opted out meanwhile is dropped, and the turn is closed as refused. If the line's queue is full, the
    /// answer is kept until there is capacity (checked when turns are leased), with a notice `queue-full-` and the
    /// line's number.
    async fn finish_turn(&self, lease: &TurnLease, end: TurnEnd, now: Timestamp) -> Result<(), StoreError>;

    /// Records a failed attempt and decides by [`telephony_domain::retry::turn_fate`], within [`crate::LONGEST_WAIT`].
    /// (An expired lease counts as a failure too, due at once.) Fails with [`StoreError::LeaseLost`].
    async fn fail_turn(&self, lease: &TurnLease, failure: TurnFailure, now: Timestamp) -> Result<TurnFate, StoreError>;

    /// Returns true if a turn waits only because its agent was unreachable.
    async fn turns_wait_for_agent(&self) -> Result<bool, StoreError>;

    /// Makes turns that wait for the agent due at `now`, because it is reachable again. Returns the number.
    async fn hasten_turns(&self, now: Timestamp) -> Result<usize, StoreError>;

    /// Hands the turn back when stopping: it is due at once and the attempt does not count.
    async fn hand_back_turn(&self, lease: &TurnLease, now: Timestamp) -> Result<(), StoreError>;

    /// Ends every lease that `holder` does not hold: at startup, when no other holder can be alive.
    async fn free_turns(&self, holder: &LeaseHolder, now: Timestamp) -> Result<usize, StoreError>;

    /// Returns parked and dead turns, newest first.
    async fn failed_turns(&self) -> Result<Vec<FailedTurn>, StoreError>;

    /// Makes a parked or dead turn due at once, as if it had never failed. Fails with [`StoreError::NotFound`].
    async fn revive_turn(&self, turn: TurnId, now: Timestamp) -> Result<(), StoreError>;

    /// Resumes conversations that were paused because two machines seemed to talk (see
    /// [`telephony_domain::reply_loop`]). Returns the number.
    async fn resume(&self, contact: &PhoneNumber) -> Result<usize, StoreError>;
}
