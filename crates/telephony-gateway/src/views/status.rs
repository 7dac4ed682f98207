//! The gateway's state and its queues.

use serde::Serialize;
use telephony_domain::time::Timestamp;
use telephony_store::account_stops::AccountStop;
use telephony_store::history::WorkSummary;
use telephony_store::lines::LineQueue;

use super::time::TimeView;
use crate::control::status::{GatewayStatus, StorageAlive};

/// The state of the channel.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusView {
    /// The running gateway; none if it is not running.
    pub gateway: Option<GatewayStatus>,
    /// The reason why messages cannot be stored, if so.
    pub storage: Option<StorageAlive>,
    /// Name of the provider.
    pub provider: String,
    /// Number of the configured line.
    pub from_number: Option<String>,
    /// Messaging service of the configured line.
    pub messaging_service_sid: Option<String>,
    /// Policy for incoming messages.
    pub inbound_policy: &'static str,
    /// Numbers of incoming messages and turns.
    pub inbox: InboxView,
    /// Numbers of outgoing messages and parts.
    pub outbox: OutboxView,
    /// Numbers of calls.
    pub calls: CallsView,
    /// Number of pairing requests that wait for the operator.
    pub pairing_requests: u64,
    /// The reason why nothing is sent, while the provider rejects the account.
    pub stopped: Option<AccountStopView>,
    /// Messages of the last 24 hours for which it will never be known whether they were sent.
    pub finally_unknown: Vec<String>,
    /// Texts of the notices that hold.
    pub notices: Vec<String>,
    /// Warnings about the configuration.
    pub warnings: Vec<String>,
}

/// A stop of the account.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountStopView {
    /// Error code of the provider.
    pub code: Option<u32>,
    /// Meaning of the error code, with advice for the operator.
    pub reason: String,
    /// Time when the provider began to reject it.
    pub since: TimeView,
    /// Time of the next probe.
    pub next_probe: TimeView,
}

/// Numbers of incoming messages and of turns.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InboxView {
    /// Messages received in the last 24 hours.
    pub received_today: u64,
    /// Messages that wait for their turn.
    pub waiting: u64,
    /// Turns that the agent is answering.
    pub answering: u64,
    /// Failed turns that are soon retried.
    pub retrying: u64,
    /// Failed turns that are retried rarely.
    pub parked: u64,
    /// Turns that are no longer retried.
    pub dead: u64,
    /// Messages of strangers that wait for an approval.
    pub kept: u64,
    /// Messages to a number that is not known to be ours.
    pub unconfirmed: u64,
}

/// Numbers of outgoing messages and parts.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OutboxView {
    /// Parts that wait for their line or a retry.
    pub queued: u64,
    /// Billed segments of the waiting parts.
    pub queued_segments: u32,
    /// Time when the longest queue is sent; none if nothing waits long.
    pub queue_ends_at: Option<TimeView>,
    /// Limit that the longest queue waits for.
    pub queue_waits_for: Option<String>,
    /// Parts that are being sent.
    pub sending: u64,
    /// Parts for which it is not known whether they were sent.
    pub unknown: u64,
    /// Parts sent in the last 24 hours.
    pub sent_today: u64,
    /// Parts delivered in the last 24 hours.
    pub delivered_today: u64,
    /// Parts that failed in the last 24 hours.
    pub failed_today: u64,
}

/// Numbers of calls, in both directions.
#[derive(Serialize)]
pub struct CallsView {
    /// Calls of the last 24 hours.
    pub today: u64,
    /// Calls in progress.
    pub open: u64,
}

impl AccountStopView {
    /// Converts a stop.
    pub fn of(stop: AccountStop) -> Self {
        Self {
            code: stop.code,
            reason: stop.reason,
            since: TimeView(stop.since),
            next_probe: TimeView(stop.next_probe),
        }
    }
}

impl InboxView {
    /// Picks the numbers of incoming messages.
    pub fn of(summary: &WorkSummary) -> Self {
        Self {
            received_today: summary.received_today,
            waiting: summary.waiting,
            answering: summary.answering,
            retrying: summary.retrying,
            parked: summary.parked,
            dead: summary.dead,
            kept: summary.kept,
            unconfirmed: summary.unconfirmed,
        }
    }
}

impl OutboxView {
    /// Picks the numbers of outgoing messages, and describes the queue that takes longest.
    pub fn of(summary: &WorkSummary, queues: &[LineQueue], now: Timestamp) -> Self {
        let longest = queues.iter().max_by_key(|queue| queue.ends).filter(|queue| queue.ends > now);
        Self {
            queued: summary.queued,
            queued_segments: queues.iter().map(|queue| queue.segments).sum(),
            queue_ends_at: longest.map(|queue| TimeView(queue.ends)),
            queue_waits_for: longest.and_then(|queue| queue.waits_for.clone()),
            sending: summary.sending,
            unknown: summary.unknown,
            sent_today: summary.sent_today,
            delivered_today: summary.delivered_today,
            failed_today: summary.failed_today,
        }
    }
}

impl CallsView {
    /// Picks the numbers of calls.
    pub fn of(summary: &WorkSummary) -> Self {
        Self { today: summary.calls_today, open: summary.open_calls }
    }
}
