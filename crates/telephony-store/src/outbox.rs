//! The outbox: messages to contacts, part by part.

use std::time::Duration;

use async_trait::async_trait;
use telephony_domain::delivery::{Advance, Receipt, Status, StatusReport};
use telephony_domain::id::{LineId, MessageId, PartId};
use telephony_domain::limit::Terms;
use telephony_domain::line::Sender;
use telephony_domain::message::{MessageDraft, OutboundMedia};
use telephony_domain::money::Price;
use telephony_domain::number::PhoneNumber;
use telephony_domain::reconcile;
use telephony_domain::retry::{Disposition, PartFate};
use telephony_domain::time::Timestamp;

use crate::{LeaseHolder, Next, StoreError};

/// An attempt open for this long has lost its process, so its outcome is unknown.
pub const ATTEMPT_LEASE: Duration = Duration::from_secs(60);

/// The result of enqueuing a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enqueued {
    /// Message; the same for a repeated key.
    pub message: MessageId,
    /// True if it was stored just now.
    pub is_new: bool,
}

/// The right to end an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AttemptLease {
    /// The part that is being sent.
    pub part: PartId,
    /// Number of the attempt, from 1; an older one is no longer valid.
    pub attempt: u32,
}

/// An attempt without a stored outcome: it is running, or its process has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenAttempt {
    /// The attempt that has no outcome yet.
    pub lease: AttemptLease,
    /// True if it is older than [`ATTEMPT_LEASE`] by the wall clock, which may have jumped.
    pub is_overdue: bool,
}

/// A part about to be handed to the provider. `Debug` hides the text.
#[derive(Clone)]
pub struct StartedPart {
    /// Right to end the attempt.
    pub lease: AttemptLease,
    /// The message that the part belongs to.
    pub message: MessageId,
    /// Our id for it at the provider; unguessable, never reused.
    pub correlation_id: String,
    /// Number or messaging service of the line.
    pub from: Sender,
    /// Number of the recipient.
    pub to: PhoneNumber,
    /// Text of this part alone.
    pub text: String,
    /// Attachments of this part, in order.
    pub media: Vec<OutboundMedia>,
}

impl std::fmt::Debug for StartedPart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StartedPart").field("lease", &self.lease).field("to", &self.to).finish_non_exhaustive()
    }
}

/// A failed attempt to send a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendFailure {
    /// The next step that the error allows.
    pub disposition: Disposition,
    /// Error code of the provider.
    pub code: Option<u32>,
    /// Cause and remedy, for the operator.
    pub reason: String,
    /// True if the contact opted out at the provider: recorded, and all queued messages to them are canceled.
    pub is_opt_out: bool,
    /// True if the provider answered, so the request is finished.
    pub was_answered: bool,
}

/// A part in doubt, to be looked up in the provider's list. `Debug` hides the text.
#[derive(Clone)]
pub struct DoubtfulPart {
    /// Part and the attempt with the unknown outcome.
    pub lease: AttemptLease,
    /// Numbers and messaging services of its line, including former ones: the line's sender may have changed since.
    pub from: Vec<String>,
    /// Number of the recipient.
    pub to: PhoneNumber,
    /// Text as it was handed to the provider.
    pub text: String,
    /// Number of attached files.
    pub media: u32,
    /// Start of its first attempt in doubt, by the provider's clock if known; any of them may turn up.
    pub attempted: Timestamp,
}

impl std::fmt::Debug for DoubtfulPart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DoubtfulPart").field("lease", &self.lease).field("to", &self.to).finish_non_exhaustive()
    }
}

/// The effect of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reported {
    /// It was about this part, with this effect.
    Known(PartId, Advance),
    /// It was not about one of our messages.
    Foreign,
}

/// A part whose last report is not final and overdue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SilentPart {
    /// The part without a final status report.
    pub part: PartId,
    /// Id at the provider.
    pub provider_id: String,
}

/// The progress of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Our id, shown as `out-…`.
    pub message: MessageId,
    /// Parts, in the order of sending.
    pub parts: Vec<PartProgress>,
}

/// The progress of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartProgress {
    /// Our id of the part.
    pub part: PartId,
    /// State in our outbox.
    pub state: PartState,
    /// Id at the provider, once it has one.
    pub provider_id: Option<String>,
    /// Latest status from the provider.
    pub status: Option<Status>,
    /// Segments: the provider's count, else ours.
    pub segments: u32,
    /// Error code of the provider.
    pub code: Option<u32>,
    /// Reason for failing or waiting, of this part or one ahead of it, for the operator.
    pub reason: Option<String>,
    /// Time of the next attempt.
    pub next_attempt: Option<Timestamp>,
    /// Cause of a delay other than the line, of this part or one ahead of it: the key of a limit, or `daily-cap` for
    /// the provider's own.
    pub waits_for: Option<String>,
    /// Final status reported later that contradicts `status`.
    pub conflict: Option<Status>,
    /// Price, once the provider has reported it.
    pub price: Option<Price>,
}

/// The expected departure of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedStart {
    /// Time when its first part should start.
    pub at: Timestamp,
    /// Cause of a delay other than the line: see [`PartProgress::waits_for`].
    pub waits_for: Option<String>,
}

/// The effect of retrying a failed message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retried {
    /// So many of its parts wait again.
    Waits(usize),
    /// None of its parts has failed.
    NotFailed,
    /// The provider may have a part of it or not.
    Unknown,
}

/// The state of a part in our outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartState {
    /// Behind an earlier part of its conversation.
    Queued,
    /// First of its conversation; due at its next attempt, when its line is free.
    Ready,
    /// Its request to the provider is in flight, or was when the process died.
    Starting,
    /// Possibly handed over: being looked up.
    Unknown,
    /// Accepted by the provider; its status has the rest.
    Sent,
    /// Not sent, and never will be.
    Failed,
    /// Not sent, because an earlier part failed, the contact opted out, or the operator canceled it.
    Canceled,
    /// Possibly sent; it will never be known.
    FinallyUnknown,
}

