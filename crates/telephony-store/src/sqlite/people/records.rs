//! Stored personal data of a contact, read in one snapshot and deleted in steps.

use async_trait::async_trait;
use telephony_domain::id::{ConversationId, InboundId, MessageId};
use telephony_domain::notice::name;
use telephony_domain::number::PhoneNumber;
use telephony_domain::time::Timestamp;

use super::{consents, pairing, removal};
use crate::StoreError;
use crate::history::Filter;
use crate::records::{Purged, Record, RecordCounts, Records};
use crate::sqlite::SqliteStore;
use crate::sqlite::calls;
use crate::sqlite::engine::query::{self, Db, Row, execute, find, list, maybe_time, one};
use crate::sqlite::history;
use crate::sqlite::inbox::kept_answer;
use crate::sqlite::outbox::queue;
use crate::sqlite::rows::{contact, conversation, notice};

#[async_trait]
impl Records for SqliteStore {
    async fn record_of(&self, contact: &PhoneNumber) -> Result<Record, StoreError> {
        let contact = contact.clone();
        self.read(move |db| record_of(db, &contact)).await
    }

    async fn holdings(&self, contact: &PhoneNumber) -> Result<RecordCounts, StoreError> {
        let contact = contact.clone();
        self.read(move |db| holdings(db, &contact)).await
    }

    async fn purge(&self, contact: &PhoneNumber, at_most: u32, now: Timestamp) -> Result<Purged, StoreError> {
        let contact = contact.clone();
        self.write(move |db| purge(db, &contact, at_most, now)).await
    }

    async fn expire(&self, before: Timestamp, at_most: u32, now: Timestamp) -> Result<usize, StoreError> {
        self.write(move |db| removal::expire(db, before, at_most, now)).await
    }
}

fn record_of(db: &Db, contact: &PhoneNumber) -> Result<Record, StoreError> {
    let filter = Filter { contact: Some(contact.to_string()), limit: u32::MAX, ..Filter::default() };
    let messages = history::details(db, &filter)?;
    let (approved, blocked) = decisions(db, contact)?;
    // An expired request is still stored.
    let mut requests = pairing::requests(db, Timestamp(i64::MIN))?;
    requests.retain(|request| request.contact == *contact);
    Ok(Record {
        contact: contact.clone(),
        approved,
        blocked,
        pairing: requests.pop(),
        consents: consents::history(db, Some(contact))?,
        messages,
        calls: calls::details(db, contact, u32::MAX)?,
    })
}

fn decisions(db: &Db, contact: &PhoneNumber) -> Result<(Option<Timestamp>, Option<Timestamp>), StoreError> {
    let sql = "SELECT approved_at, blocked_at FROM contact WHERE number = ?";
    let read = |row: &Row<'_>| Ok((maybe_time(row, "approved_at")?, maybe_time(row, "blocked_at")?));
    Ok(find(db, sql, [contact.as_str()], read)?.unwrap_or_default())
}

fn holdings(db: &Db, contact: &PhoneNumber) -> Result<RecordCounts, StoreError> {
    let (approved, blocked) = decisions(db, contact)?;
    let count = |sql: &str| one(db, sql, [contact.as_str()], |row| query::count(row, 0));
    let of_conversations = "conversation IN (SELECT id FROM conversation WHERE contact = ?1)";
    Ok(RecordCounts {
        inbound: count(&format!(
            "SELECT count(*) FROM inbound WHERE {of_conversations} OR (conversation IS NULL AND sender = ?1)"
        ))?,
        outbound: count(&format!("SELECT count(*) FROM message WHERE {of_conversations}"))?,
        in_hand: count(&format!(
            "SELECT count(*) FROM part WHERE due_at IS NOT NULL AND state <> 'ready' AND {of_conversations}"
        ))?,
        calls: count(&format!("SELECT count(*) FROM call WHERE {of_conversations}"))?,
        open_calls: count(&format!("SELECT count(*) FROM call WHERE due_at IS NOT NULL AND {of_conversations}"))?,
        has_request: count("SELECT count(*) FROM pairing WHERE contact = ?")? > 0,
        is_approved: approved.is_some(),
        is_blocked: blocked.is_some(),
        is_opted_out: count("SELECT count(*) FROM conversation WHERE contact = ? AND opted_out_at IS NOT NULL")? > 0,
    })
}

