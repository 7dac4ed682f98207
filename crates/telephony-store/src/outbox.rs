//! The outbox: messages on their way to contacts, part by part.

use std::time::Duration;

use async_trait::async_trait;
use telephony_domain::delivery::{Advance, Receipt, Status, StatusReport};
use telephony_domain::id::{LineId, MessageId, PartId};
use telephony_domain::limit::Terms;
use telephony_domain::line::Sender;
use telephony_domain::message::{Draft, OutboundMedia};
use telephony_domain::money::Price;
use telephony_domain::number::PhoneNumber;
use telephony_domain::pace::Pacing;
use telephony_domain::reconcile;
use telephony_domain::retry::{Disposition, PartFate};
use telephony_domain::time::Timestamp;

use crate::{LeaseHolder, Next, StoreError};

/// An attempt that has not ended after this long has lost its process: its outcome is unknown.
pub const ATTEMPT_LEASE: Duration = Duration::from_secs(60);

/// What became of a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enqueued {
    /// The message; the same for a repeated key.
    pub message: MessageId,
    /// Whether it was stored just now.
    pub is_new: bool,
}

/// The right to end an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AttemptLease {
    /// Which part.
    pub part: PartId,
    /// Which attempt at it, from 1; an older number has no right any more.
    pub attempt: u32,
}

/// An attempt whose outcome is not stored: it runs, or its process has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenAttempt {
    /// The attempt.
    pub lease: AttemptLease,
    /// True if it is older than [`ATTEMPT_LEASE`] by the wall clock, which may have jumped.
    pub is_overdue: bool,
}

/// A part that is about to be handed to the provider. `Debug` hides the text.
#[derive(Clone)]
pub struct StartedPart {
    /// The right to end the attempt.
    pub lease: AttemptLease,
    /// The message it belongs to.
    pub message: MessageId,
    /// Our name for it at the provider; unguessable, never used twice.
    pub correlation_id: String,
    /// Who sends.
    pub from: Sender,
    /// Who receives.
    pub to: PhoneNumber,
    /// The text.
    pub text: String,
    /// What goes with it, in order.
    pub media: Vec<OutboundMedia>,
}

impl std::fmt::Debug for StartedPart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StartedPart").field("lease", &self.lease).field("to", &self.to).finish_non_exhaustive()
    }
}

/// Why the provider did not take a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendFailure {
    /// What may be done next.
    pub disposition: Disposition,
    /// The provider's error code.
    pub code: Option<u32>,
    /// What happened and what to do, in words for the operator.
    pub reason: String,
    /// The contact opted out at the provider: recorded, and everything queued for them is canceled.
    pub is_opt_out: bool,
    /// The provider answered: whatever it was going to do with the request is done.
    pub was_answered: bool,
}

/// A part in doubt, to be looked up in the provider's list. `Debug` hides the text.
#[derive(Clone)]
pub struct DoubtfulPart {
    /// The part and the attempt whose outcome is unknown.
    pub lease: AttemptLease,
    /// Who sent.
    pub from: Sender,
    /// Who would have received it.
    pub to: PhoneNumber,
    /// The text.
    pub text: String,
    /// How many files go with it.
    pub media: u32,
    /// When the first of its attempts in doubt began, by the provider's clock where that was known: any of them may turn
    /// up.
    pub attempted: Timestamp,
}

impl std::fmt::Debug for DoubtfulPart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DoubtfulPart").field("lease", &self.lease).field("to", &self.to).finish_non_exhaustive()
    }
}

/// What a report changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reported {
    /// A part of ours: this is what it meant.
    Known(PartId, Advance),
    /// Not one of our messages.
    Foreign,
}

/// A part whose last report is not final and older than it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SilentPart {
    /// Which.
    pub part: PartId,
    /// The provider's id.
    pub provider_id: String,
}

/// A message as its sender wants to see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Which.
    pub message: MessageId,
    /// Its parts in order.
    pub parts: Vec<PartProgress>,
}

