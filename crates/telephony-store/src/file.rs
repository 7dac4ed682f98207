//! A file of the store: made for its owner only, and known again.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

use crate::StoreError;

/// Makes the file where there is none, before anything is in it, so that nobody else can read it at any time.
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

/// Which file it is that we opened.
#[derive(Debug, Clone)]
pub(crate) struct File {
    path: PathBuf,
    identity: Identity,
}

/// Device and inode where there are such things.
type Identity = Option<(u64, u64)>;

impl File {
    /// The file that is there now.
    pub(crate) fn at(path: &Path) -> Result<File, StoreError> {
        Ok(File { path: path.to_owned(), identity: identity(path)? })
    }

    /// A file that is not there.
    pub(crate) fn none(path: &Path) -> File {
        File { path: path.to_owned(), identity: None }
    }

    /// Fails when the file was removed or replaced: whoever has it open would go on writing to the old one, which nobody will
    /// ever read.
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

/// An open file cannot be removed there.
#[cfg(not(unix))]
fn identity(_: &Path) -> Result<Identity, StoreError> {
    Ok(None)
}
