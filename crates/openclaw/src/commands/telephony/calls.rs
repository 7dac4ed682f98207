//! `openclaw telephony calls [<id>]`: lists calls, or shows the transcript of one.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use telephony_domain::call::Prompt;
use telephony_domain::id::CallId;
use telephony_domain::number::PhoneNumber;
use telephony_gateway::views::call::{CallView, MISSED, TranscriptView, state};
use telephony_store::calls::{CallDetail, CallTurnOutcome};

use crate::assemble::Channel;
use crate::config_arg::ConfigArg;
use crate::failure::{Failure, Outcome};
use crate::number;
use crate::terminal::{self, Table};
use crate::time_format::{self, Time};

const EXAMPLE: &str = "Example: openclaw telephony calls --with +15550005678";

/// List calls, or show the transcript of one
#[derive(Debug, Args)]
#[command(after_help = terminal::program().in_text(EXAMPLE).into_owned())]
pub struct CallsArgs {
    /// Number of the call, as listed, such as 12
    #[arg(value_parser = call_number)]
    id: Option<i64>,
    /// List only calls with this contact
    #[arg(long, value_name = "NUMBER", value_parser = number::phone, conflicts_with = "id")]
    with: Option<PhoneNumber>,
    /// List no more than this many, the newest
    #[arg(long, default_value_t = 50, conflicts_with = "id")]
    limit: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl CallsArgs {
    pub fn run(self, config_arg: &ConfigArg) -> Outcome {
        Channel::look(config_arg)?.block_on(async |channel| match self.id {
            Some(id) => self.show(channel, CallId(id)).await,
            None => self.list(channel).await,
        })
    }

    async fn list(&self, channel: &Channel) -> Outcome {
        let calls = channel.store.calls(self.with.as_ref(), self.limit).await?;
        let rows: Vec<CallView> = calls.iter().map(CallView::of).collect();
        if self.json {
            terminal::print_json(&rows)?;
        } else if rows.is_empty() {
            terminal::say("No calls.");
        } else {
            let mut table = Table::new(["Call", "Contact", "Direction", "State", "Began", "Turns"]);
            for row in rows {
                let state = if row.missed { MISSED } else { row.status.unwrap_or(row.state) };
                let direction = row.direction.to_owned();
                table.row([
                    row.id.to_string(),
                    row.contact,
                    direction,
                    state.to_owned(),
                    Time(row.began_at.0).to_string(),
                    row.turns.to_string(),
                ]);
            }
            table.print();
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn show(&self, channel: &Channel, id: CallId) -> Outcome {
        let Some(call) = channel.store.call(id).await? else {
            return Err(Failure::new(format!("there is no call {id}")).hint("`openclaw telephony calls` lists them"));
        };
        if self.json {
            terminal::print_json(&TranscriptView::of(&call))?;
        } else {
            print(&call);
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn call_number(word: &str) -> Result<i64, String> {
    word.parse().map_err(|_| "expected the number of a call, such as 12".to_owned())
}

/// Prints a call with its transcript.
pub fn print(call: &CallDetail) {
    let row = CallView::of(&call.entry);
    let ended = row.ended_at.map_or_else(String::new, |at| format!(", ended {}", Time(at.0)));
    terminal::print(format!(
        "Call {} with {} ({}): {}, began {}{ended}",
        row.id,
        row.contact,
        row.direction,
        state(call),
        Time(row.began_at.0)
    ));
    if let Some(seconds) = row.seconds {
        let price = row.price.map(|price| format!(", {price}")).unwrap_or_default();
        terminal::print(format!("  Duration: {}{price}", time_format::span(Duration::from_secs(seconds))));
    }
    if let Some(outgoing) = &call.outgoing {
        let requested = [("Task", &outgoing.task), ("Message", &outgoing.message)];
        for (name, words) in requested.iter().filter_map(|(name, words)| Some((name, words.as_ref()?))) {
            terminal::print(format!("  {name}: {}", words.as_str()));
        }
        outgoing.failure.iter().for_each(|failure| terminal::print(format!("  Failed: {failure}")));
    }
    for turn in &call.turns {
        if let Some(words) = turn.prompt.words() {
            let verb = if matches!(turn.prompt, Prompt::Keys(_)) { "pressed" } else { "said" };
            terminal::print(format!("  {} they {verb}: {}", Time(turn.said), words.as_str()));
        }
        if let Some((answer, at)) = turn.answer.as_ref().zip(turn.answered) {
            let note = match turn.outcome {
                Some(CallTurnOutcome::Texted) => " (by text message)",
                Some(CallTurnOutcome::Unheard) => " (unheard)",
                _ => "",
            };
            let author = if turn.prompt == Prompt::Summarize { "summary" } else { "agent" };
            terminal::print(format!("  {} {author}{note}: {}", Time(at), answer.as_str()));
        }
    }
    if call.entry.is_cut_off {
        terminal::print("  They hung up early: the last words may not have been heard in full.");
    }
}
