//! What is known of contacts: who is paired, who asks to be, who is blocked, who opted out.

use std::time::Duration;

use async_trait::async_trait;
use telephony_domain::id::LineId;
use telephony_domain::message::PartDraft;
use telephony_domain::number::PhoneNumber;
use telephony_domain::pairing::PairingCode;
use telephony_domain::policy::Standing;
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::inbox::TurnLease;

/// Kept messages of a stranger are deleted after this long.
pub const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// No more messages of a stranger are kept.
pub const KEPT_AT_MOST: u32 = 10;

/// A stranger's request to be paired, about to be made.
#[derive(Debug, Clone)]
pub struct Challenge {
    /// The code to be told.
    pub code: PairingCode,
    /// The SMS that tells it.
    pub parts: Vec<PartDraft>,
    /// No more pairing messages than this in 24 hours, to all strangers together; none: no limit.
    pub replies_per_day: Option<u32>,
}

/// What became of a stranger's message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Challenged {
    /// A request was made, the code is on its way, the message is kept.
    Asked,
    /// There was a request already: no second SMS, the message is kept (while there is room). Also where the operator
    /// approved the contact meanwhile: the turn is due again at once.
    AskedBefore,
    /// Three others are waiting already: no request, the message is not kept.
    TooManyPending,
    /// Too many strangers were answered today: no request, the message is not kept.
    BudgetSpent,
    /// The line has no room for the SMS: nothing was done, the turn is due again in a while.
    NoRoom,
}

/// A stranger's request to be paired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairingRequest {
    /// The code that was told.
    pub code: PairingCode,
    /// Who asks.
    pub contact: PhoneNumber,
    /// On which line.
    pub line: LineId,
    /// When.
    pub requested: Timestamp,
    /// When the code stops working.
    pub expires: Timestamp,
    /// How many of their messages are kept.
    pub kept: u32,
}

/// Whom the operator means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// Whoever was told this code.
    Code(PairingCode),
    /// This number.
    Number(PhoneNumber),
}

/// What an approval did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approved {
    /// Who is approved.
    pub contact: PhoneNumber,
    /// Whether they were approved before; then nothing is sent.
    pub was_approved: bool,
    /// Whether they opted out of the line that would have told them: then nothing is sent either.
    pub is_opted_out: bool,
    /// The SMS that tells them, unless they were approved before, opted out, or there is no line.
    pub message: Option<telephony_domain::id::MessageId>,
    /// How many kept messages are answered now.
    pub released: u32,
}

/// A contact the operator approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovedContact {
    /// Who.
    pub contact: PhoneNumber,
    /// When.
    pub approved: Timestamp,
}

/// Contacts.
#[async_trait]
pub trait Contacts: Send + Sync {
    /// Closes a stranger's turn: makes a pairing request with its SMS, or adds to the one there is, keeping the messages.
    /// Fails with [`StoreError::LeaseLost`], and with [`StoreError::CodeTaken`] (choose another),
    /// and with [`StoreError::OptedOut`] where the contact said STOP meanwhile.
    async fn challenge(
        &self,
        lease: &TurnLease,
        challenge: Challenge,
        now: Timestamp,
    ) -> Result<Challenged, StoreError>;

    /// Requests whose code still works, oldest first.
    async fn pairing_requests(&self, now: Timestamp) -> Result<Vec<PairingRequest>, StoreError>;

    /// Approves: the SMS `parts` goes to the outbox, then the kept messages wait for a turn. A number needs no request
    /// (the SMS leaves from `default_line`). Ends a block. Fails with [`StoreError::NotFound`] for an unknown or expired code.
    async fn approve(
        &self,
        who: Who,
        parts: Vec<PartDraft>,
        default_line: Option<LineId>,
        now: Timestamp,
    ) -> Result<Approved, StoreError>;

    /// Ends a request and deletes what was kept; ends an approval too; with `block`, refuses the number from now on.
    /// Fails with [`StoreError::NotFound`] for an unknown or expired code, and for a number with nothing to end.
    async fn reject(&self, who: Who, block: bool, now: Timestamp) -> Result<PhoneNumber, StoreError>;

    /// Everyone the operator approved, newest first.
    async fn approved_contacts(&self) -> Result<Vec<ApprovedContact>, StoreError>;

    /// What is known of a contact on a line.
    async fn standing(&self, line: LineId, contact: &PhoneNumber) -> Result<Standing, StoreError>;

    /// Deletes expired requests and what was kept too long. Returns how many messages it deleted.
    async fn forget_strangers(&self, now: Timestamp) -> Result<usize, StoreError>;
}
