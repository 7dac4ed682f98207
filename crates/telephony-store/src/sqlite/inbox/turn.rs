//! Turns: their rows, and what every change needs.

use telephony_domain::id::{ConversationId, InboundId, TurnId};
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::inbox::TurnLease;
use crate::sqlite::engine::query::{Db, Row, RowResult, execute, find, maybe_time, new_id, time};
use crate::sqlite::rows::conversation;

/// The fields of a turn that decide its fate.
pub(crate) struct TurnRow {
    pub(crate) id: TurnId,
    pub(crate) conversation: ConversationId,
    pub(crate) is_leased: bool,
    pub(crate) due: Timestamp,
    pub(crate) fence: i64,
    pub(crate) failures: u32,
    pub(crate) first_failed: Option<Timestamp>,
}

/// Columns of a [`TurnRow`].
pub(crate) const COLUMNS: &str = "id, conversation, state, due_at, fence, failures, first_failed_at";

/// Reads [`COLUMNS`].
pub(crate) fn read(row: &Row<'_>) -> RowResult<TurnRow> {
    Ok(TurnRow {
        id: TurnId(row.get("id")?),
        conversation: ConversationId(row.get("conversation")?),
        is_leased: row.get::<_, String>("state")? == "leased",
        due: time(row, "due_at")?,
        fence: row.get("fence")?,
        failures: row.get("failures")?,
        first_failed: maybe_time(row, "first_failed_at")?,
    })
}

/// Creates a turn of these messages, due at `due`; it is parked until it is leased.
pub(crate) fn make(
    db: &Db,
    conversation: ConversationId,
    messages: &[InboundId],
    due: Timestamp,
    now: Timestamp,
) -> Result<TurnRow, StoreError> {
    let sql = "INSERT INTO turn (conversation, state, due_at, created_at) VALUES (?, 'parked', ?, ?)";
    execute(db, sql, (conversation.0, due.0, now.0))?;
    let id = TurnId(new_id(db));
    for message in messages {
        execute(db, "UPDATE inbound SET state = 'answering', turn = ? WHERE id = ?", (id.0, message.0))?;
    }
    Ok(TurnRow { id, conversation, is_leased: false, due, fence: 0, failures: 0, first_failed: None })
}

/// Returns the turn, while its lease is the newest.
pub(crate) fn held(db: &Db, lease: &TurnLease) -> Result<TurnRow, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM turn WHERE id = ? AND fence = ? AND state = 'leased'");
    find(db, &sql, (lease.turn.0, lease.fence), read)?.ok_or(StoreError::LeaseLost)
}

/// Ends a turn for good; its messages get the state `messages` for the reason `why`.
pub(crate) fn close(
    db: &Db,
    turn: &TurnRow,
    state: &str,
    messages: &str,
    why: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "UPDATE turn SET state = ?2, due_at = NULL, ended_at = ?3 WHERE id = ?1";
    execute(db, sql, (turn.id.0, state, now.0))?;
    execute(db, "UPDATE inbound SET state = ?2, why = ?3 WHERE turn = ?1", (turn.id.0, messages, why))?;
    close_attempt(db, turn, state, why, Some(now))?;
    conversation::rearm(db, turn.conversation)
}

/// Ends the running attempt; without `now` it was interrupted at an unknown time.
pub(crate) fn close_attempt(
    db: &Db,
    turn: &TurnRow,
    outcome: &str,
    reason: Option<&str>,
    now: Option<Timestamp>,
) -> Result<(), StoreError> {
    let sql = "UPDATE turn_attempt SET outcome = ?3, reason = ?4, ended_at = ?5
               WHERE turn = ?1 AND number = ?2 AND outcome = 'running'";
    execute(db, sql, (turn.id.0, turn.fence, outcome, reason, now.map(|now| now.0))).map(drop)
}
