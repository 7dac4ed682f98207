//! What those who watch are told: counters of what happens here, and at each look what the database says.
//!
//! Counting is an atomic addition, so it may be done where the public reaches us.

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

/// What all our names begin with.
const PREFIX: &str = "openclaw_telephony";

/// A label and its value.
type Label = [(&'static str, &'static str); 1];

/// What becomes of a request to the public listener's webhooks.
const WEBHOOKS: [&str; 13] = [
    "accepted",
    "unsigned",
    "bad_signature",
    "wrong_account",
    "recut",
    "malformed",
    "no_such_path",
    "wrong_method",
    "no_place",
    "too_large",
    "too_slow",
    "cut_off",
    "not_stored",
];

/// What becomes of a message that comes in.
const MESSAGES: [&str; 7] = ["waiting", "unconfirmed", "refused", "keyword", "order", "empty", "repeat"];

/// What an attempt to hand a part over comes to.
const HANDOVERS: [&str; 5] = ["sent", "retried", "held", "failed", "unknown"];

/// What work on a turn comes to.
const TURNS: [&str; 6] = ["answered", "refused", "challenged", "failed", "handed_back", "lost"];

/// Seconds: a fast agent needs less than one, and after five minutes the slowest has been given up.
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
    /// Everything at zero. Each value of a label is there from the start, so that a first event shows as an increase.
    fn default() -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let help = "Requests to the webhook and status paths, by what became of them";
        let webhooks = counters(&mut registry, "webhooks", help, "outcome", WEBHOOKS);
        let help = "Messages that came in, by what was to be done with them; repeat: it was stored before";
        let messages = counters(&mut registry, "messages_received", help, "outcome", MESSAGES);
        let missed = Counter::default();
        let help = "Messages whose webhook never came, found in the provider's list; counted as received too";
        registry.register("messages_missed", help, missed.clone());
        let help = "Status reports on messages of ours, by status";
        let reports = counters(&mut registry, "reports", help, "status", Status::all().map(Status::as_str));
        let help = "Attempts to hand a part to the provider, by what came of them";
        let handovers = counters(&mut registry, "handovers", help, "outcome", HANDOVERS);
        let turns = Family::new_with_constructor((|| Histogram::new(TURN_SECONDS)) as fn() -> Histogram);
        for outcome in TURNS {
            drop(turns.get_or_create(&[("outcome", outcome)]));
        }
        let help = "Time from taking a turn up to its end on disk, by what came of it; \
                    failed ones are tried again unless they are dead";
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
    /// A request to the webhook came to this, one of `WEBHOOKS`.
    pub fn webhook(&self, outcome: &'static str) {
        self.webhooks.get_or_create(&[("outcome", outcome)]).inc();
    }

    /// A message that came in is to be treated like this, one of `MESSAGES`.
    pub fn message(&self, outcome: &'static str) {
        self.messages.get_or_create(&[("outcome", outcome)]).inc();
    }

    /// So many messages came without a webhook.
    pub fn missed(&self, messages: u64) {
        self.missed.inc_by(messages);
    }

    /// The provider reported this of a message of ours.
    pub fn report(&self, status: Status) {
        self.reports.get_or_create(&[("status", status.as_str())]).inc();
    }

    /// An attempt at a part came to this, one of `HANDOVERS`.
    pub fn handover(&self, outcome: &'static str) {
        self.handovers.get_or_create(&[("outcome", outcome)]).inc();
    }

    /// Work on a turn came to this, one of `TURNS`, after so long.
    pub fn turn(&self, outcome: &'static str, took: Duration) {
        self.turns.get_or_create(&[("outcome", outcome)]).observe(took.as_secs_f64());
    }

    /// All of it and `measured`, in the text form of OpenMetrics 1.0.
    pub fn page(&self, measured: &Measured) -> Result<String, fmt::Error> {
        let mut page = String::new();
        encode_registry(&mut page, &self.registry)?;
        encode_registry(&mut page, &measured.registry())?;
        encode_registry(&mut page, &process::registry(self.started))?;
        encode_eof(&mut page)?;
        Ok(page)
    }
}
