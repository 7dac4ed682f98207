//! The store's files: accessible only to their owner, and recognized after they were opened.

use std::fs::{DirBuilder, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::StoreError;

/// Creates the file, if missing, before it has content, so that no other user can read it at any time.
pub(crate) fn make_file(path: &Path) -> Result<(), StoreError> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(StoreError::of_file(&error)),
        _ => Ok(()),
    }
}

/// Returns the folder of a file.
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Creates the folder and those above it, if missing.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Makes new names in the folder durable.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

/// The identity of an opened file.
#[derive(Debug, Clone)]
pub(crate) struct FileIdentity {
    path: PathBuf,
    /// Device and inode; none of a missing file.
    identity: Option<(u64, u64)>,
    /// Length below which it was emptied or overwritten (bytes).
    shortest: u64,
}

impl FileIdentity {
    /// Returns the identity of the current file.
    pub(crate) fn at(path: &Path) -> Result<FileIdentity, StoreError> {
        Ok(FileIdentity { path: path.to_owned(), identity: Some(identity(&metadata(path)?)), shortest: 0 })
    }

    /// Stands for a missing file.
    pub(crate) fn none(path: &Path) -> FileIdentity {
        FileIdentity { path: path.to_owned(), identity: None, shortest: 0 }
    }

    /// Expects that the file never gets shorter than now. Its content must not be read here: closing a file drops the
    /// locks that SQLite has on it.
    pub(crate) fn that_only_grows(self) -> Result<FileIdentity, StoreError> {
        let shortest = metadata(&self.path)?.len();
        Ok(FileIdentity { shortest, ..self })
    }

    /// Fails if the file was removed, replaced or emptied: a process that has it open would keep writing to the old
    /// one.
    pub(crate) fn check_is_there(&self) -> Result<(), StoreError> {
        let found = metadata(&self.path)?;
        if Some(identity(&found)) != self.identity {
            return Err(StoreError::Gone("it was replaced by another file".to_owned()));
        }
        match found.len() < self.shortest {
            true => Err(StoreError::Gone("it was emptied or overwritten".to_owned())),
            false => Ok(()),
        }
    }
}

fn metadata(path: &Path) -> Result<Metadata, StoreError> {
    std::fs::metadata(path).map_err(|error| StoreError::of_file(&error))
}

fn identity(found: &Metadata) -> (u64, u64) {
    (found.dev(), found.ino())
}
