//! Stored personal data, and its deletion: one contact's at the operator's request, old data by age.

use async_trait::async_trait;
use telephony_domain::number::PhoneNumber;
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::calls::CallDetail;
use crate::consents::Consent;
use crate::contacts::PairingRequest;
use crate::history::MessageDetail;

/// Everything stored about a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Number of the contact.
    pub contact: PhoneNumber,
    /// Time of the approval.
    pub approved: Option<Timestamp>,
    /// Time of the block.
    pub blocked: Option<Timestamp>,
    /// The open pairing request, if there is one.
    pub pairing: Option<PairingRequest>,
    /// Consent history, newest first.
    pub consents: Vec<Consent>,
    /// Messages in both directions with their history, oldest first.
    pub messages: Vec<MessageDetail>,
    /// Calls with their transcripts, oldest first.
    pub calls: Vec<CallDetail>,
}

/// Amounts of data stored about a contact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecordCounts {
    /// Number of messages from the contact.
    pub inbound: u64,
    /// Number of messages to the contact.
    pub outbound: u64,
    /// Calls in both directions.
    pub calls: u64,
    /// Of these, calls that the provider still has open; they stay until they end.
    pub open_calls: u64,
    /// Messages being handed over or in doubt; they stay until that is resolved.
    pub in_hand: u64,
    /// True if there is a pairing request.
    pub has_request: bool,
    /// True if the contact is approved.
    pub is_approved: bool,
    /// True if the contact is blocked; that stays.
    pub is_blocked: bool,
    /// True if the contact opted out of any line; that stays.
    pub is_opted_out: bool,
}

/// The result of one step of a purge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purged {
    /// Number of deleted messages.
    pub messages: usize,
    /// Number of deleted calls.
    pub calls: usize,
    /// True if everything is deleted that can be.
    pub is_done: bool,
}

/// Access to stored personal data.
#[async_trait]
pub trait Records: Send + Sync {
    /// Returns everything stored about a contact.
    async fn record_of(&self, contact: &PhoneNumber) -> Result<Record, StoreError>;

    /// Returns the amounts of data stored about a contact.
    async fn holdings(&self, contact: &PhoneNumber) -> Result<RecordCounts, StoreError>;

    /// Ends all work for a contact and deletes their data, at most `at_most` messages per direction; repeat it until
    /// nothing is deleted. Keeps an opt-out and a block, because they protect the contact, and for now also messages
    /// that are being sent or in doubt.
    async fn purge(&self, contact: &PhoneNumber, at_most: u32, now: Timestamp) -> Result<Purged, StoreError>;

    /// Deletes finished messages and turns from before `before`, at most `at_most` of each, oldest first. Returns their
    /// number, which is 0 once there are no more.
    async fn expire(&self, before: Timestamp, at_most: u32, now: Timestamp) -> Result<usize, StoreError>;
}
