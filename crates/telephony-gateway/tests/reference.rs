//! The metrics reference matches the code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use telephony_domain::id::LineId;
use telephony_domain::limit::Limits;
use telephony_domain::line::Sender;
use telephony_gateway::metrics::{Measured, Metrics};
use telephony_store::history::{Backlog, LineBacklog};
use telephony_store::lines::Line;

const HEAD: &str = "\
# Metrics reference

<!-- Generated from the code: run `UPDATE_REFERENCE=1 cargo test -p telephony-gateway --test reference` after a change. -->

The metrics of `GET /metrics`, in the text format of OpenMetrics 1.0. Set [`metrics.port`](configuration.md#metrics) to
enable them. [Monitoring](../guides/monitoring.md) explains how to read them and which deserve an alert. Counters and
`turn_seconds` begin at zero when the gateway starts; everything else is measured in the database at each scrape.

| name | kind | labels | meaning |
|---|---|---|---|
";

/// Returns a page that contains every metric.
fn full_page() -> String {
    let sender = Sender { number: Some("+15550001234".parse().unwrap()), messaging_service: None };
    let line = Line { id: LineId(1), sender };
    let lines = vec![LineBacklog { line, parts: 0, segments: 0, oldest: None }];
    let measured = Measured {
        backlog: Backlog { lines, ..Backlog::default() },
        limits: Limits { segments_per_day: Some(1), ..Limits::default() },
        ..Measured::default()
    };
    Metrics::default().page(&measured).unwrap()
}

#[derive(Default)]
struct Described<'a> {
    kind: &'a str,
    help: &'a str,
    labels: BTreeMap<&'a str, Vec<&'a str>>,
}

fn read(page: &str) -> Vec<(&str, Described<'_>)> {
    let mut all: Vec<(&str, Described<'_>)> = Vec::new();
    for line in page.lines() {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            all.push((name, Described { help: help.trim_end_matches('.'), ..Described::default() }));
        } else if let Some((_, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
            all.last_mut().unwrap().1.kind = kind;
        } else if let Some((_, labels)) = line.split_once('{') {
            let labels = labels.split_once('}').unwrap().0;
            for (label, value) in labels.split(',').map(|label| label.split_once('=').unwrap()) {
                let values = all.last_mut().unwrap().1.labels.entry(label).or_default();
                if !values.contains(&value) {
                    values.push(value);
                }
            }
        }
    }
    all
}

fn labels(described: &Described<'_>) -> String {
    let free = ["line", "sender", "version"];
    let shown = described.labels.iter().filter(|(label, _)| **label != "le").map(|(label, values)| {
        let mut values: Vec<_> = values.iter().map(|value| format!("`{}`", value.trim_matches('"'))).collect();
        values.sort();
        if free.contains(label) { format!("`{label}`") } else { format!("`{label}`: {}", values.join(", ")) }
    });
    shown.collect::<Vec<_>>().join("; ")
}

#[test]
fn the_metrics_page_is_what_the_code_generates() {
    let page = full_page();
    let mut generated = HEAD.to_owned();
    for (name, described) in read(&page) {
        let suffix = match described.kind {
            "counter" => "_total",
            "info" => "_info",
            _ => "",
        };
        let (kind, help, labels) = (described.kind, described.help, labels(&described));
        writeln!(generated, "| `{name}{suffix}` | {kind} | {labels} | {help}. |").unwrap();
    }
    generated.push_str(
        "\n`line` is the line's number in the database, `sender` its Messaging Service or its phone number with the middle \
         hidden.\n",
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/metrics.md");
    if std::env::var_os("UPDATE_REFERENCE").is_some() {
        std::fs::write(&path, &generated).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == generated, "docs/reference/metrics.md is stale: see its first lines");
}
