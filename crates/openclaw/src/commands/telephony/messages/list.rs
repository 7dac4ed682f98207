//! Tables of messages and of failed turns.

use std::collections::HashMap;
use std::process::ExitCode;

use serde::Serialize;
use telephony_domain::id::LineId;
use telephony_domain::unprintable;
use telephony_store::history::{Entry, EntryId, EntryState};
use telephony_store::inbox::FailedTurn;

use crate::failure::Outcome;
use crate::terminal::color::{self, PLAIN};
use crate::terminal::{self, Table};
use crate::time_format::Time;

/// A message as shown in JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    id: String,
    direction: &'static str,
    line: Option<String>,
    contact: String,
    time: Time,
    state: String,
    status: Option<&'static str>,
    purpose: Option<&'static str>,
    segments: Option<u32>,
    code: Option<u32>,
    why: Option<String>,
    media: u32,
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Failed {
    turn: i64,
    contact: String,
    state: &'static str,
    attempts: u32,
    reason: String,
    received_at: Time,
    next_attempt_at: Option<Time>,
}

/// Prints messages, newest first.
pub fn show(entries: &[Entry], names: &HashMap<LineId, String>, json: bool) -> Outcome {
    let messages: Vec<Message> = entries.iter().map(|entry| Message::of(entry, names)).collect();
    if json {
        terminal::print_json(&messages)?;
    } else if messages.is_empty() {
        terminal::say("No messages.");
    } else {
        let mut table = Table::new(["Id", "Time", "Contact", "State", "Text"]);
        for message in messages {
            let state = one_line(&message.state_in_words());
            table.row([message.id, message.time.to_string(), message.contact, state, one_line(&message.text)]);
        }
        table.print();
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the turns that could not be answered.
pub fn show_failed(turns: &[FailedTurn], json: bool) -> Outcome {
    let turns: Vec<Failed> = turns.iter().map(Failed::from).collect();
    if json {
        terminal::print_json(&turns)?;
    } else if turns.is_empty() {
        terminal::say("Every message was answered.");
    } else {
        let mut table = Table::new(["Turn", "Received", "Contact", "State", "Attempts", "Reason"]);
        for turn in turns {
            let (id, attempts) = (turn.turn.to_string(), turn.attempts.to_string());
            table.row([id, turn.received_at.to_string(), turn.contact, turn.state.to_owned(), attempts, turn.reason]);
        }
        table.print();
        terminal::say("Retry one with `openclaw telephony messages --retry TURN`.");
    }
    Ok(ExitCode::SUCCESS)
}

impl Message {
    /// Converts a stored message; `names` holds the names of the lines.
    pub fn of(entry: &Entry, names: &HashMap<LineId, String>) -> Self {
        let mut message = Message {
            id: entry.id.to_string(),
            direction: if matches!(entry.id, EntryId::In(_)) { "inbound" } else { "outbound" },
            line: entry.line.and_then(|line| names.get(&line)).cloned(),
            contact: entry.contact.clone(),
            time: Time(entry.time),
            state: String::new(),
            status: None,
            purpose: None,
            segments: None,
            code: None,
            why: None,
            media: entry.media,
            text: entry.text.clone(),
        };
        match &entry.standing {
            EntryState::In { state, why } => {
                message.state = state.clone();
                message.why = why.clone();
            }
            EntryState::Out { purpose, state, status, segments, code, reason } => {
                message.state = state.as_str().to_owned();
                message.status = status.map(|status| status.as_str());
                message.purpose = Some(purpose.as_str());
                message.segments = Some(*segments);
                message.code = *code;
                message.why = reason.clone();
            }
        }
        message
    }

    /// Returns the author of one of our messages: the assistant, or the operator or program with its purpose.
    pub fn speaker(&self) -> String {
        match self.purpose {
            None | Some("reply") => "assistant".to_owned(),
            Some(purpose) => format!("assistant ({purpose})"),
        }
    }

    /// Prints the message as one line, for `--follow`. Returns false once the reader is gone.
    pub fn print_line(&self) -> bool {
        let state = self.state_in_words();
        let head = format!("{:8} {} {:13} ", self.id, self.time, unprintable::escape_line(&self.contact));
        let (padded, text) = (format!("{:22}", one_line(&state)), format!(" {}", one_line(&self.text)));
        terminal::print_colored(&[(PLAIN, &head), (color::of_state(&state), &padded), (PLAIN, &text)])
    }

    /// Formats the message as one line of JSON.
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Returns the state, the provider's status and a short reason.
    pub fn state_in_words(&self) -> String {
        let state = self.status.filter(|_| self.state == "sent").unwrap_or(&self.state);
        match (self.code, &self.why) {
            (Some(code), _) => format!("{state} ({code})"),
            (None, Some(why)) => format!("{state} ({why})"),
            (None, None) => state.to_owned(),
        }
    }
}

impl From<&FailedTurn> for Failed {
    fn from(turn: &FailedTurn) -> Self {
        Self {
            turn: turn.turn.0,
            contact: turn.contact.to_string(),
            state: if turn.is_dead { "dead" } else { "parked" },
            attempts: turn.attempts,
            reason: turn.reason.clone(),
            received_at: Time(turn.received),
            next_attempt_at: turn.next_attempt.map(Time),
        }
    }
}

/// Returns the beginning of a text, on one line.
fn one_line(text: &str) -> String {
    let flat: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if flat.chars().count() <= 60 { flat } else { flat.chars().take(59).chain(['…']).collect() }
}
