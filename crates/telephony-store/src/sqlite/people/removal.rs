//! Deletion of messages and turns with all their data. SQLite reuses the freed pages.

use std::time::Duration;

use telephony_domain::id::{ConversationId, InboundId, MessageId};
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::sqlite::engine::query::{Db, execute, list, maybe_time, one};

/// Largest delay with which a deleted message or call may arrive again although its number was searched since, because
/// clocks differ and webhooks are late.
const MARGIN: Duration = Duration::from_secs(24 * 60 * 60);

/// Deletes messages to contacts with parts, attempts and attachments.
pub(super) fn delete_messages(db: &Db, messages: &[MessageId]) -> Result<(), StoreError> {
    messages.iter().try_for_each(|id| execute(db, "DELETE FROM message WHERE id = ?", [id.0]).map(drop))
}

/// Deletes messages of contacts with their attachments.
///
/// A message that the search for missed ones may still find at the provider is remembered, or it would count as new.
pub(super) fn delete_inbound(db: &Db, messages: &[InboundId], now: Timestamp) -> Result<(), StoreError> {
    let since = may_come_again(db, now)?;
    for id in messages {
        let sql = "INSERT OR IGNORE INTO deleted (provider_id, received_at, provider)
                   SELECT provider_id, received_at, provider FROM inbound WHERE id = ?1 AND received_at >= ?2";
        execute(db, sql, (id.0, since.0))?;
        execute(db, "DELETE FROM inbound WHERE id = ?", [id.0])?;
    }
    Ok(())
}

/// Deletes finished rows from before a time. Returns the number of rows of all kinds.
pub(super) fn expire(db: &Db, before: Timestamp, at_most: u32, now: Timestamp) -> Result<usize, StoreError> {
    let messages = finished_messages(db, before, at_most)?;
    delete_messages(db, &messages)?;
    let inbound = finished_inbound(db, before, at_most)?;
    delete_inbound(db, &inbound, now)?;
    let turns = delete_empty_turns(db, before, at_most)?;
    let sql = "DELETE FROM call WHERE id IN (SELECT id FROM call INDEXED BY call_created
                   WHERE created_at < ? AND due_at IS NULL ORDER BY created_at LIMIT ?)";
    let calls = execute(db, sql, (before.0, at_most))?;
    forget_deleted(db, at_most, now)?;
    Ok(messages.len() + inbound.len() + turns + calls)
}

/// Deletes calls that are over, with their transcripts. Returns the number.
///
/// A call that the search for missed ones may still find at the provider is remembered, or it would count as missed.
pub(super) fn delete_calls(
    db: &Db,
    conversation: ConversationId,
    at_most: u32,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let sql = "INSERT OR IGNORE INTO deleted (provider_id, received_at, provider)
               SELECT provider_id, created_at, provider FROM call
               WHERE conversation = ?1 AND is_inbound AND due_at IS NULL AND created_at >= ?2";
    execute(db, sql, (conversation.0, may_come_again(db, now)?.0))?;
    let sql = "DELETE FROM call WHERE id IN (SELECT id FROM call WHERE conversation = ? AND due_at IS NULL LIMIT ?)";
    execute(db, sql, (conversation.0, at_most))
}

fn finished_messages(db: &Db, before: Timestamp, at_most: u32) -> Result<Vec<MessageId>, StoreError> {
    let sql = "SELECT id FROM message INDEXED BY message_created WHERE created_at < ?
               AND NOT EXISTS (SELECT 1 FROM part WHERE message = message.id
                                 AND (state = 'queued' OR due_at IS NOT NULL OR poll_at IS NOT NULL))
               ORDER BY created_at LIMIT ?";
    list(db, sql, (before.0, at_most), |row| row.get(0).map(MessageId))
}

fn finished_inbound(db: &Db, before: Timestamp, at_most: u32) -> Result<Vec<InboundId>, StoreError> {
    let sql = "SELECT id FROM inbound INDEXED BY inbound_received WHERE received_at < ?
               AND state NOT IN ('waiting', 'answering', 'kept', 'unconfirmed', 'order') ORDER BY received_at LIMIT ?";
    list(db, sql, (before.0, at_most), |row| row.get(0).map(InboundId))
}

/// Deletes the oldest turns that have no messages left. Returns the number.
fn delete_empty_turns(db: &Db, before: Timestamp, at_most: u32) -> Result<usize, StoreError> {
    let sql = "DELETE FROM turn WHERE id IN (SELECT id FROM turn ORDER BY id LIMIT ?2) AND created_at < ?1
               AND state IN ('answered', 'refused', 'dead') AND NOT EXISTS (SELECT 1 FROM inbound WHERE turn = turn.id)
               AND NOT EXISTS (SELECT 1 FROM message WHERE turn = turn.id)";
    execute(db, sql, (before.0, at_most.saturating_mul(2)))
}

/// Returns the time from which on the search for missed messages and calls may still find one.
fn may_come_again(db: &Db, now: Timestamp) -> Result<Timestamp, StoreError> {
    let seen_until = one(db, "SELECT min(seen_until) AS seen FROM watched", (), |row| maybe_time(row, "seen"))?;
    Ok(seen_until.map_or(now, |seen| seen.min(now)) - MARGIN)
}

fn forget_deleted(db: &Db, at_most: u32, now: Timestamp) -> Result<(), StoreError> {
    let sql = "DELETE FROM deleted WHERE (provider_id, provider) IN
                   (SELECT provider_id, provider FROM deleted WHERE received_at < ? ORDER BY received_at LIMIT ?)";
    execute(db, sql, (may_come_again(db, now)?.0, at_most)).map(drop)
}
