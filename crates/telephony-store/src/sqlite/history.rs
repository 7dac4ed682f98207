//! The history: lists, one message in detail, conversations, counts and costs.
//!
//! It reads one consistent snapshot and never waits for the writer; it only writes prices and the point up to which an
//! agent forgets.

mod backlog;
mod costs;
mod detail;
mod entries;
mod spoken;
pub(super) mod summary;

use async_trait::async_trait;
use telephony_domain::id::{ConversationId, InboundId, MessageId, TurnId};
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::history::{
    Backlog, EntryId, Filter, History, Mark, MessageDetail, MessageEntry, MessageReference, Spoken, WorkSummary,
};
use crate::sqlite::SqliteStore;
use crate::sqlite::engine::query::{Db, Row, execute, one};

#[async_trait]
impl History for SqliteStore {
    async fn messages(&self, filter: Filter) -> Result<Vec<MessageEntry>, StoreError> {
        self.read(move |db| entries::list_by(db, &filter)).await
    }

    async fn entries(&self, ids: Vec<EntryId>) -> Result<Vec<MessageEntry>, StoreError> {
        self.read(move |db| ids.iter().filter_map(|id| entries::entry(db, *id).transpose()).collect()).await
    }

    async fn mark(&self) -> Result<Mark, StoreError> {
        let sql = "SELECT coalesce((SELECT max(id) FROM inbound), 0), coalesce((SELECT max(id) FROM message), 0)";
        let read = |row: &Row<'_>| Ok(Mark { inbound: InboundId(row.get(0)?), message: MessageId(row.get(1)?) });
        self.read(move |db| one(db, sql, (), read)).await
    }

    async fn message(&self, reference: MessageReference) -> Result<Option<MessageDetail>, StoreError> {
        self.read(move |db| detail::of(db, &reference)).await
    }

    async fn spoken(&self, conversation: ConversationId, turns: u32) -> Result<Vec<Spoken>, StoreError> {
        self.read(move |db| spoken::list_of(db, conversation, turns)).await
    }

    async fn reset_conversation(&self, conversation: ConversationId, last: TurnId) -> Result<(), StoreError> {
        let sql = "UPDATE conversation SET forgotten_turn = max(forgotten_turn, ?2) WHERE id = ?1";
        let none = move || StoreError::NotFound(format!("conversation {conversation}"));
        self.write(move |db| if execute(db, sql, [conversation.0, last.0])? == 0 { Err(none()) } else { Ok(()) }).await
    }

    async fn summary(&self, now: Timestamp) -> Result<WorkSummary, StoreError> {
        self.read(move |db| summary::count(db, now)).await
    }

    async fn backlog(&self, now: Timestamp) -> Result<Backlog, StoreError> {
        let to_write = self.writer.waiting();
        let backlog = self.read(move |db| backlog::measure(db, now)).await?;
        Ok(Backlog { to_write, ..backlog })
    }
}

/// Returns messages with their full history, oldest first.
pub(super) fn details(db: &Db, filter: &Filter) -> Result<Vec<MessageDetail>, StoreError> {
    let newest_first = entries::list_by(db, filter)?;
    newest_first.into_iter().rev().map(|entry| detail::of_entry(db, entry)).collect()
}
