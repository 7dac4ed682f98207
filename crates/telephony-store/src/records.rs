//! What is held about people, and how it goes: all of one contact's at the operator's word, the rest by its age.

use async_trait::async_trait;
use telephony_domain::number::PhoneNumber;
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::consents::Consent;
use crate::contacts::PairingRequest;
use crate::history::Detail;

/// Everything that is held about a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Who.
    pub contact: PhoneNumber,
    /// When the operator approved them.
    pub approved: Option<Timestamp>,
    /// When the operator blocked them.
    pub blocked: Option<Timestamp>,
    /// Their request to be paired.
    pub pairing: Option<PairingRequest>,
    /// What they said about hearing from us, newest first.
    pub consents: Vec<Consent>,
    /// What was said both ways, oldest first, with everything that happened to it.
    pub messages: Vec<Detail>,
}

/// How much is held about a contact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Holdings {
    /// Messages from them.
    pub inbound: u64,
    /// Messages to them.
    pub outbound: u64,
    /// Of these, messages that are being handed over or in doubt; they stay until that is settled.
    pub in_hand: u64,
    /// Whether a request to be paired waits.
    pub has_request: bool,
    /// Whether the operator approved them.
    pub is_approved: bool,
    /// Whether the operator blocked them; that stays.
    pub is_blocked: bool,
    /// Whether they opted out of any line; that stays.
    pub is_opted_out: bool,
}

/// A step of a purge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purged {
    /// How many messages went.
    pub messages: usize,
    /// Whether nothing is left but what stays.
    pub is_done: bool,
}

/// Records.
#[async_trait]
pub trait Records: Send + Sync {
    /// Everything that is held about a contact.
    async fn record_of(&self, contact: &PhoneNumber) -> Result<Record, StoreError>;

    /// How much is held about a contact.
    async fn holdings(&self, contact: &PhoneNumber) -> Result<Holdings, StoreError>;

    /// Ends all work for a contact and deletes what is held about them, at most so many messages each way at a time: to be
    /// repeated until it is done. An opt-out and a block stay, for they protect the contact; so do, for now, messages that
    /// are being handed over or in doubt.
    async fn purge(&self, contact: &PhoneNumber, at_most: u32, now: Timestamp) -> Result<Purged, StoreError>;

    /// Deletes messages and turns that came before `before` and are finished, at most so many of each at a time, the
    /// oldest first. Returns how many; none: there are no more.
    async fn expire(&self, before: Timestamp, at_most: u32, now: Timestamp) -> Result<usize, StoreError>;
}
