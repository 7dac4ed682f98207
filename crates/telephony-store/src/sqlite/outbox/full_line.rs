//! Lines with a full queue: raises a notice until there is capacity again.

use telephony_domain::id::LineId;
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::notices::Notice;
use crate::sqlite::engine::query::{Db, execute, one};
use crate::sqlite::rows::notice;

/// Reason of a waiting turn.
pub(crate) const NO_ROOM: &str = "the line's queue is full";

/// Raises the notice that the line's queue is full.
pub(crate) fn raise_notice(db: &Db, line: LineId, now: Timestamp) -> Result<(), StoreError> {
    let sql = "SELECT coalesce(messaging_service, number) AS name, waiting_segments FROM line WHERE id = ?";
    let (name, segments) = one(db, sql, [line.0], |row| Ok((row.get::<_, String>(0)?, row.get::<_, u32>(1)?)))?;
    let text = format!(
        "{segments} segments are waiting on {name}, as many as it sends in 10 hours: answers wait for capacity, and \
        `send` is rejected. `openclaw telephony status` shows until when; set sms.segmentsPerSecond if the number can \
        send faster"
    );
    if notice::raise(db, &Notice::ongoing(format!("queue-full-{line}"), text), now)? {
        tracing::warn!(line = %line, segments, "a line's queue is full: answers wait");
    }
    Ok(())
}

/// Ends notices about lines with capacity again: a tenth, so that the notice does not come and go.
pub(crate) fn end_notices(db: &Db) -> Result<(), StoreError> {
    let sql = "UPDATE notice SET is_over = 1 WHERE name GLOB 'queue-full-*' AND is_over = 0
               AND NOT EXISTS (SELECT 1 FROM line WHERE notice.name = 'queue-full-' || id
                                 AND waiting_segments > waiting_at_most - waiting_at_most / 10)
               AND NOT EXISTS (SELECT 1 FROM kept_answer)";
    execute(db, sql, ()).map(drop)
}
