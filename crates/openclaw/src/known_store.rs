//! Records which message store is in use, so that an empty one never replaces it silently.

use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use telephony_config::Loaded;

use crate::failure::Failure;
use crate::state_folder;

/// The store last used with a state folder.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownStore {
    id: String,
    file: PathBuf,
}

/// The contents of a lost store that cannot be recovered from Twilio.
const LOST: &str = "it held opt-outs (STOP), approvals and waiting messages";

impl KnownStore {
    /// Reads the record; none if there is none or it is unreadable.
    pub fn read(state: &Path) -> Option<KnownStore> {
        serde_json::from_slice(&std::fs::read(path(state)).ok()?).ok()
    }

    /// Records a store; the next start refuses a different one.
    pub fn remember(state: &Path, id: &str, file: &Path) -> std::io::Result<()> {
        let known = KnownStore { id: id.to_owned(), file: file.to_owned() };
        if KnownStore::read(state).as_ref() == Some(&known) {
            return Ok(());
        }
        let (path, new) = (path(state), path(state).with_extension("json.new"));
        match std::fs::remove_file(&new) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(&serde_json::to_vec(&known)?)?;
        file.sync_all()?;
        std::fs::rename(new, path)
    }
}

/// Fails if the recorded store's file is missing: a new one would be empty.
pub fn check_is_there(loaded: &Loaded) -> Result<(), Failure> {
    let file = state_folder::store_file(loaded);
    let known = KnownStore::read(&loaded.state);
    if file.exists() || (known.is_none() && !state_folder::journal_file(loaded).exists()) {
        return Ok(());
    }
    let was = known.map(|known| known.file).filter(|was| *was != file);
    let was = was.map(|was| format!("; it was {} before", was.display())).unwrap_or_default();
    Err(Failure::new(format!("the message store is gone: {}{was}; {LOST}", file.display())).hint(hint(&file)))
}

/// Fails if a different store was recorded.
pub fn check_is_same(loaded: &Loaded, id: &str) -> Result<(), Failure> {
    let file = state_folder::store_file(loaded);
    match KnownStore::read(&loaded.state) {
        Some(known) if known.id != id => {
            Err(Failure::new(format!("{} is not the message store that was used before; {LOST}", file.display()))
                .hint(hint(&file)))
        }
        _ => Ok(()),
    }
}

fn hint(file: &Path) -> String {
    format!(
        "restore the file or a backup to {}, or continue without it: `openclaw gateway --accept-store` uses what is \
        there, or creates an empty store, which would text people who said STOP",
        file.display()
    )
}

fn path(state: &Path) -> PathBuf {
    state.join("store.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_remembered_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let state = tempfile::tempdir().unwrap();
        assert_eq!(KnownStore::read(state.path()), None);
        for id in ["a", "a", "b"] {
            KnownStore::remember(state.path(), id, Path::new("/there")).unwrap();
            let known = KnownStore { id: id.to_owned(), file: "/there".into() };
            assert_eq!(KnownStore::read(state.path()), Some(known));
        }
        let mode = std::fs::metadata(path(state.path())).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(state.path()).unwrap().count(), 1, "nothing else is left");
    }
}
