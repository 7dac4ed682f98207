//! The inbox: messages from contacts, and the turns made of them.

use std::time::Duration;

use async_trait::async_trait;
use telephony_domain::id::{ConversationId, InboundId, LineId, TurnId};
use telephony_domain::message::{Arrival, Draft, PartDraft};
use telephony_domain::number::PhoneNumber;
use telephony_domain::policy::{Policy, Refusal, Standing};
use telephony_domain::retry::{Disposition, TurnFate};
use telephony_domain::time::Timestamp;

use crate::attachments::Attachment;
use crate::lines::Line;
use crate::{LeaseHolder, Next, StoreError};

/// A turn's lease lasts this long unless it is renewed.
pub const LEASE: Duration = Duration::from_secs(30);

/// A holder that is alive renews its lease this often.
pub const RENEW_EVERY: Duration = Duration::from_secs(10);

/// How arrivals are judged as they are stored.
#[derive(Debug, Clone, Default)]
pub struct ArrivalRules {
    /// Who is admitted.
    pub policy: Policy,
    /// Texts of one contact within this time become one turn; zero: every text is a turn of its own.
    pub coalesce: Duration,
    /// Whose orders are obeyed; nobody's where it cannot be told who sends.
    pub operator: Option<PhoneNumber>,
    /// The line of messages to an address that is no number: an RCS agent, or our name in another channel.
    pub line: Option<LineId>,
}

/// The outcome of an arrival. All but `Repeat` and `Recut` are stored now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// It waits for a turn.
    Waiting(InboundId),
    /// It waits until we know whether the number it came to is ours.
    Unconfirmed(InboundId),
    /// It is finished: somebody who gets no answer.
    Refused(InboundId, Refusal),
    /// It is finished: a consent keyword, obeyed in the same transaction (an opt-out cancels what was to be sent).
    Keyword(InboundId, telephony_domain::keyword::Keyword),
    /// It waits to be obeyed (see [`crate::operator_commands::OperatorCommands`]).
    OperatorCommand(InboundId),
    /// It is finished: neither text nor media.
    Empty(InboundId),
    /// It is the operator's or a contact's message that was stored before; nothing changed.
    Repeat,
    /// Its signature came with other fields before: somebody cut a genuine webhook anew. Not stored.
    Recut,
}

/// The right to work on a turn, until it expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnLease {
    /// Which turn.
    pub turn: TurnId,
    /// Counts the leases of this turn; an older number has no right any more.
    pub fence: i64,
}

/// A turn to be worked on.
#[derive(Debug, Clone)]
pub struct LeasedTurn {
    /// The right to it.
    pub lease: TurnLease,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// The conversation.
    pub conversation: ConversationId,
    /// The line the contact wrote to.
    pub line: Line,
    /// The contact.
    pub contact: PhoneNumber,
    /// What is known of the contact now.
    pub standing: Standing,
    /// The messages, oldest first; the same for every attempt, never empty.
    pub messages: Vec<Inbound>,
}

/// A stored message of a contact. `Debug` hides the text.
#[derive(Clone, PartialEq, Eq)]
pub struct Inbound {
    /// Which.
    pub id: InboundId,
    /// The provider's id.
    pub provider_id: String,
    /// The text.
    pub text: String,
    /// Attachments, in order.
    pub media: Vec<Attachment>,
    /// Who else it was sent to; empty unless it came to a group.
    pub also_to: Vec<String>,
    /// When it came.
    pub received: Timestamp,
}

impl std::fmt::Debug for Inbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inbound").field("id", &self.id).field("provider_id", &self.provider_id).finish_non_exhaustive()
    }
}

/// How a turn ended.
#[derive(Debug, Clone)]
pub enum TurnEnd {
    /// The agent answered; the drafts go to the outbox in the same transaction. None at all: a silent answer.
    Answered(Vec<Draft>),
    /// The contact gets no answer.
    Refused(Refusal),
}

/// Why an attempt at a turn failed.
#[derive(Debug, Clone)]
pub struct TurnFailure {
    /// In words for the operator; never holds what was said.
    pub reason: String,
    /// What may be done next.
    pub disposition: Disposition,
    /// True if no connection to the agent was possible: once one is, the turn need not wait for its next attempt.
    pub is_unreachable: bool,
    /// 0..=1, spreads the next attempts.
    pub jitter: f64,
    /// What the contact is told once the turn has failed for [`telephony_domain::retry::UNAVAILABLE_AFTER`] or is dead;
    /// once until a turn of the conversation is answered again.
    pub sorry: Option<Sorry>,
}

