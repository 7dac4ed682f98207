//! Connections to the file, set up alike.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::StoreError;

/// How long we wait for another process to finish its transaction.
const BUSY: Duration = Duration::from_secs(5);

/// Statements that are kept prepared; more than there are.
const PREPARED: usize = 128;

/// Files that a connection opens: the database, its log, and the log's index.
const FILES: usize = 3;

/// Opens the file for reading and writing.
pub(crate) fn connect(path: &Path) -> Result<Connection, StoreError> {
    // Not a URI: a path may start with `file:`.
    connect_with(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
}

/// The same with these flags.
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
    // Without it SQLite plans a statement anew for each value that is bound, where a partial index might depend on it:
    // half of the time that an arrival takes.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    db.pragma_update(None, "mmap_size", 0)
}

/// SQLite does not say either when it had too few descriptors, and gives back those that it had. The folder is opened in
/// place of its files, because closing one of these would give up the locks that we have on it.
pub(crate) fn with_shortage(error: StoreError, path: &Path) -> StoreError {
    let is_vague = matches!(error, StoreError::ReadOnly(_) | StoreError::Disk(_) | StoreError::Other(_));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let shortage = || {
        let opened: Result<Vec<_>, _> = (0..FILES).map(|_| std::fs::File::open(folder)).collect();
        opened.err().as_ref().and_then(StoreError::of_room)
    };
    is_vague.then(shortage).flatten().unwrap_or(error)
}
