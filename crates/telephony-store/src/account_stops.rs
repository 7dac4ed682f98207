//! The provider refuses the whole account: nothing is sent until a probe shows that the operator has fixed it.

use async_trait::async_trait;
use telephony_domain::time::Timestamp;

use crate::{Next, StoreError};

/// The name of the notice that holds while the account is stopped.
pub const ACCOUNT_STOPPED: &str = "account-stopped";

/// Why nothing is sent, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountStop {
    /// The provider's error code.
    pub code: Option<u32>,
    /// The cause and the remedy, in words for the operator.
    pub reason: String,
    /// When the provider began to refuse the account.
    pub since: Timestamp,
    /// When the account is probed next.
    pub next_probe: Timestamp,
}

/// The outcome of a probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeOutcome {
    /// The provider serves the account, as far as a read can show.
    Served,
    /// The provider still refuses the account.
    Refused {
        /// The provider's error code.
        code: Option<u32>,
        /// The cause and the remedy, in words for the operator.
        reason: String,
    },
    /// The provider could not be asked.
    NoAnswer,
}

/// The stop of the account's lines. [`crate::outbox::Outbox::part_failed`] begins it, a part that the provider accepts
/// after a probe ends it.
#[async_trait]
pub trait AccountStops: Send + Sync {
    /// The stop, while there is one.
    async fn account_stop(&self) -> Result<Option<AccountStop>, StoreError>;

    /// Takes the probe that is due, and schedules the next one (see [`telephony_domain::retry::PROBE`]).
    async fn begin_probe(&self, now: Timestamp) -> Result<Next<()>, StoreError>;

    /// Notes the outcome of a probe. Where the provider serves the account, parts leave one at a time until one is
    /// accepted; a part that is refused stops the account again, unharmed. Parts older than
    /// [`telephony_domain::retry::STALE_AFTER`] fail if the account was stopped for as long.
    async fn end_probe(&self, outcome: ProbeOutcome, now: Timestamp) -> Result<(), StoreError>;

    /// Makes the next probe due at once, because something has changed.
    async fn probe_soon(&self, now: Timestamp) -> Result<(), StoreError>;
}
