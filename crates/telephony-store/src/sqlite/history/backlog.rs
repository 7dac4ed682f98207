//! Ages of waiting work and spending, read from the ends of indexes and one day's data.

use telephony_domain::limit::DAY;
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::history::{Backlog, LineBacklog};
use crate::sqlite::engine::query::{self, Db, Row, RowResult, list, maybe_time, one};
use crate::sqlite::rows::line;

/// Measures everything except jobs waiting in this process.
pub(super) fn measure(db: &Db, now: Timestamp) -> Result<Backlog, StoreError> {
    let since = (now - DAY).0;
    let number_since = |sql: &str| one(db, sql, [since], |row| query::count(row, 0));
    let oldest = "SELECT (SELECT received_at FROM inbound INDEXED BY inbound_waiting WHERE state = 'waiting'
                          ORDER BY id LIMIT 1) AS oldest";
    Ok(Backlog {
        oldest_waiting: one(db, oldest, (), |row| maybe_time(row, "oldest"))?,
        lines: by_line(db)?,
        spent_today: number_since("SELECT coalesce(sum(segments), 0) FROM spent WHERE spent_at > ?")?,
        finally_unknown_today: number_since(
            "SELECT count(*) FROM part WHERE settled_at IS NOT NULL AND settled_at > ? AND state = 'finally-unknown'",
        )?,
        ..Backlog::default()
    })
}

fn by_line(db: &Db) -> Result<Vec<LineBacklog>, StoreError> {
    let sql = "SELECT id, number, messaging_service, waiting_segments,
                      (SELECT count(*) FROM part WHERE line = line.id AND state IN ('queued', 'ready')) AS parts,
                      (SELECT m.created_at FROM part AS p JOIN message AS m ON m.id = p.message
                       WHERE p.line = line.id AND p.state IN ('queued', 'ready') ORDER BY p.id LIMIT 1) AS oldest
               FROM line ORDER BY id";
    list(db, sql, (), line_backlog)
}

fn line_backlog(row: &Row<'_>) -> RowResult<LineBacklog> {
    Ok(LineBacklog {
        line: line::read(row)?,
        segments: query::count(row, 3)?,
        parts: query::count(row, 4)?,
        oldest: maybe_time(row, "oldest")?,
    })
}
