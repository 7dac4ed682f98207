//! Prepared statements; with `columns`, all that the layers know of SQLite.

use rusqlite::{OptionalExtension, Params, params_from_iter};
use telephony_domain::time::Timestamp;

use crate::StoreError;

pub(crate) use rusqlite::Row;
pub(crate) use rusqlite::types::Value;

/// A connection, inside a transaction for writing.
pub(crate) type Db = rusqlite::Connection;

/// The result of reading a row.
pub(crate) type RowResult<T> = rusqlite::Result<T>;

/// Runs a statement; returns the number of changed rows.
pub(crate) fn execute(db: &Db, sql: &str, params: impl Params) -> Result<usize, StoreError> {
    Ok(db.prepare_cached(sql)?.execute(params)?)
}

/// Returns the only row, if there is one.
pub(crate) fn find<T>(
    db: &Db,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> RowResult<T>,
) -> Result<Option<T>, StoreError> {
    Ok(db.prepare_cached(sql)?.query_row(params, read).optional()?)
}

/// Returns the only row, which must exist.
pub(crate) fn one<T>(
    db: &Db,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> RowResult<T>,
) -> Result<T, StoreError> {
    Ok(db.prepare_cached(sql)?.query_row(params, read)?)
}

pub(crate) fn list<T>(
    db: &Db,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> RowResult<T>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map(params, read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Returns the first rows that `read` accepts, at most `most`; reads no further.
pub(crate) fn list_some<T>(
    db: &Db,
    sql: &str,
    values: Vec<Value>,
    most: usize,
    mut read: impl FnMut(&Row<'_>) -> Result<Option<T>, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut wanted = Vec::new();
    while wanted.len() < most {
        let Some(row) = rows.next()? else { break };
        wanted.extend(read(row)?);
    }
    Ok(wanted)
}

/// Runs work whose failure is rolled back while the transaction continues.
pub(crate) fn apart<T>(db: &Db, work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
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

pub(crate) fn time(row: &Row<'_>, column: &str) -> rusqlite::Result<Timestamp> {
    row.get(column).map(Timestamp)
}

/// Reads an optional time.
pub(crate) fn maybe_time(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp))
}

pub(crate) fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get(column).map(i64::unsigned_abs)
}

/// Returns the id of the row that was just inserted.
pub(crate) fn new_id(db: &Db) -> i64 {
    db.last_insert_rowid()
}