fn purge(db: &Db, contact: &PhoneNumber, at_most: u32, now: Timestamp) -> Result<Purged, StoreError> {
    let conversations = contact::conversations(db, contact)?;
    let (mut messages, mut calls) = (0, 0);
    for conversation in &conversations {
        end_work(db, *conversation, now)?;
        let outbound = to_contact(db, *conversation, at_most)?;
        let inbound = from_contact(db, *conversation, at_most)?;
        messages += outbound.len() + inbound.len();
        calls += removal::delete_calls(db, *conversation, at_most, now)?;
        removal::delete_messages(db, &outbound)?;
        removal::delete_inbound(db, &inbound, now)?;
    }
    let elsewhere = in_no_conversation(db, contact, at_most)?;
    removal::delete_inbound(db, &elsewhere, now)?;
    messages += elsewhere.len();
    let is_done = messages + calls == 0;
    if is_done {
        forget(db, contact, &conversations)?;
    }
    Ok(Purged { messages, calls, is_done })
}

/// Cancels everything to be sent or answered. A worker on a turn loses its lease.
fn end_work(db: &Db, id: ConversationId, now: Timestamp) -> Result<(), StoreError> {
    queue::cancel_all(db, id, "the operator purged it", now)?;
    kept_answer::forget(db, id)?;
    let sql = "UPDATE turn SET state = 'refused', due_at = NULL, ended_at = ?2, reason = NULL, fence = fence + 1
               WHERE conversation = ?1 AND ended_at IS NULL";
    execute(db, sql, (id.0, now.0))?;
    calls::end_of(db, id, now)?;
    conversation::set_ready(db, id, None)
}

fn to_contact(db: &Db, id: ConversationId, at_most: u32) -> Result<Vec<MessageId>, StoreError> {
    let sql = "SELECT id FROM message WHERE conversation = ? AND NOT EXISTS
                   (SELECT 1 FROM part WHERE message = message.id AND due_at IS NOT NULL) LIMIT ?";
    list(db, sql, (id.0, at_most), |row| row.get(0).map(MessageId))
}

fn from_contact(db: &Db, id: ConversationId, at_most: u32) -> Result<Vec<InboundId>, StoreError> {
    list(db, "SELECT id FROM inbound WHERE conversation = ? LIMIT ?", (id.0, at_most), |row| row.get(0).map(InboundId))
}

fn in_no_conversation(db: &Db, contact: &PhoneNumber, at_most: u32) -> Result<Vec<InboundId>, StoreError> {
    let sql = "SELECT id FROM inbound WHERE conversation IS NULL AND sender = ? LIMIT ?";
    list(db, sql, (contact.as_str(), at_most), |row| row.get(0).map(InboundId))
}

/// Deletes the rest once the messages are gone; an opt-out stays with its history, and so does a block.
fn forget(db: &Db, contact: &PhoneNumber, conversations: &[ConversationId]) -> Result<(), StoreError> {
    for id in conversations {
        let in_hand = "NOT EXISTS (SELECT 1 FROM message WHERE turn = turn.id)";
        execute(db, &format!("DELETE FROM turn WHERE conversation = ? AND {in_hand}"), [id.0])?;
        let is_free = "SELECT opted_out_at IS NULL AND NOT EXISTS (SELECT 1 FROM message WHERE conversation = ?1)
                              AND NOT EXISTS (SELECT 1 FROM call WHERE conversation = ?1)
                       FROM conversation WHERE id = ?1";
        if one(db, is_free, [id.0], |row| row.get(0))? {
            execute(db, "DELETE FROM consent WHERE conversation = ?", [id.0])?;
            execute(db, "DELETE FROM conversation WHERE id = ?", [id.0])?;
            notice::forget(db, &name::paused(*id))?;
        }
    }
    execute(db, "DELETE FROM pairing WHERE contact = ?", [contact.as_str()])?;
    notice::forget(db, &name::pairing_request(contact.as_str()))?;
    notice::mask(db, contact)?;
    execute(db, "UPDATE contact SET approved_at = NULL WHERE number = ?", [contact.as_str()])?;
    execute(db, "DELETE FROM contact WHERE number = ? AND blocked_at IS NULL", [contact.as_str()])?;
    execute(db, "UPDATE spent SET contact = NULL WHERE contact = ?", [contact.as_str()]).map(drop)
}
