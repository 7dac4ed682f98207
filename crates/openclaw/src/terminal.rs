//! What goes to the terminal: data to stdout, talk to stderr.

use std::io::{self, IsTerminal, Read, Write};

use serde::Serialize;

use crate::failure::Failure;

/// Prints one line of data. A reader that went away (`| head`) is no error.
pub fn print(line: impl std::fmt::Display) {
    try_print(line);
}

/// Prints one line of data; whether there still is a reader.
pub fn try_print(line: impl std::fmt::Display) -> bool {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}").and_then(|()| stdout.flush()).is_ok()
}

/// What somebody wrote, without characters that would move the cursor or change colours.
pub fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { ' ' } else { c }).collect()
}

/// Prints data as JSON.
pub fn print_json(data: &impl Serialize) -> Result<(), Failure> {
    print(serde_json::to_string_pretty(data)?);
    Ok(())
}

/// Says something to the person at the terminal.
pub fn say(line: impl std::fmt::Display) {
    let mut stderr = io::stderr().lock();
    writeln!(stderr, "{line}").ok();
}

/// Asks the person at the terminal; none where there is nobody to ask. Anything but yes is no.
pub fn confirm(question: &str) -> Option<bool> {
    if !io::stdin().is_terminal() {
        return None;
    }
    let mut stderr = io::stderr().lock();
    write!(stderr, "{question} [y/N] ").and_then(|()| stderr.flush()).ok()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).ok()?;
    Some(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// The text of an argument, where `-` means standard input, byte for byte.
pub fn text_argument(argument: &str) -> Result<String, Failure> {
    if argument != "-" {
        return Ok(argument.to_owned());
    }
    String::from_utf8(bytes_from_stdin()?)
        .map_err(|_| Failure::new("the text on standard input is not UTF-8").hint("SMS text has to be UTF-8"))
}

/// Everything on standard input.
pub fn bytes_from_stdin() -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Rows under headings, each column as wide as its widest cell.
#[derive(Debug)]
pub struct Table<const N: usize>(Vec<[String; N]>);

impl<const N: usize> Table<N> {
    /// A table with headings only.
    pub fn new(headings: [&str; N]) -> Self {
        Self(vec![headings.map(str::to_owned)])
    }

    /// Adds a row.
    pub fn row(&mut self, cells: [String; N]) {
        self.0.push(cells);
    }

    /// Prints it as data.
    pub fn print(&self) {
        let widths: [usize; N] =
            std::array::from_fn(|column| self.0.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
        for row in &self.0 {
            let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
            print(cells.collect::<Vec<_>>().join("  ").trim_end());
        }
    }
}
