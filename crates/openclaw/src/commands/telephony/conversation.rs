//! `openclaw telephony conversation <number>`: prints a conversation from top to bottom, or ends its pause.

use std::process::ExitCode;

use clap::Args;
use telephony_domain::time::Timestamp;
use telephony_gateway::views::message::MessageView;
use telephony_store::history::{EntryId, Filter, MessageEntry};

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

const EXAMPLE: &str = "Example: openclaw telephony conversation +15550005678 --since 3d";

/// Show the conversation with a contact
#[derive(Debug, Args)]
#[command(after_help = terminal::program().in_text(EXAMPLE).into_owned())]
pub struct ConversationArgs {
    /// Contact, such as +15550005678, a short code or a name
    #[arg(value_name = "NUMBER", value_parser = number::sender)]
    contact: String,
    /// Only on this line: its number or messaging service
    #[arg(long, value_name = "LINE")]
    line: Option<String>,
    /// Only messages since then: `2h`, `3d` or a time such as "2026-11-22 09:30"
    #[arg(long, value_name = "TIME", value_parser = time_format::moment)]
    since: Option<Timestamp>,
    /// End the pause of a conversation that looked like two machines talking
    #[arg(long, conflicts_with_all = ["line", "since", "limit", "json"])]
    resume: bool,
    /// Maximum number of messages, newest first
    #[arg(long, default_value_t = 100)]
    limit: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl ConversationArgs {
    /// Prints the conversation, oldest message first.
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
            let mut entries = channel.store.messages(filter).await?;
            entries.reverse();
            let names = line::names(channel).await?;
            let messages: Vec<_> = entries.iter().map(|entry| MessageView::of(entry, &names)).collect();
            if self.json {
                terminal::print_json(&messages)?;
            } else if entries.is_empty() {
                terminal::say(format!("No messages with {}.", self.contact));
            } else {
                entries.iter().zip(&messages).for_each(|(entry, message)| show(entry, message));
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

impl ConversationArgs {
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

/// Prints a header with speaker, time and state, and the text indented below it.
fn show(entry: &MessageEntry, message: &MessageView) {
    let speaker = match entry.id {
        EntryId::In(_) => entry.contact.clone(),
        EntryId::Out(_) => speaker(message),
    };
    let (head, state) = (format!("{}  ", Time(entry.time)), state_in_words(message));
    let pieces =
        [(PLAIN, head.as_str()), (HEADING, &speaker), (PLAIN, "  ["), (color::of_state(&state), &state), (PLAIN, "]")];
    terminal::print_colored(&pieces);
    for line in entry.text.lines() {
        terminal::print(format!("    {line}"));
    }
    if entry.media > 0 {
        terminal::print(format!("    ({})", counted(entry.media, "attachment")));
    }
}
