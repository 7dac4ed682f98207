//! The file, its folder, and how connections to it are set up.

use std::fs::{DirBuilder, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::log::Log;
use super::{Mode, schema};
use crate::StoreError;

/// How long we wait for another process to finish its transaction.
const BUSY: Duration = Duration::from_secs(5);

/// Statements that are kept prepared; more than there are.
const PREPARED: usize = 128;

/// Opens the file for the only thread that writes, brings its schema up to date as far as `mode` allows.
pub(super) fn for_writing(path: &Path, mode: Mode) -> Result<(File, Connection, Log), StoreError> {
    make_folder(path)?;
    make_file(path)?;
    let mut db = connect(path)?;
    schema::check(&db)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "secure_delete", true)?; // what is deleted is overwritten
    db.pragma_update(None, "cache_size", -2048)?; // KiB
    db.pragma_update(None, "journal_size_limit", 32 << 20)?; // bytes; the log is seldom longer (`log`)
    schema::bring_up_to_date(&mut db, path, mode, &schema::MIGRATIONS)?;
    let log = Log::of(&mut db, path)?;
    Ok((File::at(path)?, db, log))
}

/// Opens the file for reading only.
pub(super) fn for_reading(path: &Path) -> Result<Connection, StoreError> {
    let db = connect(path)?;
    db.pragma_update(None, "cache_size", -512)?; // KiB
    db.pragma_update(None, "query_only", true)?;
    Ok(db)
}

pub(super) fn connect(path: &Path) -> Result<Connection, StoreError> {
    // Not a URI: a path may start with `file:`.
    let db = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE,
    )?;
    db.busy_timeout(BUSY)?;
    db.set_prepared_statement_cache_capacity(PREPARED);
    // Without it SQLite plans a statement anew for each value that is bound, where a partial index might depend on it:
    // half of the time that an arrival takes.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    db.pragma_update(None, "mmap_size", 0)?;
    Ok(db)
}

fn make_folder(path: &Path) -> Result<(), StoreError> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| StoreError::of_file(&error))
}

/// Makes the file before SQLite does, so that nobody else can read it at any time; its journals get the same mode.
pub(super) fn make_file(path: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(StoreError::of_file(&error)),
        _ => Ok(()),
    }
}

/// Which file it is that we opened.
#[derive(Debug)]
pub(super) struct File {
    path: PathBuf,
    identity: Identity,
}

/// Device and inode where there are such things.
type Identity = Option<(u64, u64)>;

impl File {
    fn at(path: &Path) -> Result<File, StoreError> {
        Ok(File { path: path.to_owned(), identity: identity(path)? })
    }

    /// Fails when the file was removed or replaced: SQLite would go on writing to the old one, which nobody will ever read.
    pub(super) fn check_is_there(&self) -> Result<(), StoreError> {
        if identity(&self.path)? == self.identity {
            Ok(())
        } else {
            Err(StoreError::Damaged("it was replaced by another file".to_owned()))
        }
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> Result<Identity, StoreError> {
    use std::os::unix::fs::MetadataExt;
    let found = std::fs::metadata(path).map_err(|error| StoreError::of_file(&error))?;
    Ok(Some((found.dev(), found.ino())))
}

/// An open file cannot be removed there.
#[cfg(not(unix))]
fn identity(_: &Path) -> Result<Identity, StoreError> {
    Ok(None)
}
