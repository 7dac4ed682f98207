//! The stop of an account: while the provider rejects it, nothing is sent until a probe shows that the operator has
//! fixed it.

use async_trait::async_trait;
use telephony_domain::time::Timestamp;

use crate::{Next, StoreError};

/// The reason and start of a stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountStop {
    /// Error code of the provider.
    pub code: Option<u32>,
    /// Cause and remedy, for the operator.
    pub reason: String,
    /// Time when the provider began to reject the account.
    pub since: Timestamp,
    /// Time of the next probe.
    pub next_probe: Timestamp,
}

/// The outcome of a probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeOutcome {
    /// The provider serves the account, as far as a read request can show.
    Served,
    /// The provider still rejects the account.
    Refused {
        /// Error code of the provider.
        code: Option<u32>,
        /// Cause and remedy, for the operator.
        reason: String,
    },
    /// The provider did not answer.
    NoAnswer,
}

/// The stop of the account's lines. [`crate::outbox::Outbox::part_failed`] begins it, and a part that the provider
/// accepts after a probe ends it.
#[async_trait]
pub trait AccountStops: Send + Sync {
    /// Returns the current stop.
    async fn account_stop(&self) -> Result<Option<AccountStop>, StoreError>;

    /// Takes a due probe, and schedules the next one (see [`telephony_domain::retry::PROBE`]).
    async fn begin_probe(&self, now: Timestamp) -> Result<Next<()>, StoreError>;

    /// Records the outcome of a probe. Once the provider serves the account, parts leave one at a time until one is
    /// accepted; a rejected part stops the account again and waits. Parts older than
    /// [`telephony_domain::retry::STALE_AFTER`] fail if the account was stopped for as long.
    async fn end_probe(&self, outcome: ProbeOutcome, now: Timestamp) -> Result<(), StoreError>;

    /// Makes the next probe due at once, because something has changed.
    async fn probe_soon(&self, now: Timestamp) -> Result<(), StoreError>;
}
