//! Durable files: written to a temporary name, synced, renamed, and the folder synced too.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::file::{folder_of, make_folder, sync_folder};

/// Writes a file; when this returns it is completely on disk, and only its owner can read it.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = folder_of(path);
    make_folder(folder)?;
    let aside = path.with_extension("part");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&aside, path)?;
    sync_folder(folder)
}

/// Removes a file, complete or not; it may not exist.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    for path in [path, &path.with_extension("part")] {
        match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
