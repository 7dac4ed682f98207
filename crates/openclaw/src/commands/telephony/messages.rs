//! `openclaw telephony messages [<id>]`: what came and went.

pub mod detail;
mod follow;
pub mod list;
pub mod selection;

use std::process::ExitCode;

use clap::Args;
use telephony_domain::id::{InboundId, MessageId, TurnId};
use telephony_store::history::{EntryId, Reference};

use selection::Selection;

use crate::assemble::Channel;
use crate::cli::Place;
use crate::failure::{Failure, Outcome};
use crate::line;
use crate::terminal;

/// Show what came and went.
#[derive(Debug, Args)]
pub struct Messages {
    /// Show one message with every attempt: `in-12`, `out-34` or Twilio's SID
    #[arg(value_parser = reference)]
    id: Option<Reference>,
    #[command(flatten)]
    selection: Selection,
    /// Go on showing what comes and what changes
    #[arg(long, conflicts_with_all = ["id", "dead", "retry"])]
    follow: bool,
    /// Show the turns that could not be answered
    #[arg(long, conflicts_with = "id")]
    dead: bool,
    /// Try a turn again, by the number `--dead` shows
    #[arg(long, value_name = "TURN", conflicts_with_all = ["id", "dead"])]
    retry: Option<i64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Messages {
    /// Shows.
    pub fn run(self, place: &Place) -> Outcome {
        let channel = if self.retry.is_some() || self.follow { Channel::open(place) } else { Channel::look(place) };
        channel?.block_on(async |channel| {
            if let Some(turn) = self.retry {
                return retry(channel, TurnId(turn)).await;
            }
            if self.dead {
                return list::show_failed(&channel.store.failed_turns().await?, self.json);
            }
            match &self.id {
                Some(reference) => self.show_one(channel, reference.clone()).await,
                None => self.show_all(channel).await,
            }
        })
    }

    async fn show_all(&self, channel: &Channel) -> Outcome {
        let filter = self.selection.filter(channel).await?;
        if self.follow {
            return follow::follow(channel, filter, self.json).await;
        }
        let entries = channel.store.messages(filter).await?;
        list::show(&entries, &line::names(channel).await?, self.json)
    }

    async fn show_one(&self, channel: &Channel, reference: Reference) -> Outcome {
        match channel.store.message(reference).await? {
            Some(message) => detail::show(&message, channel, &line::names(channel).await?, self.json),
            None => Err(Failure::new("there is no such message").hint("`openclaw telephony messages` lists them")),
        }
    }
}

async fn retry(channel: &Channel, turn: TurnId) -> Outcome {
    channel.store.revive_turn(turn, channel.now()).await?;
    let is_heard = channel.poke().await;
    terminal::print(format!("Turn {turn} is due again."));
    if !is_heard {
        terminal::say("It is answered once the gateway runs: `openclaw gateway`.");
    }
    Ok(ExitCode::SUCCESS)
}

fn reference(word: &str) -> Result<Reference, String> {
    let number = |prefix| word.strip_prefix(prefix).and_then(|id: &str| id.parse::<i64>().ok());
    if let Some(id) = number("in-") {
        return Ok(Reference::Entry(EntryId::In(InboundId(id))));
    }
    if let Some(id) = number("out-") {
        return Ok(Reference::Entry(EntryId::Out(MessageId(id))));
    }
    let is_sid = word.len() == 34 && word.chars().all(|c| c.is_ascii_alphanumeric());
    if is_sid {
        Ok(Reference::Provider(word.to_owned()))
    } else {
        Err("expected in-12, out-34 or a SID such as SM…".to_owned())
    }
}
