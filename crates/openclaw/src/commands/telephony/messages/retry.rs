//! `--retry`: resends failed messages and retries dead turns.

use std::process::ExitCode;

use telephony_domain::id::{MessageId, TurnId};
use telephony_store::StoreError;
use telephony_store::history::{Direction, EntryId, Filter, MessageReference};
use telephony_store::outbox::Retried;

use crate::assemble::Channel;
use crate::failure::{Failure, Outcome};
use crate::plural::counted;
use crate::terminal;

/// Largest number of messages that one command resends.
const MAX_MESSAGES: u32 = 10_000;

/// The target of `--retry`.
#[derive(Debug, Clone)]
pub enum What {
    Turn(TurnId),
    /// A message that was not sent.
    Message(MessageReference),
}

/// Parses the id after `--retry`.
pub fn what(word: &str) -> Result<What, String> {
    match word.parse() {
        Ok(turn) => Ok(What::Turn(TurnId(turn))),
        Err(_) => super::reference(word).map(What::Message),
    }
}

pub async fn turn(channel: &Channel, turn: TurnId) -> Outcome {
    channel.store.revive_turn(turn, channel.now()).await?;
    terminal::print(format!("Turn {turn} will be retried."));
    wake(channel, "It is answered").await;
    Ok(ExitCode::SUCCESS)
}

/// Resends a failed message.
pub async fn message(channel: &Channel, reference: MessageReference) -> Outcome {
    let message = outbound(channel, reference).await?;
    match channel.store.retry_message(message, channel.now()).await? {
        Retried::Waits(_) => {
            terminal::print(format!("out-{message} will be sent again."));
            wake(channel, "It is sent").await;
        }
        Retried::NotFailed => terminal::print(format!("out-{message} has not failed, so it is not sent again.")),
        Retried::Unknown => return Err(unknown(message)),
    }
    Ok(ExitCode::SUCCESS)
}

/// Resends every failed message that matches `filter`.
pub async fn failed(channel: &Channel, filter: Filter) -> Outcome {
    let states = ["failed", "undelivered"].map(str::to_owned).to_vec();
    let filter = Filter { states, direction: Some(Direction::Outbound), limit: MAX_MESSAGES, ..filter };
    let mut again = 0;
    // The list is newest first; resend the oldest first.
    for entry in channel.store.messages(filter).await?.into_iter().rev() {
        let EntryId::Out(message) = entry.id else { continue };
        match channel.store.retry_message(message, channel.now()).await {
            Ok(Retried::Waits(_)) => again += 1,
            Ok(Retried::NotFailed) => {}
            Ok(Retried::Unknown) => terminal::say(format!("out-{message} is not sent again: {UNKNOWN}.")),
            Err(error @ (StoreError::OptedOut | StoreError::QueueFull { .. })) => {
                terminal::say(format!("out-{message} is not sent again: {error}."));
            }
            Err(error) => return Err(error.into()),
        }
    }
    terminal::print(format!("{} will be sent again.", counted(again, "message")));
    if again > 0 {
        wake(channel, "They are sent").await;
    }
    Ok(ExitCode::SUCCESS)
}

const UNKNOWN: &str = "Twilio may or may not have sent it";

fn unknown(message: MessageId) -> Failure {
    Failure::new(format!("out-{message} is not sent again: {UNKNOWN}"))
        .hint("ask the contact; `openclaw telephony send` with the same text sends it as a new message")
}

async fn outbound(channel: &Channel, reference: MessageReference) -> Result<MessageId, Failure> {
    let found = channel.store.message(reference).await?.map(|found| found.entry.id);
    match found {
        Some(EntryId::Out(message)) => Ok(message),
        Some(EntryId::In(_)) => Err(Failure::usage("it is an incoming message: only outgoing messages are sent again")
            .hint("`openclaw telephony messages --dead` shows unanswered turns, and their numbers for --retry")),
        None => Err(Failure::new("there is no such message").hint("`openclaw telephony messages` lists them")),
    }
}

async fn wake(channel: &Channel, done: &str) {
    if !channel.notify_gateway().await {
        terminal::say(format!("{done} once the gateway is running: `openclaw gateway`."));
    }
}
