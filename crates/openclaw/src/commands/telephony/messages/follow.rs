//! Follows messages as they arrive and change. Each look is a short read transaction, so the gateway can go on writing.

use std::collections::HashMap;
use std::process::ExitCode;
use std::time::Duration;

use telephony_domain::delivery::Status;
use telephony_domain::id::LineId;
use telephony_gateway::views::message::MessageView;
use telephony_store::history::{EntryId, EntryState, Filter, Mark, MessageEntry, OPEN_INBOUND_STATES};
use telephony_store::outbox::PartState;

use super::list;
use crate::assemble::Channel;
use crate::failure::{Failure, Outcome};
use crate::line;
use crate::terminal;

const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Largest number of messages watched for changes: the newest ones that can still change.
const MAX_WATCHED: usize = 1000;

/// The messages shown so far and those that may still change.
struct Follower<'c> {
    channel: &'c Channel,
    filter: Filter,
    is_json: bool,
    names: HashMap<LineId, String>,
    mark: Mark,
    open: HashMap<EntryId, EntryState>,
}

/// Prints the newest messages, then every new one and every change, until the reader closes the pipe.
pub async fn follow(channel: &Channel, filter: Filter, is_json: bool) -> Outcome {
    let (mark, names) = (channel.store.mark().await?, line::names(channel).await?);
    let mut follower = Follower { channel, filter, is_json, names, mark, open: HashMap::new() };
    let mut is_read = follower.begin().await?;
    while is_read {
        tokio::time::sleep(LOOK_EVERY).await;
        is_read = follower.look().await?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Follower<'_> {
    /// Prints the existing messages. Returns false once the reader is gone.
    async fn begin(&mut self) -> Result<bool, Failure> {
        let store = &self.channel.store;
        let mut newest = store.messages(self.filter.clone()).await?;
        newest.retain(|entry| !self.is_new(entry.id));
        newest.reverse();
        let limit = u32::try_from(MAX_WATCHED).unwrap_or(u32::MAX);
        let mut watched = store.messages(Filter { states: open_states(), limit, ..self.filter.clone() }).await?;
        watched.retain(|entry| !self.is_new(entry.id));
        self.open.extend(watched.into_iter().map(|entry| (entry.id, entry.standing)));
        Ok(newest.iter().all(|entry| self.print(entry)))
    }

    /// Prints new messages and changes. Returns false once the reader is gone.
    async fn look(&mut self) -> Result<bool, Failure> {
        let mark = self.channel.store.mark().await?;
        let mut shown = self.changed().await?;
        let since = Filter { after: Some(self.mark), states: Vec::new(), limit: u32::MAX, ..self.filter.clone() };
        let new = if mark == self.mark { Vec::new() } else { self.channel.store.messages(since).await? };
        shown.extend(new.into_iter().rev());
        self.advance(&shown, mark);
        Ok(shown.iter().filter(|entry| self.filter.wants_state(entry)).all(|entry| self.print(entry)))
    }

    async fn changed(&self) -> Result<Vec<MessageEntry>, Failure> {
        let mut watched: Vec<EntryId> = self.open.keys().copied().collect();
        watched.sort_by_key(|id| number(*id));
        let mut entries = self.channel.store.entries(watched).await?;
        entries.retain(|entry| self.open.get(&entry.id) != Some(&entry.standing));
        Ok(entries)
    }

    /// Moves past the shown messages, which may be newer than the mark.
    fn advance(&mut self, shown: &[MessageEntry], mark: Mark) {
        self.mark = Mark { inbound: self.mark.inbound.max(mark.inbound), message: self.mark.message.max(mark.message) };
        for entry in shown {
            match entry.id {
                EntryId::In(id) => self.mark.inbound = self.mark.inbound.max(id),
                EntryId::Out(id) => self.mark.message = self.mark.message.max(id),
            }
            if entry.is_open() && (self.open.len() < MAX_WATCHED || self.open.contains_key(&entry.id)) {
                self.open.insert(entry.id, entry.standing.clone());
            } else {
                self.open.remove(&entry.id);
            }
        }
    }

    fn is_new(&self, id: EntryId) -> bool {
        match id {
            EntryId::In(id) => id > self.mark.inbound,
            EntryId::Out(id) => id > self.mark.message,
        }
    }

    fn print(&self, entry: &MessageEntry) -> bool {
        let message = MessageView::of(entry, &self.names);
        if self.is_json {
            terminal::try_print_json(&serde_json::to_string(&message).unwrap_or_default())
        } else {
            list::print_line(&message)
        }
    }
}

fn number(id: EntryId) -> i64 {
    match id {
        EntryId::In(id) => id.0,
        EntryId::Out(id) => id.0,
    }
}

fn open_states() -> Vec<String> {
    let parts = [PartState::Queued, PartState::Ready, PartState::Starting, PartState::Unknown].map(PartState::as_str);
    let statuses = [Status::Accepted, Status::Scheduled, Status::Sending, Status::Sent].map(Status::as_str);
    OPEN_INBOUND_STATES.iter().copied().chain(parts).chain(statuses).map(str::to_owned).collect()
}
