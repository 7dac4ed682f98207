//! The log: to stderr, for people on a terminal and as JSON otherwise.

use std::borrow::Cow;
use std::env;
use std::io::{self, IsTerminal, Write, stderr};

use telephony_domain::unprintable;
use tracing_subscriber::EnvFilter;

use crate::terminal;

/// What is told: `tracing` filters such as `debug` or `telephony_gateway=debug`.
const FILTER: &str = "OPENCLAW_LOG";

/// How it is told: `text` or `json`, whatever stderr is.
const FORMAT: &str = "OPENCLAW_LOG_FORMAT";

/// How much is told unless `OPENCLAW_LOG` says otherwise.
#[derive(Debug, Clone, Copy)]
pub enum Level {
    /// What a daemon tells.
    Everything,
    /// Only what a person at a command has to know.
    OnlyTrouble,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Text,
    Json,
}

/// Starts the log. A variable that is not understood counts as not set, and that is the first thing told.
pub fn start(level: Level) {
    let (filter, odd_filter) = filter(level);
    let (format, odd_format) = format();
    let is_terminal = stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_target(false);
    // A second start in one process is a test's: the first one stays.
    let _ = match format.unwrap_or(if is_terminal { Format::Text } else { Format::Json }) {
        // The library knows NO_COLOR, but not that somebody forced the text into a file.
        Format::Text if is_terminal => log.with_writer(|| Escaping(text)).compact().try_init(),
        Format::Text => log.with_writer(|| Escaping(text)).compact().with_ansi(false).try_init(),
        Format::Json => log.with_writer(|| Escaping(unprintable::escape_json)).json().flatten_event(true).try_init(),
    };
    for odd in odd_filter.into_iter().chain(odd_format) {
        tracing::error!("{odd}");
    }
}

/// Writes each event, which comes as a whole, with our commands under the name that we were started by, and with what
/// misleads a reader escaped.
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

/// The library escapes control characters itself, and writes some to color what it says.
fn text(event: &str) -> Cow<'_, str> {
    let pieces: Vec<_> = event.split('\u{1b}').map(unprintable::escape).collect();
    Cow::Owned(pieces.join("\u{1b}"))
}

fn filter(level: Level) -> (EnvFilter, Option<String>) {
    let default = match level {
        Level::Everything => "info",
        // What became of a message the command says itself.
        Level::OnlyTrouble => "error,telephony_gateway::outbox::send=off,telephony_store::sqlite::account_stop=off",
    };
    let Ok(said) = env::var(FILTER) else { return (EnvFilter::new(default), None) };
    match EnvFilter::try_new(&said) {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new(default), Some(format!("{FILTER}={said} is not understood: {error}"))),
    }
}

fn format() -> (Option<Format>, Option<String>) {
    let said = env::var(FORMAT).unwrap_or_default();
    match said.as_str() {
        "" => (None, None),
        "text" => (Some(Format::Text), None),
        "json" => (Some(Format::Json), None),
        _ => (None, Some(format!("{FORMAT}={said} is not understood: it is `text` or `json`"))),
    }
}
