//! A file of the store: accessible only to its owner, and recognized after it was opened.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

use crate::StoreError;

/// Creates the file, if missing, before it has content, so that no other user can read it at any time.
pub(crate) fn make_file(path: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(StoreError::of_file(&error)),
        _ => Ok(()),
    }
}

/// The identity of an opened file.
#[derive(Debug, Clone)]
pub(crate) struct File {
    path: PathBuf,
    identity: Identity,
}

/// Device and inode, on systems that have them.
type Identity = Option<(u64, u64)>;

impl File {
    /// Returns the identity of the current file.
    pub(crate) fn at(path: &Path) -> Result<File, StoreError> {
        Ok(File { path: path.to_owned(), identity: identity(path)? })
    }

    /// Stands for a missing file.
    pub(crate) fn none(path: &Path) -> File {
        File { path: path.to_owned(), identity: None }
    }

    /// Fails if the file was removed or replaced: a process that has it open would keep writing to the old one.
    pub(crate) fn check_is_there(&self) -> Result<(), StoreError> {
        if identity(&self.path)? == self.identity {
            Ok(())
        } else {
            Err(StoreError::Gone("it was replaced by another file".to_owned()))
        }
    }
}

#[cfg(unix)]
fn identity(path: &Path) -> Result<Identity, StoreError> {
    use std::os::unix::fs::MetadataExt;
    let found = std::fs::metadata(path).map_err(|error| StoreError::of_file(&error))?;
    Ok(Some((found.dev(), found.ino())))
}

/// An open file cannot be removed on this system.
#[cfg(not(unix))]
fn identity(_: &Path) -> Result<Identity, StoreError> {
    Ok(None)
}