/// What a contact is told when nobody can answer. `Debug` hides nothing: it is the operator's own sentence.
#[derive(Debug, Clone)]
pub struct Sorry {
    /// The whole text.
    pub text: String,
    /// The text cut into parts.
    pub parts: Vec<PartDraft>,
}

/// A turn that the operator has to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedTurn {
    /// Which.
    pub turn: TurnId,
    /// Whose.
    pub contact: PhoneNumber,
    /// Whether it is dead, or parked and still tried.
    pub is_dead: bool,
    /// How often it was tried.
    pub attempts: u32,
    /// Why the last attempt failed.
    pub reason: String,
    /// When its first message came.
    pub received: Timestamp,
    /// When it is tried again.
    pub next_attempt: Option<Timestamp>,
}

/// The inbox.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// Stores an arrival, once per provider id, judging it in the same transaction: consent keywords are obeyed,
    /// refusals finished, an unknown `to` set aside. One that was found at the provider is stored as of when it came: a
    /// keyword then counts only if nothing that was said later is known ([`telephony_domain::consent`]). Goes before all
    /// other work.
    async fn accept(
        &self,
        arrival: Arrival,
        rules: std::sync::Arc<ArrivalRules>,
        now: Timestamp,
    ) -> Result<Accepted, StoreError>;

    /// The digest of the fields that a stored message came with under this signature (see
    /// [`telephony_domain::message::Signed`]); none where no stored message has it.
    async fn signed_content(&self, signature: &str) -> Result<Option<String>, StoreError>;

    /// Takes the oldest work that is due: a turn to be tried again, a turn whose lease expired, or a new turn made of
    /// all waiting messages of a conversation (only its oldest one, where `merges` is false). A conversation has one
    /// turn at work at a time; parked turns do not count. Up to `limit` turns (at least one) of as many conversations.
    async fn lease_turns(
        &self,
        holder: &LeaseHolder,
        merges: bool,
        limit: usize,
        now: Timestamp,
    ) -> Result<Next<Vec<LeasedTurn>>, StoreError>;

    /// Extends the lease to `now` + [`LEASE`]. Fails with [`StoreError::LeaseLost`].
    async fn renew_turn(&self, lease: &TurnLease, now: Timestamp) -> Result<(), StoreError>;

    /// Closes the turn and its messages and enqueues the answer. Fails with [`StoreError::LeaseLost`].
    /// An answer to a contact who opted out meanwhile is dropped, and the turn closed as refused. One that finds no room
    /// on its line is kept until there is (whoever leases turns looks), with a notice `queue-full-` and the line's number.
    async fn finish_turn(&self, lease: &TurnLease, end: TurnEnd, now: Timestamp) -> Result<(), StoreError>;

    /// Records a failed attempt and decides by [`telephony_domain::retry::turn_fate`], within [`crate::LONGEST_WAIT`].
    /// (A lease that expires counts as a failure too, due at once.) Fails with [`StoreError::LeaseLost`].
    async fn fail_turn(&self, lease: &TurnLease, failure: TurnFailure, now: Timestamp) -> Result<TurnFate, StoreError>;

    /// Returns true if any turn waits only because its agent could not be reached.
    async fn turns_wait_for_agent(&self) -> Result<bool, StoreError>;

    /// The agent can be reached again: turns that wait for it are due at `now`. Returns how many they are.
    async fn hasten_turns(&self, now: Timestamp) -> Result<usize, StoreError>;

    /// Gives the turn back untried, as at a stop: it is due at once and the attempt does not count.
    async fn hand_back_turn(&self, lease: &TurnLease, now: Timestamp) -> Result<(), StoreError>;

    /// Ends every lease on a turn that `holder` does not hold: at start, when nobody else can be alive.
    async fn free_turns(&self, holder: &LeaseHolder, now: Timestamp) -> Result<usize, StoreError>;

    /// Parked and dead turns, newest first.
    async fn failed_turns(&self) -> Result<Vec<FailedTurn>, StoreError>;

    /// Makes a parked or dead turn due at once, as if it had never failed. Fails with [`StoreError::NotFound`].
    async fn revive_turn(&self, turn: TurnId, now: Timestamp) -> Result<(), StoreError>;

    /// Goes on with a contact although two machines seemed to talk (see [`telephony_domain::reply_loop`]). Returns how many
    /// conversations were paused.
    async fn resume(&self, contact: &PhoneNumber) -> Result<usize, StoreError>;
}
