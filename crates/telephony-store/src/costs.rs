//! Message prices reported by the provider, and the schedule for asking.

use std::time::Duration;

use async_trait::async_trait;
use telephony_domain::id::LineId;
use telephony_domain::money::{Billed, Price};
use telephony_domain::number::PhoneNumber;
use telephony_domain::tariff::BillingKind;
use telephony_domain::time::Timestamp;

use crate::StoreError;

/// Ages of a message, counted from its last change, at which the provider is asked for its price; then it is given up.
pub const ASK_AFTER: [Duration; 5] = [minutes(2), minutes(15), minutes(60), minutes(6 * 60), minutes(24 * 60)];

const fn minutes(number: u64) -> Duration {
    Duration::from_secs(60 * number)
}

/// Returns when to ask first for the price of a message that changed last at `over`.
pub(crate) fn first_ask(over: Timestamp) -> Timestamp {
    over + ASK_AFTER[0]
}

/// A message whose price is due to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpriced {
    /// Id at the provider.
    pub provider_id: String,
    /// Time when it was sent or received.
    pub time: Timestamp,
}

/// Messages of one UTC day with one contact that are billed alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spending {
    /// Start of the day.
    pub day: Timestamp,
    /// Line; none for messages to a number not known to be ours.
    pub line: Option<LineId>,
    /// Address of the contact at the provider.
    pub contact: String,
    /// The kind of message, which decides the price.
    pub kind: BillingKind,
    /// Number of requests to the provider, or of messages from the contact.
    pub messages: u64,
    /// Total segments: the provider's count, else ours.
    pub segments: u64,
    /// Total price; none if the provider has not reported it.
    pub price: Option<Price>,
}

/// Calls of one UTC day with one contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallSpending {
    /// Start of the day.
    pub day: Timestamp,
    /// The line that the calls used.
    pub line: LineId,
    /// Number of the other side.
    pub contact: PhoneNumber,
    /// True if the contact called us.
    pub is_inbound: bool,
    /// Number of calls that were answered.
    pub calls: u64,
    /// Their time from answer to end, where it is known.
    pub spoken: Duration,
    /// Total price; none if the provider has not reported it.
    pub price: Option<Price>,
}

/// The record of costs.
#[async_trait]
pub trait Costs: Send + Sync {
    /// Returns messages in both directions whose price is due by [`ASK_AFTER`], the longest overdue first, and counts
    /// them as asked.
    async fn unpriced(&self, provider: &str, limit: u32, now: Timestamp) -> Result<Vec<Unpriced>, StoreError>;

    /// Records prices; ignores messages that are not ours. Returns the number recorded.
    async fn note_prices(&self, provider: &str, billed: Vec<Billed>) -> Result<usize, StoreError>;

    /// Returns the provider's ids of answered calls whose price is due by [`ASK_AFTER`], and counts them as asked.
    async fn unpriced_calls(&self, provider: &str, limit: u32, now: Timestamp) -> Result<Vec<String>, StoreError>;

    /// Records the duration of a call, and its price if the provider knows it.
    async fn note_call_price(
        &self,
        provider: &str,
        provider_id: &str,
        spoken: Option<Duration>,
        price: Option<Price>,
    ) -> Result<(), StoreError>;

    /// Returns calls answered since then, in no particular order.
    async fn call_spending(&self, since: Timestamp) -> Result<Vec<CallSpending>, StoreError>;

    /// Returns messages sent and received since then, in no particular order.
    async fn spending(&self, since: Timestamp) -> Result<Vec<Spending>, StoreError>;

    /// Returns the latest prices (per segment, or per message with attachments) paid for this kind to or from the
    /// country with this calling code, newest first.
    async fn paid_before(&self, kind: BillingKind, country_code: &str) -> Result<Vec<Price>, StoreError>;
}
