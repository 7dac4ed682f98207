//! Gauges measured in the database at one moment.

use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use telephony_domain::limit::Limits;
use telephony_domain::time::Timestamp;
use telephony_store::history::{Backlog, LineBacklog, WorkSummary};

use super::PREFIX;

/// Values that are measured in the store at each scrape.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    /// Counts of messages and parts.
    pub summary: WorkSummary,
    /// Ages of waiting work.
    pub backlog: Backlog,
    /// Bytes waiting in the journal.
    pub journal: u64,
    /// Notices currently in effect.
    pub notices: usize,
    /// True if sending is stopped because the provider rejects the account.
    pub is_stopped: bool,
    /// The operator's limits, to show their use.
    pub limits: Limits,
    /// Time of the measurement.
    pub now: Timestamp,
}

/// The labels of a line.
type Labels = Vec<(&'static str, String)>;

impl Measured {
    /// Converts the values into gauges.
    pub(super) fn registry(&self) -> Registry {
        let mut registry = Registry::with_prefix(PREFIX);
        self.inbox(&mut registry);
        self.outbox(&mut registry);
        self.calls(&mut registry);
        self.lines(&mut registry);
        self.limits(&mut registry);
        self.writer(&mut registry);
        let help = "1 while the whole account is rejected, so that every message waits";
        gauge(&mut registry, "sending_stopped", help, self.is_stopped.into());
        let help = "Notices in effect; `openclaw telephony status` has their texts";
        gauge(&mut registry, "notices", help, number(self.notices as u64));
        registry
    }

    fn inbox(&self, registry: &mut Registry) {
        let help = "Bytes of acknowledged webhooks that are not in the database yet; near 0 except in a flood";
        gauge(registry, "journal_bytes", help, number(self.journal));
        let WorkSummary { waiting, kept, unconfirmed, .. } = self.summary;
        let states = [("waiting", waiting), ("kept", kept), ("unconfirmed", unconfirmed)];
        gauges(registry, "inbox_messages", "Incoming messages that are not in a turn yet, by state", &states);
        let help = "Age of the oldest message without a turn in seconds; 0 if none waits";
        gauge(registry, "inbox_oldest_seconds", help, self.age(self.backlog.oldest_waiting));
        let WorkSummary { answering, retrying, parked, dead, .. } = self.summary;
        let states = [("answering", answering), ("retrying", retrying), ("parked", parked), ("dead", dead)];
        gauges(registry, "turns", "Turns without an answer, by state", &states);
        let help = "Strangers who wait for approval and whose code is still valid";
        gauge(registry, "pairing_requests", help, number(self.summary.pairing_requests));
    }

    fn outbox(&self, registry: &mut Registry) {
        let WorkSummary { queued, sending, unknown, .. } = self.summary;
        let states = [("waiting", queued), ("sending", sending), ("unknown", unknown)];
        let help =
            "Parts that are not sent yet, by state; unknown: possibly sent, being looked up in the account's list";
        gauges(registry, "outbox_parts", help, &states);
        let WorkSummary { sent_today, delivered_today, failed_today, .. } = self.summary;
        let never_known = self.backlog.finally_unknown_today;
        let states = [
            ("sent", sent_today),
            ("delivered", delivered_today),
            ("failed", failed_today),
            ("finally_unknown", never_known),
        ];
        let help = "Parts with this outcome in the last 24 hours; finally_unknown: it will never be known";
        gauges(registry, "parts_today", help, &states);
    }

    fn calls(&self, registry: &mut Registry) {
        gauge(registry, "calls_open", "Calls that are not over", number(self.summary.open_calls));
        let help = "Calls that came in or were placed in the last 24 hours";
        gauge(registry, "calls_today", help, number(self.summary.calls_today));
    }

    fn lines(&self, registry: &mut Registry) {
        self.by_line(registry, "line_parts", "Parts waiting to be sent", |line| number(line.parts));
        self.by_line(registry, "line_segments", "Segments waiting to be sent", |line| number(line.segments));
        let help = "Age of the oldest message with a waiting part in seconds; 0 if none waits";
        self.by_line(registry, "line_oldest_seconds", help, |line| self.age(line.oldest));
    }

    fn by_line(&self, registry: &mut Registry, name: &str, help: &str, value: impl Fn(&LineBacklog) -> i64) {
        let family = Family::<Labels, Gauge>::default();
        for waits in &self.backlog.lines {
            let sender = &waits.line.sender;
            let shown = sender.messaging_service.clone().or_else(|| sender.number.as_ref().map(|own| own.masked()));
            let labels = vec![("line", waits.line.id.to_string()), ("sender", shown.unwrap_or_default())];
            family.get_or_create(&labels).set(value(waits));
        }
        registry.register(name, help, family);
    }

    fn limits(&self, registry: &mut Registry) {
        let help = "Segments of the last 24 hours that count towards limits.segmentsPerDay";
        gauge(registry, "segments_spent_today", help, number(self.backlog.spent_today));
        if let Some(most) = self.limits.segments_per_day {
            gauge(registry, "segments_limit_today", "limits.segmentsPerDay; missing without a limit", most.into());
        }
    }

    fn writer(&self, registry: &mut Registry) {
        let help = "Writes waiting for the database";
        gauge(registry, "writer_queue", help, number(self.backlog.to_write as u64));
    }

    fn age(&self, since: Option<Timestamp>) -> i64 {
        since.map_or(0, |since| number(self.now.since(since).as_secs()))
    }
}

fn gauge(registry: &mut Registry, name: &str, help: &str, value: i64) {
    let gauge = Gauge::<i64>::default();
    gauge.set(value);
    registry.register(name, help, gauge);
}

fn gauges(registry: &mut Registry, name: &str, help: &str, states: &[(&'static str, u64)]) {
    let family = Family::<super::Label, Gauge>::default();
    for (state, value) in states {
        family.get_or_create(&[("state", state)]).set(number(*value));
    }
    registry.register(name, help, family);
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
