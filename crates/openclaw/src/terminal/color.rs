//! Colors of states and labels, on a terminal only; `NO_COLOR` turns them off.

use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};

pub const PLAIN: Style = Style::new();
pub const HEADING: Style = Style::new().bold();
pub const GOOD: Style = AnsiColor::Green.on_default();
pub const WARNING: Style = AnsiColor::Yellow.on_default().bold();
pub const BAD: Style = AnsiColor::Red.on_default().bold();
pub const FAINT: Style = Style::new().dimmed();
const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// Labels that begin a line on stderr.
const LABELS: [(&str, Style); 3] = [("error:", BAD), ("warning:", WARNING), ("hint:", HINT)];

/// Returns true if `stream` shows colors.
pub fn is_shown_on(stream: &impl RawStream) -> bool {
    AutoStream::choice(stream) != ColorChoice::Never
}

/// Returns the color of a state, which may have more words behind it.
pub fn of_state(state: &str) -> Style {
    match state.split(' ').next().unwrap_or_default() {
        "delivered" | "read" | "answered" | "completed" => GOOD,
        "failed" | "undelivered" | "dead" | "finally-unknown" => BAD,
        "unknown"
        | "unconfirmed"
        | "kept"
        | "parked"
        | "dropped"
        | "partially_delivered"
        | "canceled"
        | "busy"
        | "no-answer" => WARNING,
        _ => PLAIN,
    }
}

/// Colors the label at the beginning of each line.
pub fn labels(text: &str) -> String {
    let colored = |line: &str| {
        let found =
            LABELS.iter().find_map(|(label, style)| Some((label, style, line.trim_start().strip_prefix(label)?)));
        found.map_or_else(
            || line.to_owned(),
            |(label, style, rest)| {
                let margin = &line[..line.len() - label.len() - rest.len()];
                format!("{margin}{style}{label}{style:#}{rest}")
            },
        )
    };
    text.split('\n').map(colored).collect::<Vec<_>>().join("\n")
}
