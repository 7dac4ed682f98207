//! Statements, prepared once per connection.

use rusqlite::{Connection, OptionalExtension, Params, Row};
use telephony_domain::time::Timestamp;

use crate::StoreError;

/// Runs a statement; returns how many rows it changed.
pub(super) fn execute(db: &Connection, sql: &str, params: impl Params) -> Result<usize, StoreError> {
    Ok(db.prepare_cached(sql)?.execute(params)?)
}

/// The only row, if there is one.
pub(super) fn find<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>, StoreError> {
    Ok(db.prepare_cached(sql)?.query_row(params, read).optional()?)
}

/// The only row, which there must be.
pub(super) fn one<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<T, StoreError> {
    Ok(db.prepare_cached(sql)?.query_row(params, read)?)
}

/// All rows.
pub(super) fn list<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map(params, read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What fails leaves nothing behind, although the transaction goes on.
pub(super) fn apart<T>(db: &Connection, work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    execute(db, "SAVEPOINT apart", ())?;
    let done = work();
    if done.is_err() && !db.is_autocommit() {
        execute(db, "ROLLBACK TO apart", ())?;
    }
    if !db.is_autocommit() {
        execute(db, "RELEASE apart", ())?;
    }
    done
}

/// A column that holds a time.
pub(super) fn time(row: &Row<'_>, column: &str) -> rusqlite::Result<Timestamp> {
    row.get(column).map(Timestamp)
}

/// A column that may hold a time.
pub(super) fn maybe_time(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp))
}

/// A column that counts something.
pub(super) fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get(column).map(i64::unsigned_abs)
}

/// The id of the row that was just inserted.
pub(super) fn new_id(db: &Connection) -> i64 {
    db.last_insert_rowid()
}
