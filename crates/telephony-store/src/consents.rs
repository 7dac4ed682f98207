//! Who wants to hear from which line: what counts now, and everything that was ever said about it.

use async_trait::async_trait;
use telephony_domain::consent::{Evidence, Wish};
use telephony_domain::id::LineId;
use telephony_domain::number::PhoneNumber;
use telephony_domain::time::Timestamp;

use crate::StoreError;

/// Somebody's word on whether a contact wants to hear from a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// Who.
    pub contact: PhoneNumber,
    /// From which line.
    pub line: LineId,
    /// What they want.
    pub wish: Wish,
    /// How we know.
    pub evidence: Evidence,
    /// When it was said, as far as we know.
    pub at: Timestamp,
    /// We learnt it so late that we knew of something said after it: it changed nothing.
    pub is_overtaken: bool,
}

/// Consents. What contacts say themselves is recorded where their messages are accepted and ours are refused.
#[async_trait]
pub trait Consents: Send + Sync {
    /// Records the operator's word. An opt-out cancels what was to be sent. Returns whether it changes anything; what
    /// was the case already is not recorded again.
    async fn record_wish(
        &self,
        line: LineId,
        contact: &PhoneNumber,
        wish: Wish,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Opt-outs that count now, newest first: of each contact and line the one that began it.
    async fn opt_outs(&self) -> Result<Vec<Consent>, StoreError>;

    /// Everything that was ever said, newest first; only of `contact` where one is given.
    async fn consent_history(&self, contact: Option<PhoneNumber>) -> Result<Vec<Consent>, StoreError>;
}
