//! One message with its full history.

use telephony_domain::id::{InboundId, MessageId, TurnId};

use super::entries;
use crate::StoreError;
use crate::history::{Attempt, EntryId, MessageDetail, MessageEntry, MessageReference};
use crate::sqlite::engine::columns;
use crate::sqlite::engine::query::{Db, Row, RowResult, find, list, maybe_time, one, time};
use crate::sqlite::outbox::progress;
use crate::sqlite::rows::media;

/// Returns the message, if it exists.
pub(super) fn of(db: &Db, reference: &MessageReference) -> Result<Option<MessageDetail>, StoreError> {
    let id = match reference {
        MessageReference::Entry(id) => Some(*id),
        MessageReference::Provider(id) => by_provider(db, id)?,
    };
    let Some(entry) = id.map(|id| entries::entry(db, id)).transpose()?.flatten() else { return Ok(None) };
    of_entry(db, entry).map(Some)
}

/// Adds the history to a listed message.
pub(super) fn of_entry(db: &Db, entry: MessageEntry) -> Result<MessageDetail, StoreError> {
    match entry.id {
        EntryId::In(id) => inbound(db, id, entry),
        EntryId::Out(id) => outbound(db, id, entry),
    }
}

fn by_provider(db: &Db, id: &str) -> Result<Option<EntryId>, StoreError> {
    let inbound = find(db, "SELECT id FROM inbound WHERE provider_id = ?", [id], |row| row.get(0).map(InboundId))?;
    if let Some(inbound) = inbound {
        return Ok(Some(EntryId::In(inbound)));
    }
    let sql = "SELECT message FROM part WHERE provider_id = ?";
    Ok(find(db, sql, [id], |row| row.get(0).map(MessageId))?.map(EntryId::Out))
}

fn inbound(db: &Db, id: InboundId, entry: MessageEntry) -> Result<MessageDetail, StoreError> {
    let sql = "SELECT provider_id, turn, also_to FROM inbound WHERE id = ?";
    let (provider_id, turn, also_to) = one(db, sql, [id.0], |row| {
        Ok((row.get("provider_id")?, row.get::<_, Option<i64>>("turn")?, columns::also_to(row)?))
    })?;
    let sql = "SELECT 0 AS part, started_at, ended_at, outcome, NULL AS code, reason FROM turn_attempt
               WHERE turn = ? ORDER BY number";
    let attempts = list(db, sql, [turn], attempt)?;
    let media = media::of_inbound(db, id)?;
    let (turn, parts) = (turn.map(TurnId), Vec::new());
    Ok(MessageDetail { entry, provider_id: Some(provider_id), media, also_to, turn, parts, attempts })
}

fn outbound(db: &Db, id: MessageId, entry: MessageEntry) -> Result<MessageDetail, StoreError> {
    let turn: Option<i64> = one(db, "SELECT turn FROM message WHERE id = ?", [id.0], |row| row.get(0))?;
    let sql = "SELECT p.position AS part, a.started_at, a.ended_at, a.outcome, a.code, a.reason
               FROM part AS p JOIN part_attempt AS a ON a.part = p.id WHERE p.message = ?
               ORDER BY a.started_at, p.position, a.number";
    let attempts = list(db, sql, [id.0], attempt)?;
    let parts = progress::parts_of(db, id)?;
    let media = media::shown_outbound(db, id)?;
    Ok(MessageDetail { entry, provider_id: None, media, also_to: Vec::new(), turn: turn.map(TurnId), parts, attempts })
}

fn attempt(row: &Row<'_>) -> RowResult<Attempt> {
    Ok(Attempt {
        part: row.get("part")?,
        started: time(row, "started_at")?,
        ended: maybe_time(row, "ended_at")?,
        outcome: row.get("outcome")?,
        code: row.get("code")?,
        reason: row.get("reason")?,
    })
}
