//! `openclaw telephony messages [<id>]`: lists messages.

pub mod detail;
mod follow;
pub mod list;
mod retry;
pub mod selection;

use clap::Args;
use telephony_domain::id::{InboundId, MessageId};
use telephony_store::history::{EntryId, MessageReference};

use retry::What;
use selection::SelectionArgs;

use crate::assemble::Channel;
use crate::config_arg::ConfigArg;
use crate::failure::{Failure, Outcome};
use crate::line;
use crate::terminal;

const EXAMPLES: &str = "\
Examples:
  openclaw telephony messages --contact +15550005678 --since 2h
  openclaw telephony messages out-34
  openclaw telephony messages --retry --failed --since 2h";

/// List incoming and outgoing messages.
#[derive(Debug, Args)]
#[command(after_help = terminal::program().in_text(EXAMPLES).into_owned())]
pub struct MessagesArgs {
    /// Show one message with every attempt: `in-12`, `out-34` or Twilio's SID
    #[arg(value_parser = reference)]
    id: Option<MessageReference>,
    #[command(flatten)]
    selection: SelectionArgs,
    /// Keep running and print new messages and changes
    #[arg(long, conflicts_with_all = ["id", "dead", "retry"])]
    follow: bool,
    /// Show the turns that could not be answered
    #[arg(long, conflicts_with = "id")]
    dead: bool,
    /// Retry a failed message: `out-34`, Twilio's SID, or every message selected by `--failed --since 2h`; with a
    /// number shown by `--dead`, retry that turn
    #[arg(long, value_name = "ID", num_args = 0..=1, value_parser = retry::what, conflicts_with_all = ["id", "dead"])]
    retry: Option<Option<What>>,
    /// With `--retry` and `--since`: retry all messages that have failed since then
    #[arg(long, requires_all = ["retry", "since"])]
    failed: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl MessagesArgs {
    pub fn run(self, config_arg: &ConfigArg) -> Outcome {
        let channel =
            if self.retry.is_some() || self.follow { Channel::open(config_arg) } else { Channel::look(config_arg) };
        channel?.block_on(async |channel| {
            if let Some(what) = &self.retry {
                return self.retry(channel, what.as_ref()).await;
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

    async fn retry(&self, channel: &Channel, what: Option<&What>) -> Outcome {
        match what {
            Some(_) if self.failed || self.selection.is_narrow() => {
                Err(Failure::usage("`--retry` with an id retries only that message")
                    .hint("remove the other options, or remove the id and pass `--failed --since 2h`"))
            }
            Some(What::Turn(turn)) => retry::turn(channel, *turn).await,
            Some(What::Message(reference)) => retry::message(channel, reference.clone()).await,
            None if self.failed => retry::failed(channel, self.selection.filter(channel).await?).await,
            None => Err(Failure::usage("`--retry` needs an id, or `--failed` and `--since`")
                .hint("for example `openclaw telephony messages --retry out-34`, or `--retry --failed --since 2h`")),
        }
    }

    async fn show_all(&self, channel: &Channel) -> Outcome {
        let filter = self.selection.filter(channel).await?;
        if self.follow {
            return follow::follow(channel, filter, self.json).await;
        }
        let entries = channel.store.messages(filter).await?;
        list::show(&entries, &line::names(channel).await?, self.json)
    }

    async fn show_one(&self, channel: &Channel, reference: MessageReference) -> Outcome {
        match channel.store.message(reference).await? {
            Some(message) => detail::show(&message, channel, &line::names(channel).await?, self.json),
            None => Err(Failure::new("there is no such message").hint("`openclaw telephony messages` lists them")),
        }
    }
}

fn reference(word: &str) -> Result<MessageReference, String> {
    let number = |prefix| word.strip_prefix(prefix).and_then(|id: &str| id.parse::<i64>().ok());
    if let Some(id) = number("in-") {
        return Ok(MessageReference::Entry(EntryId::In(InboundId(id))));
    }
    if let Some(id) = number("out-") {
        return Ok(MessageReference::Entry(EntryId::Out(MessageId(id))));
    }
    let is_sid = word.len() == 34 && word.chars().all(|c| c.is_ascii_alphanumeric());
    if is_sid {
        Ok(MessageReference::Provider(word.to_owned()))
    } else {
        Err("expected in-12, out-34 or a SID such as SM…".to_owned())
    }
}
