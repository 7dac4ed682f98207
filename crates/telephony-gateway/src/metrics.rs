//! Metrics: counters of this process, and gauges measured in the database at each scrape.
//!
//! Counting is an atomic addition, cheap enough for code that the public reaches.

mod measured;
mod process;
pub mod server;

use std::fmt;
use std::time::{Duration, SystemTime};

use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use telephony_domain::delivery::Status;

pub use measured::Measured;

/// Prefix of all names.
const PREFIX: &str = "openclaw_telephony";

/// A label and its value.
type Label = [(&'static str, &'static str); 1];

/// Outcomes of requests to the public webhooks.
const WEBHOOKS: [&str; 14] = [
    "accepted",
    "unsigned",
    "bad_signature",
    "wrong_account",
    "recut",
    "malformed",
    "foreign_call",
    "no_such_path",
    "wrong_method",
    "no_place",
    "too_large",
    "too_slow",
    "cut_off",
    "not_stored",
];

/// Outcomes of incoming messages.
const MESSAGES: [&str; 7] = ["waiting", "unconfirmed", "refused", "keyword", "order", "empty", "repeat"];

/// Outcomes of attempts to hand a part over.
const HANDOVERS: [&str; 5] = ["sent", "retried", "held", "failed", "unknown"];

/// Outcomes of working on a turn.
const TURNS: [&str; 6] = ["answered", "refused", "challenged", "failed", "handed_back", "lost"];

/// Buckets in seconds: a fast agent needs less than one, and after five minutes the slowest has been given up.
const TURN_SECONDS: [f64; 10] = [0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

/// The counters of this process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    webhooks: Family<Label, Counter>,
    messages: Family<Label, Counter>,
    missed: Counter,
    reports: Family<Label, Counter>,
    handovers: Family<Label, Counter>,
    turns: Family<Label, Histogram, fn() -> Histogram>,
    started: SystemTime,
}

impl Default for Metrics {
    /// Starts all counters at zero, with every label value, so that a first event shows as an increase.
    fn default() -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let help = "Requests to the webhook and status paths, by outcome";
        let webhooks = counters(&mut registry, "webhooks", help, "outcome", WEBHOOKS);
        let help = "Incoming messages, by treatment; repeat: stored before";
        let messages = counters(&mut registry, "messages_received", help, "outcome", MESSAGES);
        let missed = Counter::default();
        let help = "Messages whose webhook never arrived, found in the account's list; also counted as received";
        registry.register("messages_missed", help, missed.clone());
        let help = "Status reports on our messages, by status";
        let reports = counters(&mut registry, "reports", help, "status", Status::all().map(Status::as_str));
        let help = "Attempts to send a part, by outcome";
        let handovers = counters(&mut registry, "handovers", help, "outcome", HANDOVERS);
        let turns = Family::new_with_constructor((|| Histogram::new(TURN_SECONDS)) as fn() -> Histogram);
        for outcome in TURNS {
            drop(turns.get_or_create(&[("outcome", outcome)]));
        }
        let help = "Time from leasing a turn to its end on disk, by outcome; failed turns are retried unless they are \
            dead";
        registry.register("turn_seconds", help, turns.clone());
        Self { registry, webhooks, messages, missed, reports, handovers, turns, started: SystemTime::now() }
    }
}

fn counters(
    registry: &mut Registry,
    name: &str,
    help: &str,
    label: &'static str,
    values: impl IntoIterator<Item = &'static str>,
) -> Family<Label, Counter> {
    let family = Family::<Label, Counter>::default();
    for value in values {
        drop(family.get_or_create(&[(label, value)]));
    }
    registry.register(name, help, family.clone());
    family
}

impl Metrics {
    /// Counts a request to the webhook with an outcome of `WEBHOOKS`.
    pub fn webhook(&self, outcome: &'static str) {
        debug_assert!(WEBHOOKS.contains(&outcome), "{outcome} does not start at zero");
        self.webhooks.get_or_create(&[("outcome", outcome)]).inc();
    }

    /// Counts an incoming message with an outcome of `MESSAGES`.
    pub fn message(&self, outcome: &'static str) {
        self.messages.get_or_create(&[("outcome", outcome)]).inc();
    }

    /// Counts messages that arrived without a webhook.
    pub fn missed(&self, messages: u64) {
        self.missed.inc_by(messages);
    }

    /// Counts a status report on one of our messages.
    pub fn report(&self, status: Status) {
        self.reports.get_or_create(&[("status", status.as_str())]).inc();
    }

    /// Counts an attempt at a part with an outcome of `HANDOVERS`.
    pub fn handover(&self, outcome: &'static str) {
        self.handovers.get_or_create(&[("outcome", outcome)]).inc();
    }

    /// Counts work on a turn with an outcome of `TURNS` and its duration.
    pub fn turn(&self, outcome: &'static str, took: Duration) {
        self.turns.get_or_create(&[("outcome", outcome)]).observe(took.as_secs_f64());
    }

    /// Formats the counters and `measured` as OpenMetrics 1.0 text.
    pub fn page(&self, measured: &Measured) -> Result<String, fmt::Error> {
        let mut page = String::new();
        encode_registry(&mut page, &self.registry)?;
        encode_registry(&mut page, &measured.registry())?;
        encode_registry(&mut page, &process::registry(self.started))?;
        encode_eof(&mut page)?;
        Ok(page)
    }
}
