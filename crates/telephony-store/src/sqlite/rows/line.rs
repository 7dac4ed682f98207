//! A line and its addresses: the rows, which several layers read.

use telephony_domain::id::LineId;
use telephony_domain::line::Sender;
use telephony_domain::line_address::LineAddress;
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::lines::Line;
use crate::sqlite::engine::columns;
use crate::sqlite::engine::query::{Db, Row, RowResult, execute, find, list, new_id, one};

/// Reads the line in a row with its `id`, `number` and `messaging_service`.
pub(crate) fn read(row: &Row<'_>) -> RowResult<Line> {
    Ok(Line { id: LineId(row.get("id")?), sender: columns::sender(row)? })
}

/// Includes the number in the search for missed messages.
pub(crate) fn watch(db: &Db, number: &str) -> Result<(), StoreError> {
    execute(db, "INSERT OR IGNORE INTO watched (number) VALUES (?)", [number]).map(drop)
}

/// Returns the line that owns the messaging service, else the number.
pub(crate) fn owner(db: &Db, sender: &Sender) -> Result<Option<LineId>, StoreError> {
    let sql = "SELECT coalesce((SELECT line FROM line_address WHERE address = ?1),
                               (SELECT line FROM line_address WHERE address = ?2))";
    one(db, sql, (&sender.messaging_service, number_of(sender)), |row| Ok(row.get::<_, Option<i64>>(0)?.map(LineId)))
}

/// Returns a line's sender.
pub(crate) fn sender_of(db: &Db, line: LineId) -> Result<Sender, StoreError> {
    let sql = "SELECT number, messaging_service FROM line WHERE id = ?";
    find(db, sql, [line.0], columns::sender)?.ok_or_else(|| StoreError::NotFound(format!("line {line}")))
}

/// Returns the addresses that a line has or had.
pub(crate) fn addresses(db: &Db, line: LineId) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT address FROM line_address WHERE line = ?1
               UNION SELECT number FROM line WHERE id = ?1 AND number IS NOT NULL
               UNION SELECT messaging_service FROM line WHERE id = ?1 AND messaging_service IS NOT NULL";
    list(db, sql, [line.0], |row| row.get(0))
}

/// Creates the line of a sender that has none.
pub(crate) fn make(db: &Db, provider: &str, sender: &Sender, now: Timestamp) -> Result<LineId, StoreError> {
    let sql = "INSERT INTO line (provider, number, messaging_service, claimed_at) VALUES (?, ?, ?, ?)";
    execute(db, sql, (provider, number_of(sender), &sender.messaging_service, now.0))?;
    Ok(LineId(new_id(db)))
}

/// Maps addresses to the line; an address of another line stays there, and so do the opt-outs of contacts who texted
/// it.
pub(crate) fn own(db: &Db, line: LineId, sender: &Sender) -> Result<(), StoreError> {
    if let Some(address) = sender.receiving() {
        watch(db, address.as_str())?;
    }
    for address in number_of(sender).into_iter().chain(sender.messaging_service.as_deref()) {
        execute(db, "INSERT OR IGNORE INTO line_address (address, line) VALUES (?, ?)", (address, line.0))?;
    }
    Ok(())
}

/// Returns the number of a sender as written in columns.
pub(crate) fn number_of(sender: &Sender) -> Option<&str> {
    sender.number.as_ref().map(LineAddress::as_str)
}
