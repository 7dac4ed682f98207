//! Terminal output: data to stdout, messages to stderr, with misleading characters escaped.

pub mod color;

use std::io::{self, IsTerminal, Read, Write};
use std::process::ExitCode;

use anstyle::Style;
use serde::Serialize;
use telephony_domain::program::ProgramName;
use telephony_domain::unprintable;

use crate::failure::Failure;

/// Prints one line of data. A closed pipe (`| head`) is not an error.
pub fn print(line: impl std::fmt::Display) {
    try_print(line);
}

/// Prints one line of data. Returns false once the reader is gone.
pub fn try_print(line: impl std::fmt::Display) -> bool {
    write_line(&unprintable::escape(&line.to_string()))
}

/// Prints one line of our own text, with our commands renamed to the name that this process was started by.
pub fn print_ours(line: impl std::fmt::Display) {
    print(program().in_text(&line.to_string()));
}

/// Prints one line of data whose pieces have colors. Returns false once the reader is gone.
pub fn print_colored(pieces: &[(Style, &str)]) -> bool {
    let is_colored = color::is_shown_on(&io::stdout());
    let shown = |(style, text): &(Style, &str)| match (unprintable::escape(text), is_colored) {
        (text, true) => format!("{style}{text}{style:#}"),
        (text, false) => text.into_owned(),
    };
    write_line(pieces.iter().map(shown).collect::<String>().trim_end())
}

/// Prints one line of our own text below a heading, with our commands renamed as in `print_ours`.
pub fn print_headed(style: Style, heading: &str, line: impl std::fmt::Display) {
    print_colored(&[(style, heading), (color::PLAIN, &program().in_text(&line.to_string()))]);
}

/// Returns the name that this process was started by.
pub fn program() -> ProgramName {
    ProgramName::started_as(&own_name())
}

/// Prints one line of JSON, with misleading characters escaped as in JSON. Returns false once the reader is gone.
pub fn try_print_json(line: &str) -> bool {
    write_line(&unprintable::escape_json(line))
}

fn write_line(line: &str) -> bool {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}").and_then(|()| stdout.flush()).is_ok()
}

/// Prints data as JSON.
pub fn print_json(data: &impl Serialize) -> Result<(), Failure> {
    try_print_json(&serde_json::to_string_pretty(data)?);
    Ok(())
}

/// Prints our own text as JSON, with our commands renamed to the name that this process was started by.
pub fn print_json_ours(data: &impl Serialize) -> Result<(), Failure> {
    try_print_json(&program().in_text(&serde_json::to_string_pretty(data)?));
    Ok(())
}

/// Returns the program as it was started, for commands to copy: a path if the shell got one, else the name.
pub fn own_name() -> String {
    let first = std::env::args_os().next().unwrap_or_default();
    if first.is_empty() { ProgramName::default().as_str().to_owned() } else { first.to_string_lossy().into_owned() }
}

/// Prints a message for the person at the terminal.
pub fn say(line: impl std::fmt::Display) {
    let line = line.to_string();
    let line = program().in_text(&line);
    let line = unprintable::escape(&line);
    let line = if color::is_shown_on(&io::stderr()) { color::labels(&line).into() } else { line };
    writeln!(io::stderr().lock(), "{line}").ok();
}

/// Quotes a word for the shell.
pub fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Prints why a command failed, and returns its exit code.
pub fn report(failure: &Failure) -> ExitCode {
    say(failure);
    failure.code()
}

/// Asks a yes-or-no question; anything but yes is no. Returns none without a terminal.
pub fn confirm(question: &str) -> Option<bool> {
    if !io::stdin().is_terminal() {
        return None;
    }
    let mut stderr = io::stderr().lock();
    write!(stderr, "{} [y/N] ", unprintable::escape(&program().in_text(question)))
        .and_then(|()| stderr.flush())
        .ok()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).ok()?;
    Some(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// Returns the text of an argument; `-` reads it from stdin unchanged.
pub fn text_argument(argument: &str) -> Result<String, Failure> {
    if argument != "-" {
        return Ok(argument.to_owned());
    }
    String::from_utf8(bytes_from_stdin()?)
        .map_err(|_| Failure::new("the text on stdin is not UTF-8").hint("SMS text has to be UTF-8"))
}

/// Reads stdin to its end.
pub fn bytes_from_stdin() -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A table whose columns are as wide as their widest cell. A column `State` has the colors of its states.
#[derive(Debug)]
pub struct Table<const N: usize>(Vec<[String; N]>);

impl<const N: usize> Table<N> {
    /// Creates a table with headings only.
    pub fn new(headings: [&str; N]) -> Self {
        Self(vec![headings.map(str::to_owned)])
    }

    /// Adds a row; each cell stays on one line.
    pub fn row(&mut self, cells: [String; N]) {
        self.0.push(cells.map(|cell| unprintable::escape_line(&cell)));
    }

    pub fn print(&self) {
        let widths: [usize; N] =
            std::array::from_fn(|column| self.0.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
        let states = self.0.first().and_then(|headings| headings.iter().position(|heading| heading == "State"));
        for (n, row) in self.0.iter().enumerate() {
            let style = |column| match n {
                0 => color::HEADING,
                _ if Some(column) == states => color::of_state(&row[column]),
                _ => color::PLAIN,
            };
            let last = N - 1;
            let padded: [String; N] = std::array::from_fn(|column| match (&row[column], widths[column]) {
                (cell, _) if column == last => cell.clone(),
                (cell, width) => format!("{cell:width$}  "),
            });
            let pieces: [(Style, &str); N] = std::array::from_fn(|column| (style(column), padded[column].as_str()));
            print_colored(&pieces);
        }
    }
}
