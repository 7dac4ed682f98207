//! Opens the file and its folder for each mode.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, MAIN_DB, OpenFlags};

use super::checkpoint::WalCheckpointer;
use super::connection::{connect, connect_with, with_shortage};
use super::mode::Mode;
use super::schema;
use crate::StoreError;
use crate::file::{FileIdentity, folder_of, make_file, make_folder};

/// The parts of an open store.
pub(crate) struct OpenedDatabase {
    pub(crate) file: FileIdentity,
    pub(crate) writing: Connection,
    pub(crate) log: WalCheckpointer,
    pub(crate) reading: Connection,
}

/// Opens the file as `mode` allows.
pub(crate) fn open(path: &Path, mode: Mode) -> Result<OpenedDatabase, StoreError> {
    if mode == Mode::Reading && !path.try_exists().map_err(|error| StoreError::of_file(&error))? {
        return nothing(path);
    }
    match for_writing(path, mode) {
        Err(StoreError::ReadOnly(_) | StoreError::Full(_) | StoreError::Disk(_)) if mode == Mode::Reading => {
            as_it_is(path)
        }
        opened => {
            let (file, writing, log) = opened?;
            Ok(OpenedDatabase { file, writing, log, reading: for_reading(path)? })
        }
    }
}

/// Returns an empty store that keeps nothing: the file does not exist, so it cannot be written.
fn nothing(path: &Path) -> Result<OpenedDatabase, StoreError> {
    let empty = || -> Result<Connection, StoreError> {
        let mut db = Connection::open_in_memory()?;
        schema::bring_up_to_date(&mut db, path, Mode::Reading, &schema::MIGRATIONS)?;
        Ok(db)
    };
    let (mut writing, reading) = (empty()?, empty()?);
    let log = WalCheckpointer::of(&mut writing, path)?;
    Ok(OpenedDatabase { file: FileIdentity::none(path), writing, log, reading })
}

/// Opens a file that cannot be written, or on a full disk: reading works, and writing fails.
fn as_it_is(path: &Path) -> Result<OpenedDatabase, StoreError> {
    let (mut writing, reading) = (unwritten(path)?, unwritten(path)?);
    let log = WalCheckpointer::of(&mut writing, path)?;
    Ok(OpenedDatabase { file: FileIdentity::at(path)?, writing, log, reading })
}

/// Opens the file without writing. Even for reading, SQLite writes the log's index, and a log if there is none. To
/// avoid it, keep the index in memory; and without a log, no process is writing and everything is in the file.
fn unwritten(path: &Path) -> Result<Connection, StoreError> {
    match read_only(path, "readonly_shm=1") {
        Err(StoreError::ReadOnly(_)) if !has_log(path) => read_only(path, "immutable=1"),
        opened => opened,
    }
}

fn read_only(path: &Path, how: &str) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let db = connect_with(&uri(path, how), flags)?;
    schema::check_version(&db)?;
    Ok(db)
}

fn has_log(path: &Path) -> bool {
    std::fs::metadata(log_of(path)).is_ok_and(|log| log.len() > 0)
}

/// Returns the path of SQLite's log.
pub(crate) fn log_of(path: &Path) -> PathBuf {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    PathBuf::from(log)
}

/// Adds a reason if SQLite could not create its log, which is empty at first, because it does not say why.
fn with_reason(error: StoreError, path: &Path) -> StoreError {
    match error {
        StoreError::ReadOnly(_) => make_file(&log_of(path)).err().unwrap_or(error),
        other => other,
    }
}

/// Returns the path as SQLite's URI with an option.
fn uri(path: &Path, how: &str) -> PathBuf {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => uri.push(char::from(*byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    PathBuf::from(uri + "?" + how)
}

/// Opens the file for the only thread that writes, and updates its schema as `mode` allows.
pub(crate) fn for_writing(path: &Path, mode: Mode) -> Result<(FileIdentity, Connection, WalCheckpointer), StoreError> {
    make_folder(folder_of(path)).map_err(|error| StoreError::of_file(&error))?;
    make_file(path)?;
    let mut db = connect(path)?;
    let log = set_up(&mut db, path, mode).map_err(|error| with_shortage(error, path))?;
    Ok((FileIdentity::at(path)?.that_only_grows()?, db, log))
}

fn set_up(db: &mut Connection, path: &Path, mode: Mode) -> Result<WalCheckpointer, StoreError> {
    schema::check(db).map_err(|error| with_reason(error, path))?;
    if db.is_readonly(MAIN_DB)? {
        return Err(StoreError::ReadOnly("it is read-only".to_owned()));
    }
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "secure_delete", true)?; // what is deleted is overwritten
    db.pragma_update(None, "cache_size", -2048)?; // KiB
    db.pragma_update(None, "journal_size_limit", 32 << 20)?; // bytes; the log is seldom longer (`checkpoint`)
    schema::bring_up_to_date(db, path, mode, &schema::MIGRATIONS)?;
    WalCheckpointer::of(db, path)
}

/// Opens the file for reading only.
fn for_reading(path: &Path) -> Result<Connection, StoreError> {
    let db = connect(path)?;
    set_up_for_reading(&db).map_err(|error| with_shortage(error.into(), path))?;
    Ok(db)
}

fn set_up_for_reading(db: &Connection) -> rusqlite::Result<()> {
    db.pragma_update(None, "cache_size", -512)?; // KiB
    db.pragma_update(None, "query_only", true)
}
