//! The parts of an outgoing message.

use serde::Serialize;
use telephony_providers::provider::Webhooks;
use telephony_store::outbox::PartProgress;

use super::money::MoneyView;
use super::time::TimeView;

/// A part of an outgoing message.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PartView {
    /// Id at the provider, once it accepted the part.
    pub sid: Option<String>,
    /// State in the outbox.
    pub state: &'static str,
    /// Status at the provider.
    pub status: Option<&'static str>,
    /// Segments that the carrier bills.
    pub segments: u32,
    /// Error code of the provider.
    pub code: Option<u32>,
    /// Cause of a failure or a wait, in words.
    pub reason: Option<String>,
    /// Time of the next attempt, while it waits.
    pub next_attempt_at: Option<TimeView>,
    /// Limit that it waits for, as a key below `limits`, or `daily-cap` for the provider's own.
    pub waits_for: Option<String>,
    /// Status that the provider reported as well, and that contradicts `status`.
    pub conflict: Option<&'static str>,
    /// Price, once the provider reported it.
    pub price: Option<MoneyView>,
}

impl PartView {
    /// Converts a part; adds the meaning of the provider's error code if the part itself has no reason.
    pub fn of(part: &PartProgress, provider: &dyn Webhooks) -> Self {
        Self {
            sid: part.provider_id.clone(),
            state: part.state.as_str(),
            status: part.status.map(|status| status.as_str()),
            segments: part.segments,
            code: part.code,
            reason: reason(part, provider),
            next_attempt_at: part.next_attempt.map(TimeView),
            waits_for: part.waits_for.clone(),
            conflict: part.conflict.map(|status| status.as_str()),
            price: part.price.map(MoneyView::of),
        }
    }
}

/// Explains to the operator why a part failed or waits.
pub fn reason(part: &PartProgress, provider: &dyn Webhooks) -> Option<String> {
    part.reason.clone().or_else(|| Some(provider.explain(part.code?)))
}
