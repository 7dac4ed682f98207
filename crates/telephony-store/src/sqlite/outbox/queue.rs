//! The queue of a conversation's parts: the next one, and removals.

use telephony_domain::id::{ConversationId, MessageId};
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::sqlite::engine::query::{Db, execute, one};

/// Makes the first queued part of a conversation next, unless another is; messages to the operator go first.
pub(crate) fn promote(db: &Db, conversation: ConversationId, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE part SET state = 'ready', due_at = ?2
               WHERE id = (SELECT id FROM part WHERE conversation = ?1 AND state = 'queued'
                           ORDER BY is_for_operator DESC, id LIMIT 1)
                 AND NOT EXISTS (SELECT 1 FROM part WHERE conversation = ?1 AND due_at IS NOT NULL)";
    execute(db, sql, (conversation.0, now.0)).map(drop)
}

/// Lets messages to the operator go ahead of a part that waits for a limit, or no notice about the limit would arrive.
/// It still waits for the limit, so the notice stays.
pub(crate) fn give_way(db: &Db, conversation: ConversationId) -> Result<(), StoreError> {
    let sql = "UPDATE part SET state = 'queued', due_at = NULL
               WHERE conversation = ?1 AND due_at IS NOT NULL AND state = 'ready' AND is_for_operator = 0
                 AND waits_for IS NOT NULL AND waits_for <> 'daily-cap'";
    execute(db, sql, [conversation.0]).map(drop)
}

/// Does the same for a part that has just begun to wait; returns true if a message to the operator was queued behind
/// it.
pub(crate) fn has_given_way(db: &Db, conversation: ConversationId, now: Timestamp) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM part WHERE conversation = ? AND state = 'queued' AND is_for_operator = 1)";
    let is_behind = one(db, sql, [conversation.0], |row| row.get(0))?;
    if is_behind {
        give_way(db, conversation)?;
        promote(db, conversation, now)?;
    }
    Ok(is_behind)
}

/// Delays a message until `due`; messages queued behind it wait for it.
pub(crate) fn put_off(db: &Db, message: MessageId, due: Timestamp) -> Result<(), StoreError> {
    execute(db, "UPDATE part SET due_at = ?2 WHERE message = ?1 AND state = 'ready'", (message.0, due.0)).map(drop)
}

/// Cancels what waits in a conversation; parts being handed over or in doubt continue.
pub(crate) fn cancel_all(
    db: &Db,
    conversation: ConversationId,
    reason: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "UPDATE part SET state = 'canceled', reason = ?2, due_at = NULL, waits_for = NULL, settled_at = ?3
               WHERE id IN (SELECT id FROM part WHERE conversation = ?1 AND state = 'queued' UNION ALL
                            SELECT id FROM part WHERE conversation = ?1 AND due_at IS NOT NULL AND state = 'ready')";
    execute(db, sql, (conversation.0, reason, now.0)).map(drop)
}

/// Cancels the waiting parts of a message.
pub(crate) fn cancel_rest(db: &Db, message: MessageId, reason: &str, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE part SET state = 'canceled', reason = ?2, due_at = NULL, waits_for = NULL, settled_at = ?3
               WHERE message = ?1 AND state IN ('queued', 'ready')";
    execute(db, sql, (message.0, reason, now.0)).map(drop)
}
