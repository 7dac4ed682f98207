//! Consent of contacts to messages from each line: the current state and the history.

use async_trait::async_trait;
use telephony_domain::consent::{Evidence, Wish};
use telephony_domain::id::LineId;
use telephony_domain::number::PhoneNumber;
use telephony_domain::time::Timestamp;

use crate::StoreError;

/// A recorded wish of a contact about a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// Number of the contact.
    pub contact: PhoneNumber,
    /// The line that the wish is about.
    pub line: LineId,
    /// The wish: opted out or in.
    pub wish: Wish,
    /// The way in which we learned of it.
    pub evidence: Evidence,
    /// Time when it was expressed, as far as known.
    pub at: Timestamp,
    /// True if it was recorded after a later wish was known, so it changed nothing.
    pub is_overtaken: bool,
}

/// The record of consents. Wishes of contacts themselves are recorded where their messages are accepted and ours are
/// rejected.
#[async_trait]
pub trait Consents: Send + Sync {
    /// Records the operator's entry. An opt-out cancels queued messages. Returns false if it changes nothing, and then
    /// records nothing.
    async fn record_wish(
        &self,
        line: LineId,
        contact: &PhoneNumber,
        wish: Wish,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Returns opt-outs in effect, newest first: for each contact and line the one that began it.
    async fn opt_outs(&self) -> Result<Vec<Consent>, StoreError>;

    /// Returns the whole history, newest first; only for `contact` if given.
    async fn consent_history(&self, contact: Option<PhoneNumber>) -> Result<Vec<Consent>, StoreError>;
}
