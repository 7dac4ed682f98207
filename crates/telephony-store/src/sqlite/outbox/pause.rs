//! Conversations of two machines: detected, paused, resumed.

use telephony_domain::id::ConversationId;
use telephony_domain::notice::{Notice, name};
use telephony_domain::number::PhoneNumber;
use telephony_domain::reply_loop::{self, PAUSE};
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::sqlite::engine::query::{Db, execute, find, list, one, time};
use crate::sqlite::rows::{contact, conversation, notice};

/// Counts an exchange for a text received at `received_at`, which is a sign of two machines in a loop.
pub(crate) fn count_exchange(
    db: &Db,
    id: ConversationId,
    received_at: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "SELECT sent_at FROM part WHERE conversation = ? AND sent_at IS NOT NULL AND position = 1
               ORDER BY sent_at DESC LIMIT 1";
    let left = find(db, sql, [id.0], |row| time(row, "sent_at"))?;
    let before = one(db, "SELECT rally_score FROM conversation WHERE id = ?", [id.0], |row| row.get(0))?;
    let score = reply_loop::score(before, left, received_at);
    execute(db, "UPDATE conversation SET rally_score = ?2 WHERE id = ?1", (id.0, score))?;
    if score < reply_loop::ENDLESS_SCORE { Ok(()) } else { pause(db, id, &conversation::contact_of(db, id)?, now) }
}

/// Resets the count, because there is no answer and thus no loop.
pub(crate) fn forget_exchanges(db: &Db, id: ConversationId) -> Result<(), StoreError> {
    execute(db, "UPDATE conversation SET rally_score = 0 WHERE id = ?", [id.0]).map(drop)
}

/// Pauses a conversation: new messages wait, and queued ones leave within the limit.
fn pause(db: &Db, id: ConversationId, contact: &PhoneNumber, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE conversation SET paused_until = ?2, rally_score = 0 WHERE id = ?1";
    execute(db, sql, (id.0, (now + PAUSE).0))?;
    conversation::rearm(db, id)?;
    tracing::warn!(conversation = %id, contact = ?contact, "two machines seem to answer each other: paused for an hour");
    let is_approved = contact::is_approved(db, contact)?;
    notice::raise(db, &Notice::Paused { conversation: id, contact: contact.to_string(), is_approved }, now).map(drop)
}

/// Ends pauses that are over, and those that a clock now set back had extended too far.
pub(crate) fn end_pauses(db: &Db, now: Timestamp) -> Result<(), StoreError> {
    let sql =
        "SELECT id FROM conversation WHERE paused_until IS NOT NULL AND (paused_until <= ?1 OR paused_until > ?2)";
    let over = list(db, sql, (now.0, (now + PAUSE).0), |row| row.get(0).map(ConversationId))?;
    over.into_iter().try_for_each(|id| end_pause(db, id))
}

/// Ends the pauses of a contact's conversations early. Returns the number.
pub(crate) fn resume(db: &Db, contact: &PhoneNumber) -> Result<usize, StoreError> {
    let sql = "SELECT id FROM conversation WHERE contact = ? AND paused_until IS NOT NULL";
    let paused = list(db, sql, [contact.as_str()], |row| row.get(0).map(ConversationId))?;
    paused.iter().try_for_each(|id| end_pause(db, *id))?;
    Ok(paused.len())
}

fn end_pause(db: &Db, id: ConversationId) -> Result<(), StoreError> {
    execute(db, "UPDATE conversation SET paused_until = NULL WHERE id = ?", [id.0])?;
    conversation::rearm(db, id)?;
    notice::end(db, &name::paused(id)).map(drop)
}
