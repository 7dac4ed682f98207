//! `openclaw telephony conversation <number>`: prints a conversation from top to bottom, or ends its pause.

use std::process::ExitCode;

use clap::Args;
use telephony_domain::time::Timestamp;
use telephony_gateway::views::conversation::{self, CallLineView, ConversationEntryView};
use telephony_gateway::views::message::MessageView;
use telephony_store::calls::{CallDetail, CallTurnOutcome};
use telephony_store::history::Filter;

use super::messages::list::{speaker, state_in_words};
use crate::assemble::Channel;
use crate::config_arg::ConfigArg;
use crate::failure::{Failure, Outcome};
use crate::line;
use crate::number;
use crate::plural::counted;
use crate::terminal;
use crate::terminal::color::{self, HEADING, PLAIN};
use crate::time_format::{self, Time};

/// The outcome of an answer that came too late to be said.
const UNHEARD: &str = CallTurnOutcome::Unheard.as_str();

const EXAMPLE: &str = "Example: openclaw telephony conversation +15550005678 --since 3d";

/// Show the conversation with a contact: messages, and what was said on calls
#[derive(Debug, Args)]
#[command(after_help = terminal::program().in_text(EXAMPLE).into_owned())]
pub struct ConversationArgs {
    /// Contact, such as +15550005678, a short code or a name
    #[arg(value_name = "NUMBER", value_parser = number::sender)]
    contact: String,
    /// Only on this line: its number or messaging service
    #[arg(long, value_name = "LINE")]
    line: Option<String>,
    /// Only since then: `2h`, `3d` or a time such as "2026-11-22 09:30"
    #[arg(long, value_name = "TIME", value_parser = time_format::moment)]
    since: Option<Timestamp>,
    /// End the pause of a conversation that looked like two machines talking
    #[arg(long, conflicts_with_all = ["line", "since", "limit", "json"])]
    resume: bool,
    /// Maximum number of messages and of lines of calls; the newest are shown
    #[arg(long, default_value_t = 100)]
    limit: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl ConversationArgs {
    /// Prints messages and calls in order of time, the oldest first.
    pub fn run(self, config_arg: &ConfigArg) -> Outcome {
        let channel = if self.resume { Channel::open(config_arg) } else { Channel::look(config_arg) };
        channel?.block_on(async |channel| {
            if self.resume {
                return self.resume(channel).await;
            }
            let line = match &self.line {
                Some(name) => Some(line::find(channel, Some(name)).await?),
                None => None,
            };
            let filter = Filter {
                contact: Some(self.contact.clone()),
                line,
                since: self.since,
                limit: self.limit,
                ..Filter::default()
            };
            let mut messages = channel.store.messages(filter).await?;
            messages.reverse();
            let mut calls = self.calls(channel).await?;
            calls.retain(|call| line.is_none_or(|line| call.entry.line == line));
            let names = line::names(channel).await?;
            let entries = conversation::merge(&messages, &calls, &names, self.since, self.limit);
            if self.json {
                terminal::print_json(&entries)?;
            } else if entries.is_empty() {
                terminal::say(format!("No messages or calls with {}.", self.contact));
            } else {
                entries.iter().for_each(|entry| match entry {
                    ConversationEntryView::Message(message) => show(message),
                    ConversationEntryView::Call(line) => show_call(line),
                });
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

impl ConversationArgs {
    /// Returns the newest calls with the contact. Only phones call.
    async fn calls(&self, channel: &Channel) -> Result<Vec<CallDetail>, Failure> {
        match number::phone(&self.contact) {
            Ok(contact) => Ok(channel.store.transcripts(&contact, self.limit).await?),
            Err(_) => Ok(Vec::new()),
        }
    }

    async fn resume(&self, channel: &Channel) -> Outcome {
        let contact = number::phone(&self.contact).map_err(Failure::usage)?;
        match channel.store.resume(&contact).await? {
            0 => terminal::print(format!("The conversation with {contact} is not paused.")),
            _ => {
                channel.notify_gateway().await;
                terminal::print(format!("The conversation with {contact} is resumed."));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Prints a message.
fn show(message: &MessageView) {
    let state = state_in_words(message);
    let speaker = if message.direction == "inbound" { message.contact.clone() } else { speaker(message) };
    show_header(message.time.0, &speaker, "", &state);
    show_text(&message.text);
    if message.media > 0 {
        terminal::print(format!("    ({})", counted(message.media, "attachment")));
    }
}

/// Prints the beginning of a call, or words of one side on it.
fn show_call(line: &CallLineView) {
    let speaker = if line.direction == "inbound" { &line.contact } else { "assistant" };
    let call = format!("call {}", line.call);
    match (line.kind, line.state) {
        ("call", state) => show_header(line.time.0, speaker, &format!("{call}: "), state.unwrap_or_default()),
        ("keys", _) => show_header(line.time.0, speaker, &call, ", keys"),
        (_, Some(UNHEARD)) => show_header(line.time.0, speaker, &call, ", unheard"),
        _ => show_header(line.time.0, speaker, &call, ""),
    }
    show_text(&line.text);
}

/// Prints a header with time, speaker, call and state.
fn show_header(time: Timestamp, speaker: &str, call: &str, state: &str) {
    let head = format!("{}  ", Time(time));
    let pieces = [
        (PLAIN, head.as_str()),
        (HEADING, speaker),
        (PLAIN, "  ["),
        (PLAIN, call),
        (color::of_state(state), state),
        (PLAIN, "]"),
    ];
    terminal::print_colored(&pieces);
}

/// Prints a text, indented below its header.
fn show_text(text: &str) {
    for line in text.lines() {
        terminal::print(format!("    {line}"));
    }
}
