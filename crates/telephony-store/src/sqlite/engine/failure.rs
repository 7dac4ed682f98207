//! Translates SQLite's errors for the operator.

use rusqlite::ffi::{SQLITE_IOERR_CORRUPTFS, SQLITE_IOERR_DATA, SQLITE_IOERR_SHMSIZE, SQLITE_IOERR_SHORT_READ};
use rusqlite::{Error, ErrorCode};

use crate::StoreError;

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        let words = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::Full(words),
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
                StoreError::ReadOnly(words)
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed) => {
                StoreError::Busy(words)
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged(words),
            Some(ErrorCode::OutOfMemory) => StoreError::Exhausted(words),
            Some(ErrorCode::SystemIoFailure) => match error.sqlite_extended_error_code() {
                // There was no space for the index of the log.
                Some(SQLITE_IOERR_SHMSIZE) => StoreError::Full(words),
                // The file ends too early, or was changed.
                Some(SQLITE_IOERR_SHORT_READ | SQLITE_IOERR_CORRUPTFS | SQLITE_IOERR_DATA) => {
                    StoreError::Damaged(words)
                }
                _ => StoreError::Disk(words),
            },
            Some(_) => StoreError::Other(words),
            // Not SQLite's error: a value that this program never wrote.
            None => StoreError::Damaged(words),
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi::{self, SQLITE_NOMEM};
    use rusqlite::{Connection, OpenFlags};

    use super::*;

    #[test]
    fn a_read_only_file_is_recognized() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
        let reading = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let error: StoreError = reading.execute("INSERT INTO t VALUES (1)", ()).unwrap_err().into();
        assert!(matches!(error.at(&path), StoreError::ReadOnly(words) if words.contains("store.db")));
    }

    #[test]
    fn a_lack_of_memory_passes() {
        let error: StoreError = Error::SqliteFailure(ffi::Error::new(SQLITE_NOMEM), None).into();
        assert!(matches!(error, StoreError::Exhausted(_)), "{error}");
    }

    #[test]
    fn a_lock_by_another_process_is_recognized() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let other = Connection::open(&path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let ours = Connection::open(&path).unwrap();
        ours.busy_timeout(std::time::Duration::ZERO).unwrap();
        let error: StoreError = ours.execute_batch("BEGIN IMMEDIATE").unwrap_err().into();
        assert!(matches!(error, StoreError::Busy(_)));
    }
}
