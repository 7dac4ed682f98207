//! The log on stderr: text on a terminal, JSON otherwise.

use std::borrow::Cow;
use std::env;
use std::fmt;
use std::io::{self, IsTerminal, Write, stderr};

use telephony_domain::unprintable;
use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::{self, Json, JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use crate::terminal;

/// The log filter, in `tracing` syntax, such as `debug` or `telephony_gateway=debug`.
const FILTER: &str = "OPENCLAW_LOG";

/// The log format, `text` or `json`; overrides the detection of a terminal.
const FORMAT: &str = "OPENCLAW_LOG_FORMAT";

/// The default verbosity, unless `OPENCLAW_LOG` is set.
#[derive(Debug, Clone, Copy)]
pub enum Level {
    /// The daemon's log.
    Everything,
    /// Only problems that the user of a command has to know.
    OnlyTrouble,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Text,
    Json,
}

/// Starts the log. An invalid variable counts as unset, and the first log line says so.
pub fn start(level: Level) {
    let (filter, odd_filter) = filter(level);
    let (format, odd_format) = format();
    let is_terminal = stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_target(false);
    // Only a test starts it twice in one process; the first one stays.
    let _ = match format.unwrap_or(if is_terminal { Format::Text } else { Format::Json }) {
        // The library respects NO_COLOR, but does not know when text is forced into a file.
        Format::Text if is_terminal => log.with_writer(|| Escaping(text)).compact().try_init(),
        Format::Text => log.with_writer(|| Escaping(text)).compact().with_ansi(false).try_init(),
        Format::Json => log
            .with_writer(|| Escaping(unprintable::escape_json))
            .fmt_fields(JsonFields::new())
            .event_format(Flat::new())
            .try_init(),
    };
    for odd in odd_filter.into_iter().chain(odd_format) {
        tracing::error!("{odd}");
    }
}

/// Writes events as JSON, with the fields of the spans they occurred in beside their own.
struct Flat(format::Format<Json>);

impl Flat {
    fn new() -> Self {
        let json = format::Format::default().json().with_target(false);
        Self(json.flatten_event(true).with_current_span(false).with_span_list(false))
    }
}

impl<S, N> FormatEvent<S, N> for Flat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        let own = line.trim_end();
        out.write_str(own.strip_suffix('}').unwrap_or(own))?;
        for span in context.event_scope().into_iter().flatten() {
            let extensions = span.extensions();
            let fields = extensions.get::<FormattedFields<N>>().map(|formatted| formatted.fields.as_str());
            if let Some(fields) = fields.and_then(|fields| fields.strip_prefix('{')?.strip_suffix('}')) {
                write!(out, ",{fields}")?;
            }
        }
        out.write_str("}\n")
    }
}

/// A writer that renames our commands to the name we were started by and escapes misleading characters. Each write is a
/// whole event.
struct Escaping(fn(&str) -> Cow<'_, str>);

impl Write for Escaping {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let event_text = String::from_utf8_lossy(event);
        let named = terminal::program().in_text(&event_text);
        stderr().lock().write_all(self.0(&named).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        stderr().flush()
    }
}

/// Escapes an event except for the library's own color codes; the library escapes control characters in values itself.
fn text(event: &str) -> Cow<'_, str> {
    let pieces: Vec<_> = event.split('\u{1b}').map(unprintable::escape).collect();
    Cow::Owned(pieces.join("\u{1b}"))
}

fn filter(level: Level) -> (EnvFilter, Option<String>) {
    let default = match level {
        Level::Everything => "info",
        // The command itself reports on its message.
        Level::OnlyTrouble => {
            "error,telephony_gateway::outbox::send=off,telephony_store::sqlite::outbox::account_stop=off"
        }
    };
    let Ok(said) = env::var(FILTER) else { return (EnvFilter::new(default), None) };
    match EnvFilter::try_new(&said) {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new(default), Some(format!("{FILTER}={said} is not a valid filter: {error}"))),
    }
}

fn format() -> (Option<Format>, Option<String>) {
    let said = env::var(FORMAT).unwrap_or_default();
    match said.as_str() {
        "" => (None, None),
        "text" => (Some(Format::Text), None),
        "json" => (Some(Format::Json), None),
        _ => (None, Some(format!("{FORMAT}={said} is not a format: use `text` or `json`"))),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn a_line_of_json_has_the_fields_of_its_spans_beside_its_own() {
        let written = tempfile::NamedTempFile::new().unwrap();
        let log = tracing_subscriber::fmt().fmt_fields(JsonFields::new()).event_format(Flat::new());
        tracing::subscriber::with_default(log.with_writer(Mutex::new(written.reopen().unwrap())).finish(), || {
            tracing::warn!(reason = "}", "alone");
            let _call = tracing::error_span!("call", call = %3).entered();
            let _turn = tracing::error_span!("turn", turn = %7, attempt = 1).entered();
            tracing::warn!(reason = "busy", "inside");
        });
        let text = std::fs::read_to_string(written.path()).unwrap();
        let lines = text.lines().map(|line| {
            let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
            line.as_object_mut().unwrap().remove("timestamp");
            line
        });
        let expected = [
            serde_json::json!({ "level": "WARN", "message": "alone", "reason": "}" }),
            serde_json::json!({
                "level": "WARN", "message": "inside", "reason": "busy", "turn": "7", "attempt": 1, "call": "3"
            }),
        ];
        assert_eq!(lines.collect::<Vec<_>>(), expected);
    }
}
