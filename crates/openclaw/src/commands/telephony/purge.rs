//! `openclaw telephony purge <number>`: deletes everything stored about a contact, here and optionally at the provider.

mod at_provider;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use telephony_domain::number::PhoneNumber;
use telephony_gateway::lock::GatewayLock;
use telephony_store::journal;
use telephony_store::records::RecordCounts;
use tokio::time::{Instant, sleep};

use crate::assemble::Channel;
use crate::config_arg::ConfigArg;
use crate::failure::{Failure, Outcome};
use crate::number;
use crate::plural::counted;
use crate::{state_folder, terminal};

/// Messages deleted in one transaction, small enough that a running gateway never waits long.
const AT_A_TIME: u32 = 100;

/// Longest wait until the gateway has ended the contact's open calls at the provider.
const END_TIMEOUT: Duration = Duration::from_secs(30);

/// Interval at which the command checks whether they are over.
const LOOK_EVERY: Duration = Duration::from_millis(100);

const EXAMPLE: &str = "Example: openclaw telephony purge +15550005678 --at-twilio --yes";

/// Delete what is stored about a contact.
#[derive(Debug, Args)]
#[command(after_help = terminal::program().in_text(EXAMPLE).into_owned())]
pub struct PurgeArgs {
    /// Phone number of the contact, such as +15550005678
    #[arg(value_parser = number::phone)]
    number: PhoneNumber,
    /// Also delete their messages at Twilio, including those not stored here
    #[arg(long)]
    at_twilio: bool,
    /// Delete; without it, only show what would be deleted
    #[arg(long)]
    yes: bool,
}

impl PurgeArgs {
    /// Shows what is stored and, with `--yes`, deletes it.
    pub fn run(self, config_arg: &ConfigArg) -> Outcome {
        let channel = if self.yes { Channel::open(config_arg) } else { Channel::look(config_arg) };
        channel?.block_on(async |channel| {
            let held = channel.store.holdings(&self.number).await?;
            let copies = journal::copies(&state_folder::journal_file(&channel.loaded));
            show(&self.number, &held, !copies.is_empty());
            if !self.yes {
                return Err(Failure::new("nothing was deleted").hint("add --yes to delete; this cannot be undone"));
            }
            if self.at_twilio {
                // Delete at the provider first: our rows list the messages that are there.
                at_provider::delete(channel, &self.number).await?;
            }
            // They are not lists, so nothing shows whose messages they contain.
            for copy in copies {
                std::fs::remove_file(&copy).with_context(|| format!("cannot delete {}", copy.display()))?;
            }
            self.delete_here(channel).await
        })
    }

    async fn delete_here(&self, channel: &Channel) -> Outcome {
        let began = Instant::now();
        let (mut messages, mut calls) = (0, 0);
        let held = loop {
            let purged = channel.store.purge(&self.number, AT_A_TIME, channel.now()).await?;
            messages += purged.messages;
            calls += purged.calls;
            if !purged.is_done {
                continue;
            }
            channel.notify_gateway().await;
            let held = channel.store.holdings(&self.number).await?;
            // The gateway ends an open call at the provider. Only then it can be deleted.
            let is_hopeless = !GatewayLock::is_taken(&channel.state) || began.elapsed() > END_TIMEOUT;
            if held.open_calls == 0 || is_hopeless {
                break held;
            }
            sleep(LOOK_EVERY).await;
        };
        channel.store.remove_loose_files(channel.now()).await?;
        let messages = counted(messages, "message");
        let gone = if calls == 0 { messages } else { format!("{messages} and {}", counted(calls, "call")) };
        terminal::print(format!("Deleted {gone} here, with all related data."));
        match (held.in_hand, held.open_calls) {
            (0, 0) => Ok(ExitCode::SUCCESS),
            (0, calls) => Err(Failure::new(format!("kept {}: still in progress at Twilio", counted(calls, "call")))
                .hint(match GatewayLock::is_taken(&channel.state) {
                    true => "run it again in a minute: the gateway keeps trying to end it",
                    false => "start `openclaw gateway`, which ends it, and run this again",
                })),
            (in_hand, _) => Err(Failure::new(format!("kept {}: in flight or in doubt", counted(in_hand, "message")))
                .hint("run it again once they are resolved, within ten minutes if Twilio is reachable")),
        }
    }
}

fn show(number: &PhoneNumber, held: &RecordCounts, has_copies: bool) {
    let RecordCounts { inbound, outbound, calls, .. } = held;
    let inbound = counted(inbound, "message");
    let calls = if *calls == 0 { String::new() } else { format!(", {}", counted(calls, "call")) };
    terminal::print(format!("{number}: {inbound} from them, {outbound} to them{calls}, with turns and attempts."));
    let goes = [
        (held.has_request, "a pairing request"),
        (held.is_approved, "the approval"),
        (has_copies, "copies of damaged journals, which may hold their messages"),
    ];
    let stays = [(held.is_opted_out, "the opt-out"), (held.is_blocked, "the block")];
    for (what, verb) in [(&goes[..], "Also deleted"), (&stays, "Kept to protect the contact")] {
        let words: Vec<&str> = what.iter().filter(|(is_there, _)| *is_there).map(|(_, word)| *word).collect();
        if !words.is_empty() {
            terminal::print(format!("{verb}: {}.", words.join(", ")));
        }
    }
}