/// A part as its sender wants to see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartProgress {
    /// Which.
    pub part: PartId,
    /// How far it is in our outbox.
    pub state: PartState,
    /// The provider's id, once it has one.
    pub provider_id: Option<String>,
    /// The provider's last word.
    pub status: Option<Status>,
    /// Segments: the provider's count, else ours.
    pub segments: u32,
    /// The provider's error code.
    pub code: Option<u32>,
    /// Why it failed or waits, in words for the operator.
    pub reason: Option<String>,
    /// When it is tried next.
    pub next_attempt: Option<Timestamp>,
    /// What it waits for, or what is ahead of it does, apart from its line: the key of a limit, or `daily-cap`, which is
    /// the provider's own.
    pub waits_for: Option<String>,
    /// A final status that was reported later and contradicts `status`.
    pub conflict: Option<Status>,
    /// What it cost, once the provider has said so.
    pub price: Option<Price>,
}

/// When a message can be expected to leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedStart {
    /// Then.
    pub at: Timestamp,
    /// What keeps it so long, apart from its line: see [`PartProgress::waits_for`].
    pub waits_for: Option<String>,
}

/// The effect of asking for a failed message again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retried {
    /// So many of its parts wait again.
    Waits(usize),
    /// None of its parts has failed.
    NotFailed,
    /// The provider may or may not have a part of it.
    Unknown,
}

/// How far a part is in our outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartState {
    /// Behind an earlier part of its conversation.
    Queued,
    /// First of its conversation; due at its next attempt, when its line is free.
    Ready,
    /// Being handed over.
    Starting,
    /// Perhaps handed over: being looked up.
    Unknown,
    /// The provider has it; the rest is its status.
    Sent,
    /// Not sent, and never will be.
    Failed,
    /// Not sent, because an earlier part failed, the contact opted out, or the operator said so.
    Canceled,
    /// Perhaps sent; nothing more can be found out.
    FinallyUnknown,
}

impl PartState {
    /// All of them, in the order in which a part goes through them.
    pub const ALL: [PartState; 8] = [
        PartState::Queued,
        PartState::Ready,
        PartState::Starting,
        PartState::Unknown,
        PartState::Sent,
        PartState::Failed,
        PartState::Canceled,
        PartState::FinallyUnknown,
    ];

    /// The word used in the store, in `--json` and on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            PartState::Queued => "queued",
            PartState::Ready => "ready",
            PartState::Starting => "starting",
            PartState::Unknown => "unknown",
            PartState::Sent => "sent",
            PartState::Failed => "failed",
            PartState::Canceled => "canceled",
            PartState::FinallyUnknown => "finally-unknown",
        }
    }
}

