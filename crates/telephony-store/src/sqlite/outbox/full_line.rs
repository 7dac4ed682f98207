//! Lines with a full queue: raises a notice until there is capacity again.

use telephony_domain::id::LineId;
use telephony_domain::notice::Notice;
use telephony_domain::notice::name::QUEUE_FULL;
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::sqlite::engine::query::{Db, execute, one};
use crate::sqlite::rows::notice;

/// Reason of a waiting turn.
pub(crate) const NO_ROOM: &str = "the line's queue is full";

/// Raises the notice that the line's queue is full.
pub(crate) fn raise_notice(db: &Db, line: LineId, now: Timestamp) -> Result<(), StoreError> {
    let sql = "SELECT coalesce(messaging_service, number) AS name, waiting_segments FROM line WHERE id = ?";
    let (sender, segments) = one(db, sql, [line.0], |row| Ok((row.get::<_, String>(0)?, row.get::<_, u32>(1)?)))?;
    if notice::raise(db, &Notice::QueueFull { line, sender, segments }, now)? {
        tracing::warn!(line = %line, segments, "a line's queue is full: answers wait");
    }
    Ok(())
}

/// Ends notices about lines with capacity again: a tenth, so that the notice does not come and go.
pub(crate) fn end_notices(db: &Db) -> Result<(), StoreError> {
    let sql = format!(
        "UPDATE notice SET is_over = 1 WHERE name GLOB '{QUEUE_FULL}*' AND is_over = 0
         AND NOT EXISTS (SELECT 1 FROM line WHERE notice.name = '{QUEUE_FULL}' || id
                           AND waiting_segments > waiting_at_most - waiting_at_most / 10)
         AND NOT EXISTS (SELECT 1 FROM kept_answer)"
    );
    execute(db, &sql, ()).map(drop)
}
