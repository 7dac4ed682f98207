//! Connections to the file, all set up the same way.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::StoreError;
use crate::file::folder_of;

/// Longest wait for another process's transaction.
const BUSY: Duration = Duration::from_secs(5);

/// Size of the statement cache; more than there are statements.
const PREPARED: usize = 128;

/// Files that a connection opens: the database, its log, and the log's index.
const FILES: usize = 3;

/// Opens the file for reading and writing.
pub(crate) fn connect(path: &Path) -> Result<Connection, StoreError> {
    // Not as a URI, because a path may start with `file:`.
    connect_with(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
}

/// Opens the file with these flags.
pub(crate) fn connect_with(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let always = OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let opened = Connection::open_with_flags(path, flags | always);
    let db = opened.map_err(|error| with_shortage(error.into(), path))?;
    configure(&db).map_err(|error| with_shortage(error.into(), path))?;
    Ok(db)
}

fn configure(db: &Connection) -> rusqlite::Result<()> {
    db.busy_timeout(BUSY)?;
    db.set_prepared_statement_cache_capacity(PREPARED);
    // Without it SQLite replans a statement for each bound value that a partial index might depend on: half of an
    // arrival's time.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    db.pragma_update(None, "mmap_size", 0)
}

/// Detects a lack of descriptors, which SQLite does not report, after it released its own. Opens the folder instead of
/// the files, because closing one of them would release our locks on it.
pub(crate) fn with_shortage(error: StoreError, path: &Path) -> StoreError {
    let is_vague = matches!(error, StoreError::ReadOnly(_) | StoreError::Disk(_) | StoreError::Other(_));
    let folder = folder_of(path);
    let shortage = || {
        let opened: Result<Vec<_>, _> = (0..FILES).map(|_| std::fs::File::open(folder)).collect();
        opened.err().as_ref().and_then(StoreError::of_room)
    };
    is_vague.then(shortage).flatten().unwrap_or(error)
}