impl PartState {
    /// Every state, in the order of a part's life.
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

    /// Returns the word used in the store, in `--json` and on screen.
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

/// Outgoing messages, their parts, and the attempts to send them.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Stores a message, once per key. Fails with [`StoreError::OptedOut`], and with [`StoreError::QueueFull`] if too
    /// much waits on the line (see [`crate::lines::Lines::bound_queues`]).
    async fn enqueue(&self, line: LineId, draft: MessageDraft, now: Timestamp) -> Result<Enqueued, StoreError>;

    /// Checks whether a message of so many segments to `contact` would be stored now, from the line of `sender`; fails
    /// with the same errors.
    async fn check_capacity(
        &self,
        sender: Sender,
        contact: PhoneNumber,
        segments: u32,
        terms: Terms,
    ) -> Result<(), StoreError>;

    /// Starts parts that are due and fit the limits, on free lines of the provider in `terms`. Reserves the line for
    /// each part and records the attempt, so a crash from here on makes its outcome unknown. With `only`, starts only
    /// parts of this message and those ahead of it in its conversation. Starts the parts of a conversation one after
    /// the other, and at most `limit` parts in all (at least one).
    ///
    /// A part that a limit holds back gets that reason, and a notice named `limit-` and the limit's key holds
    /// meanwhile. A part that is larger than a limit fails. `provider_time` is the time by the provider's clock, if
    /// known.
    async fn start_parts(
        &self,
        holder: &LeaseHolder,
        terms: Terms,
        only: Option<MessageId>,
        limit: usize,
        provider_time: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Next<Vec<StartedPart>>, StoreError>;

    /// Records that the provider has the part. Also valid after the attempt was given up as unknown, or a report came
    /// first.
    async fn part_sent(&self, lease: AttemptLease, receipt: Receipt, now: Timestamp) -> Result<(), StoreError>;

    /// Records a failed or unknown attempt: decides by [`telephony_domain::retry::part_fate`], within
    /// [`crate::LONGEST_WAIT`], or within [`telephony_domain::retry::DAILY_CAP_WAIT`] if requested; does not retry for
    /// a contact who opted out meanwhile. A final failure cancels the remaining parts of its message. Fails with
    /// [`StoreError::LeaseLost`], also when a report has already shown that the provider has it.
    async fn part_failed(
        &self,
        lease: AttemptLease,
        failure: SendFailure,
        jitter: f64,
        now: Timestamp,
    ) -> Result<PartFate, StoreError>;

    /// Returns the attempts of all processes without a stored outcome.
    async fn open_attempts(&self, now: Timestamp) -> Result<Vec<OpenAttempt>, StoreError>;

    /// Turns those of `attempts` that are still open into doubts. Returns the number.
    async fn doubt_attempts(&self, attempts: Vec<AttemptLease>, now: Timestamp) -> Result<usize, StoreError>;

    /// At a gateway's start, turns the open attempts of every gateway but `holder` into doubts. Returns the number.
    /// Parts in doubt are due at once, because the gateway that looked them up has ended.
    async fn take_over_attempts(&self, holder: &LeaseHolder, now: Timestamp) -> Result<usize, StoreError>;

    /// Leases a part in doubt that is due to be looked up, for [`ATTEMPT_LEASE`].
    async fn doubtful_part(&self, provider: &str, now: Timestamp) -> Result<Next<DoubtfulPart>, StoreError>;

    /// Returns those of these provider ids that already belong to parts.
    async fn claimed(&self, provider: &str, provider_ids: Vec<String>) -> Result<Vec<String>, StoreError>;

    /// Records that the list did not have the part, or could not be fetched: decides by
    /// [`telephony_domain::reconcile::next`]. (If it was found, call [`Outbox::part_sent`].) Fails with
    /// [`StoreError::LeaseLost`].
    async fn not_found(
        &self,
        lease: AttemptLease,
        finding: reconcile::SearchResult,
        now: Timestamp,
    ) -> Result<reconcile::DoubtStep, StoreError>;

    /// Applies a status report to one of our parts; a report with the part's correlation id also ends an attempt or a
    /// doubt.
    async fn report(&self, provider: &str, report: StatusReport, now: Timestamp) -> Result<Reported, StoreError>;

    /// Returns parts accepted by the provider without a final status that are due to be polled: 1, 5, 15, 60 minutes,
    /// then every 12 hours up to 3 days after they were sent; `until_first` moves the first poll forward if no reports
    /// can reach us. Counts them as polled.
    async fn silent_parts(
        &self,
        provider: &str,
        until_first: Duration,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<SilentPart>, StoreError>;

    /// Makes the failed parts of a message wait again, with those canceled behind them, as if they were new. Repeating
    /// it changes nothing until one fails again. Fails with [`StoreError::NotFound`], [`StoreError::OptedOut`] and
    /// [`StoreError::QueueFull`].
    async fn retry_message(&self, message: MessageId, now: Timestamp) -> Result<Retried, StoreError>;

    /// Returns the progress of a message. Fails with [`StoreError::NotFound`].
    async fn progress(&self, message: MessageId) -> Result<Progress, StoreError>;

    /// Returns when the first waiting part of `message` is expected to leave, from the queue of its line, the segments
    /// of the last day, and the provider's caps; `now` if none waits. Fails with [`StoreError::NotFound`].
    async fn expected_start(
        &self,
        message: MessageId,
        terms: Terms,
        now: Timestamp,
    ) -> Result<ExpectedStart, StoreError>;
}