/// The outbox.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Stores a message, once per key. Fails with [`StoreError::OptedOut`], and with [`StoreError::QueueFull`] where too
    /// much waits on the line (see [`crate::lines::Lines::bound_queues`]).
    async fn enqueue(&self, line: LineId, draft: Draft, now: Timestamp) -> Result<Enqueued, StoreError>;

    /// Whether a message of so many segments to `contact` would be stored now, from whichever line `sender` has; it would
    /// fail with the same.
    async fn room_for(
        &self,
        sender: Sender,
        contact: PhoneNumber,
        segments: u32,
        pacing: Pacing,
    ) -> Result<(), StoreError>;

    /// Takes the part that is due, whose line is free and that fits into the limits, occupies the line for it, and records
    /// the attempt: from here on a crash means that its outcome is unknown. With `only`, no parts are taken
    /// but those of this message and what its conversation has ahead of it. Parts of a conversation go one after the other. Goes on until nothing may leave
    /// now or there are `limit` parts (at least one). A part that a limit holds up waits and gives it as its
    /// reason, and a notice `limit-` with the limit's key is there for as long; a part larger than a limit fails. A
    /// conversation that keeps reaching its limit of replies is paused (see [`telephony_domain::reply_loop`]), with a notice
    /// `paused-` and its number. `provider_time` is the time by the provider's clock, where it is known.
    async fn start_parts(
        &self,
        holder: &LeaseHolder,
        terms: Terms,
        only: Option<MessageId>,
        limit: usize,
        provider_time: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Next<Vec<StartedPart>>, StoreError>;

    /// The provider has the part. Also right after the attempt was given up as unknown, or a report came first.
    async fn part_sent(&self, lease: AttemptLease, receipt: Receipt, now: Timestamp) -> Result<(), StoreError>;

    /// The provider did not take the part, or perhaps did: decides by [`telephony_domain::retry::part_fate`], within
    /// [`crate::LONGEST_WAIT`], or within [`telephony_domain::retry::DAILY_CAP_WAIT`] where that was asked for; nothing is tried again for a contact who opted out meanwhile.
    /// A final failure cancels the remaining parts of its message. Fails with [`StoreError::LeaseLost`], also when a
    /// report has already shown that the provider has it.
    async fn part_failed(
        &self,
        lease: AttemptLease,
        failure: SendFailure,
        jitter: f64,
        now: Timestamp,
    ) -> Result<PartFate, StoreError>;

    /// Returns the attempts whose outcome is not stored, of every process.
    async fn open_attempts(&self, now: Timestamp) -> Result<Vec<OpenAttempt>, StoreError>;

    /// Turns those of `attempts` that are still open into doubts. Returns how many.
    async fn doubt_attempts(&self, attempts: Vec<AttemptLease>, now: Timestamp) -> Result<usize, StoreError>;

    /// At a gateway's start: turns the open attempts of every gateway but `holder` into doubts. Returns how many. Parts in
    /// doubt are due at once, because the gateway that looked them up has ended.
    async fn take_over_attempts(&self, holder: &LeaseHolder, now: Timestamp) -> Result<usize, StoreError>;

    /// Takes a part in doubt that is due to be looked up (leased for [`ATTEMPT_LEASE`]).
    async fn doubtful_part(&self, now: Timestamp) -> Result<Next<DoubtfulPart>, StoreError>;

    /// Which of these provider ids belong to parts already.
    async fn claimed(&self, provider_ids: Vec<String>) -> Result<Vec<String>, StoreError>;

    /// The list did not have the part, or could not be had: decides by [`telephony_domain::reconcile::next`]. (A find is
    /// [`Outbox::part_sent`].)
    /// Fails with [`StoreError::LeaseLost`].
    async fn not_found(
        &self,
        lease: AttemptLease,
        finding: reconcile::Finding,
        now: Timestamp,
    ) -> Result<reconcile::Next, StoreError>;

    /// Moves one of our parts forward by a report; a report with the part's correlation_id also ends an attempt or a doubt.
    async fn report(&self, report: StatusReport, now: Timestamp) -> Result<Reported, StoreError>;

    /// Parts that the provider has, whose status is not final, and that are due to be asked after: 1, 5, 15, 60 minutes,
    /// then every 12 hours up to 3 days after they were sent; `until_first` brings the first of these forward where no
    /// reports can reach us. Asking once counts as asked.
    async fn silent_parts(
        &self,
        until_first: Duration,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<SilentPart>, StoreError>;

    /// Lets the failed parts of a message wait again, with those that were canceled behind them, as if they were new. Asked
    /// for again, it changes nothing until one fails again. Fails with [`StoreError::NotFound`], [`StoreError::OptedOut`] and
    /// [`StoreError::QueueFull`].
    async fn retry_message(&self, message: MessageId, now: Timestamp) -> Result<Retried, StoreError>;

    /// How far a message is. Fails with [`StoreError::NotFound`].
    async fn progress(&self, message: MessageId) -> Result<Progress, StoreError>;

    /// When the first part of `message` that still waits can be expected to leave, by what waits ahead of it on its
    /// line, by what was sent in the last day, and by what the provider takes; `now` where none waits. Fails with
    /// [`StoreError::NotFound`].
    async fn expected_start(
        &self,
        message: MessageId,
        terms: Terms,
        now: Timestamp,
    ) -> Result<ExpectedStart, StoreError>;
}
