//! Tables of messages and of failed turns.

use std::collections::HashMap;
use std::process::ExitCode;

use telephony_domain::id::LineId;
use telephony_domain::unprintable;
use telephony_gateway::views::message::{FailedTurnView, MessageView};
use telephony_store::history::MessageEntry;
use telephony_store::inbox::FailedTurn;

use crate::failure::Outcome;
use crate::terminal::color::{self, PLAIN};
use crate::terminal::{self, Table};
use crate::time_format::Time;

/// Prints messages, newest first.
pub fn show(entries: &[MessageEntry], names: &HashMap<LineId, String>, json: bool) -> Outcome {
    let messages: Vec<_> = entries.iter().map(|entry| MessageView::of(entry, names)).collect();
    if json {
        terminal::print_json(&messages)?;
    } else if messages.is_empty() {
        terminal::say("No messages.");
    } else {
        let mut table = Table::new(["Id", "Time", "Contact", "State", "Text"]);
        for message in messages {
            let state = one_line(&state_in_words(&message));
            table.row([message.id, Time(message.time.0).to_string(), message.contact, state, one_line(&message.text)]);
        }
        table.print();
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the turns that could not be answered.
pub fn show_failed(turns: &[FailedTurn], json: bool) -> Outcome {
    let turns: Vec<_> = turns.iter().map(FailedTurnView::of).collect();
    if json {
        terminal::print_json(&turns)?;
    } else if turns.is_empty() {
        terminal::say("Every message was answered.");
    } else {
        let mut table = Table::new(["Turn", "Received", "Contact", "State", "Attempts", "Reason"]);
        for turn in turns {
            let (id, attempts) = (turn.turn.to_string(), turn.attempts.to_string());
            table.row([
                id,
                Time(turn.received_at.0).to_string(),
                turn.contact,
                turn.state.to_owned(),
                attempts,
                turn.reason,
            ]);
        }
        table.print();
        terminal::say("Retry one with `openclaw telephony messages --retry TURN`.");
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the author of one of our messages: the assistant, or the operator or program with its purpose.
pub fn speaker(message: &MessageView) -> String {
    match message.purpose {
        None | Some("reply") => "assistant".to_owned(),
        Some(purpose) => format!("assistant ({purpose})"),
    }
}

/// Prints a message as one line, for `--follow`. Returns false once the reader is gone.
pub fn print_line(message: &MessageView) -> bool {
    let (time, state) = (Time(message.time.0), state_in_words(message));
    let head = format!("{:8} {time} {:13} ", message.id, unprintable::escape_line(&message.contact));
    let (padded, text) = (format!("{:22}", one_line(&state)), format!(" {}", one_line(&message.text)));
    terminal::print_colored(&[(PLAIN, &head), (color::of_state(&state), &padded), (PLAIN, &text)])
}

/// Returns the state, the provider's status and a short reason.
pub fn state_in_words(message: &MessageView) -> String {
    let state = message.status.filter(|_| message.state == "sent").unwrap_or(&message.state);
    match (message.code, &message.why) {
        (Some(code), _) => format!("{state} ({code})"),
        (None, Some(why)) => format!("{state} ({why})"),
        (None, None) => state.to_owned(),
    }
}

/// Returns the beginning of a text, on one line.
fn one_line(text: &str) -> String {
    let flat: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if flat.chars().count() <= 60 { flat } else { flat.chars().take(59).chain(['…']).collect() }
}
