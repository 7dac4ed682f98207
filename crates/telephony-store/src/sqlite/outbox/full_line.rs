//! A line on which too much waits: the operator is told, until there is room again.

use telephony_domain::id::LineId;

use crate::StoreError;
use crate::notices::Notice;
use crate::sqlite::engine::query::{Db, execute, one};
use crate::sqlite::rows::notice;
use telephony_domain::time::Timestamp;

/// Why a turn waits.
pub(crate) const NO_ROOM: &str = "too much waits on the line already";

/// Tells the operator that the line has no room for more.
pub(crate) fn tell(db: &Db, line: LineId, now: Timestamp) -> Result<(), StoreError> {
    let sql = "SELECT coalesce(messaging_service, number) AS name, waiting_segments FROM line WHERE id = ?";
    let (name, segments) = one(db, sql, [line.0], |row| Ok((row.get::<_, String>(0)?, row.get::<_, u32>(1)?)))?;
    let text = format!(
        "{segments} segments wait on {name}, as many as it sends in 10 hours: answers wait until there is room, and \
         `send` is refused. `openclaw telephony status` says until when; set sms.segmentsPerSecond where the number may \
         send faster"
    );
    if notice::give(db, &Notice::ongoing(format!("queue-full-{line}"), text), now)? {
        tracing::warn!(line = %line, segments, "a line has no room for more messages: answers wait");
    }
    Ok(())
}

/// Takes back what the operator was told of lines that have room again: a tenth, so that it does not come and go.
pub(crate) fn end_notices(db: &Db) -> Result<(), StoreError> {
    let sql = "UPDATE notice SET is_over = 1 WHERE name GLOB 'queue-full-*' AND is_over = 0
               AND NOT EXISTS (SELECT 1 FROM line WHERE notice.name = 'queue-full-' || id
                                 AND waiting_segments > waiting_at_most - waiting_at_most / 10)
               AND NOT EXISTS (SELECT 1 FROM kept_answer)";
    execute(db, sql, ()).map(drop)
}
