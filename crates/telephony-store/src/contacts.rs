//! Contacts: approvals, pairing requests, blocks, opt-outs.

use std::time::Duration;

use async_trait::async_trait;
use telephony_domain::id::LineId;
use telephony_domain::limit::Terms;
use telephony_domain::message::PartDraft;
use telephony_domain::number::PhoneNumber;
use telephony_domain::pairing::PairingCode;
use telephony_domain::policy::Standing;
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::inbox::TurnLease;

/// Time after which kept messages of a stranger are deleted.
pub const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// Maximum number of messages kept per stranger.
pub const MAX_KEPT: u32 = 10;

/// A pairing request about to be made for a stranger.
#[derive(Debug, Clone)]
pub struct Challenge {
    /// Code that the stranger shows to the operator.
    pub code: PairingCode,
    /// SMS with the code.
    pub parts: Vec<PartDraft>,
    /// Maximum number of pairing messages to all strangers together in 24 hours; none: no limit.
    pub replies_per_day: Option<u32>,
}

/// The result of a stranger's message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Challenged {
    /// A request was made, the code is being sent, the message is kept.
    Asked,
    /// There was a request already: no second SMS, the message is kept (up to the limit). Also if the operator approved
    /// the contact meanwhile: then the turn is due again at once.
    AskedBefore,
    /// Three requests are pending already: no request, the message is not kept.
    TooManyPending,
    /// Today's limit for strangers is reached: no request, the message is not kept.
    BudgetSpent,
    /// The line's queue is full: nothing was done, the turn is due again later.
    NoRoom,
}

/// A stranger's pairing request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairingRequest {
    /// Code that was sent.
    pub code: PairingCode,
    /// Number of the stranger.
    pub contact: PhoneNumber,
    /// The line that the stranger texted.
    pub line: LineId,
    /// Time of the request.
    pub requested: Timestamp,
    /// Time when the code expires.
    pub expires: Timestamp,
    /// Number of kept messages.
    pub kept: u32,
}

/// A contact, as the operator refers to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// The contact who got this code.
    Code(PairingCode),
    /// The contact with this number.
    Number(PhoneNumber),
}

/// The result of an approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approved {
    /// Number of the approved contact.
    pub contact: PhoneNumber,
    /// True if they were already approved; then nothing is sent.
    pub was_approved: bool,
    /// True if they opted out of the line that would send the approval; then nothing is sent either.
    pub is_opted_out: bool,
    /// Approval SMS, unless they were already approved, opted out, or there is no line.
    pub message: Option<telephony_domain::id::MessageId>,
    /// Number of kept messages that are answered now.
    pub released: u32,
}

/// A contact whom the operator approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovedContact {
    /// Number of the contact.
    pub contact: PhoneNumber,
    /// Time of the approval.
    pub approved: Timestamp,
}

/// The result of challenging a stranger who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallerChallenged {
    /// There is a request with this code, to be said on the call.
    Code(PairingCode),
    /// No request could be created: there are too many, or the limit is reached.
    NoCode,
    /// The operator approved or blocked the caller meanwhile, so the caller is no stranger.
    NoStranger,
}

/// The record of contacts.
#[async_trait]
pub trait Contacts: Send + Sync {
    /// Creates the pairing request of a stranger who calls, with its SMS if the number can get one under these `terms`,
    /// or finds an existing one. `key` is the key of the SMS. Fails with [`StoreError::CodeTaken`] (choose another).
    async fn challenge_caller(
        &self,
        line: LineId,
        contact: &PhoneNumber,
        key: &str,
        challenge: Challenge,
        terms: Terms,
        now: Timestamp,
    ) -> Result<CallerChallenged, StoreError>;

    /// Closes a stranger's turn: makes a pairing request with its SMS, or adds the messages to an existing one. Fails
    /// with [`StoreError::LeaseLost`], with [`StoreError::CodeTaken`] (choose another), and with
    /// [`StoreError::OptedOut`] if the contact opted out meanwhile.
    async fn challenge(
        &self,
        lease: &TurnLease,
        challenge: Challenge,
        now: Timestamp,
    ) -> Result<Challenged, StoreError>;

    /// Returns requests whose code is valid, oldest first.
    async fn pairing_requests(&self, now: Timestamp) -> Result<Vec<PairingRequest>, StoreError>;

    /// Approves a contact: queues the SMS `parts`, and then makes the kept messages ready for a turn. A number needs no
    /// request (the SMS leaves from `default_line`). Ends a block. Fails with [`StoreError::NotFound`] for an unknown
    /// or expired code.
    async fn approve(
        &self,
        who: Who,
        parts: Vec<PartDraft>,
        default_line: Option<LineId>,
        now: Timestamp,
    ) -> Result<Approved, StoreError>;

    /// Ends a request and deletes the kept messages; also ends an approval; with `block`, blocks the number. Fails with
    /// [`StoreError::NotFound`] for an unknown or expired code, and for a number without anything to end.
    async fn reject(&self, who: Who, block: bool, now: Timestamp) -> Result<PhoneNumber, StoreError>;

    /// Returns all approved contacts, newest first.
    async fn approved_contacts(&self) -> Result<Vec<ApprovedContact>, StoreError>;

    /// Returns the standing of a contact on a line.
    async fn standing(&self, line: LineId, contact: &PhoneNumber) -> Result<Standing, StoreError>;

    /// Deletes expired requests and messages kept too long. Returns the number of messages.
    async fn forget_strangers(&self, now: Timestamp) -> Result<usize, StoreError>;
}
