//! Files of the state folder.

use std::path::{Path, PathBuf};

use anyhow::Context;
use telephony_config::Loaded;

use crate::failure::Failure;

/// Returns the store's file.
pub fn store_file(loaded: &Loaded) -> PathBuf {
    let configured = loaded.telephony.store.file.clone();
    configured.unwrap_or_else(|| loaded.state.join("telephony.sqlite"))
}

/// Returns the journal's file, which is beside the store.
pub fn journal_file(loaded: &Loaded) -> PathBuf {
    with_ending(&store_file(loaded), "-arrivals")
}

/// Appends to the file name of a path.
pub fn with_ending(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Makes the state folder, which only its owner may read.
pub fn make(state: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(state);
    made.with_context(|| format!("cannot create the state folder {}", state.display())).map_err(|error| {
        Failure::from(error).hint(
            "check the owner and mode of its parent folder, and that the disk has free space and is mounted \
                writable",
        )
    })?;
    let found = std::fs::metadata(state).map(|found| found.permissions().mode());
    if found.is_ok_and(|mode| mode & 0o077 != 0) {
        // A user created this folder. If its permissions cannot be changed, doctor reports it.
        std::fs::set_permissions(state, std::fs::Permissions::from_mode(0o700)).ok();
    }
    Ok(())
}
