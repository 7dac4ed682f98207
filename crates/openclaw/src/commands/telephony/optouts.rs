//! `openclaw telephony optouts`: contacts who want no more messages from a line, and the source of that knowledge.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use telephony_domain::consent::Wish;
use telephony_domain::number::PhoneNumber;
use telephony_gateway::views::people::ConsentView;
use telephony_store::consents::Consent;

use crate::assemble::Channel;
use crate::config_arg::ConfigArg;
use crate::failure::Outcome;
use crate::line;
use crate::number;
use crate::terminal::{self, Table};
use crate::time_format::Time;

const EXAMPLE: &str = "Example: openclaw telephony optouts add +15550005678";

const REMOVE_EXAMPLE: &str = "Example: openclaw telephony optouts remove +15550005678";

/// List opt-outs, or add one.
#[derive(Debug, Args)]
#[command(after_help = terminal::program().in_text(EXAMPLE).into_owned())]
#[command(args_conflicts_with_subcommands = true)]
pub struct OptOutsArgs {
    #[command(subcommand)]
    change: Option<OptOutChange>,
    /// Show the whole history, not only opt-outs in effect
    #[arg(long)]
    history: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum OptOutChange {
    /// Stop sending to a number, as if it had texted STOP
    #[command(after_help = terminal::program().in_text(EXAMPLE).into_owned())]
    Add(OptOutRow),
    /// Allow sending to a number again
    #[command(after_help = terminal::program().in_text(REMOVE_EXAMPLE).into_owned())]
    Remove(OptOutRow),
}

#[derive(Debug, Args)]
struct OptOutRow {
    /// Phone number of the contact, such as +15550005678
    #[arg(value_parser = number::phone)]
    number: PhoneNumber,
    /// Line it applies to: its number or messaging service (default: the configured one)
    #[arg(long, value_name = "LINE")]
    line: Option<String>,
}

impl OptOutsArgs {
    pub fn run(self, config_arg: &ConfigArg) -> Outcome {
        let channel = if self.change.is_some() { Channel::open(config_arg) } else { Channel::look(config_arg) };
        channel?.block_on(async |channel| match &self.change {
            Some(OptOutChange::Add(entry)) => add(channel, entry).await,
            Some(OptOutChange::Remove(entry)) => remove(channel, entry).await,
            None => self.show(channel).await,
        })
    }

    async fn show(&self, channel: &Channel) -> Outcome {
        let consents = match self.history {
            true => channel.store.consent_history(None).await?,
            false => channel.store.opt_outs().await?,
        };
        let names = line::names(channel).await?;
        let name = |consent: &Consent| names.get(&consent.line).cloned().unwrap_or_default();
        let rows: Vec<ConsentView> = consents.iter().map(|consent| ConsentView::of(consent, name(consent))).collect();
        if self.json {
            terminal::print_json(&rows)?;
        } else if rows.is_empty() {
            terminal::say("No opt-outs.");
        } else {
            let mut table = Table::new(["Contact", "Line", "Wish", "Known by", "Since"]);
            for row in rows {
                let wish = if row.overtaken { format!("{} (recorded late)", row.wish) } else { row.wish.to_owned() };
                table.row([row.contact, row.line, wish, row.evidence.to_owned(), Time(row.at.0).to_string()]);
            }
            table.print();
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn add(channel: &Channel, entry: &OptOutRow) -> Outcome {
    let OptOutRow { number, line } = entry;
    let line = line::find(channel, line.as_deref()).await?;
    match channel.store.record_wish(line, number, Wish::OptOut, channel.now()).await? {
        true => terminal::print(format!("{number} gets no more messages from this line.")),
        false => terminal::print(format!("{number} had already opted out.")),
    }
    Ok(ExitCode::SUCCESS)
}

async fn remove(channel: &Channel, entry: &OptOutRow) -> Outcome {
    let OptOutRow { number, line } = entry;
    let line = line::find(channel, line.as_deref()).await?;
    if channel.store.record_wish(line, number, Wish::OptIn, channel.now()).await? {
        terminal::print(format!("{number} can get messages from this line again."));
        terminal::say(
            "If they texted STOP, Twilio and the carriers keep blocking the number until they text START; only they \
            can end that. Send only with their consent.",
        );
    } else {
        terminal::print(format!("{number} has not opted out."));
    }
    Ok(ExitCode::SUCCESS)
}
