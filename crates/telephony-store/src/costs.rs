//! What messages cost: by the provider's word, and how often it is asked for it.

use std::time::Duration;

use async_trait::async_trait;
use telephony_domain::id::LineId;
use telephony_domain::money::{Billed, Price};
use telephony_domain::tariff::Kind;
use telephony_domain::time::Timestamp;

use crate::StoreError;

/// When the provider is asked what a message cost, after nothing more happened to it; then it is given up.
pub const ASK_AFTER: [Duration; 5] = [minutes(2), minutes(15), minutes(60), minutes(6 * 60), minutes(24 * 60)];

const fn minutes(number: u64) -> Duration {
    Duration::from_secs(60 * number)
}

/// When the provider is first asked for the price of a message to which nothing more happens.
pub(crate) fn first_ask(over: Timestamp) -> Timestamp {
    over + ASK_AFTER[0]
}

/// A message whose price is asked for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpriced {
    /// The provider's id of it.
    pub provider_id: String,
    /// When it left or came.
    pub time: Timestamp,
}

/// Messages of one day (UTC) with one contact that are billed alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spending {
    /// When the day began.
    pub day: Timestamp,
    /// The line; none for what came to a number that was not known to be ours.
    pub line: Option<LineId>,
    /// The other side, as the provider named it.
    pub contact: String,
    /// What they are billed as.
    pub kind: Kind,
    /// How many: requests to the provider, or messages from the contact.
    pub messages: u64,
    /// Segments of all of them: the provider's count, else ours.
    pub segments: u64,
    /// What all of them cost; none: the provider has not said.
    pub price: Option<Price>,
}

/// Costs.
#[async_trait]
pub trait Costs: Send + Sync {
    /// Messages both ways whose price is to be asked for by [`ASK_AFTER`], the longest due first. Asking once counts as
    /// asked.
    async fn unpriced(&self, limit: u32, now: Timestamp) -> Result<Vec<Unpriced>, StoreError>;

    /// Notes what messages cost; those that are not ours are left out. Returns how many were.
    async fn note_prices(&self, billed: Vec<Billed>) -> Result<usize, StoreError>;

    /// What was sent and received since then, in no order.
    async fn spending(&self, since: Timestamp) -> Result<Vec<Spending>, StoreError>;

    /// The newest prices (of a segment, or of a message with attachments) that we paid for this kind to or from the
    /// country with this calling code, newest first.
    async fn paid_before(&self, kind: Kind, country_code: &str) -> Result<Vec<Price>, StoreError>;
}
