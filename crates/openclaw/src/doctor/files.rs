//! Who may read what is secret: the configuration where secrets stand in it, `.env`, and the state folder.

use std::collections::BTreeSet;
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use telephony_config::{Loaded, Location, Origin, Place, is_secret, locate};

use super::catalogue::FILE_OPEN;
use super::{Checkup, Subject};
use crate::assemble;

/// Everybody but the owner.
const OTHERS: u32 = 0o077;

/// Looks who may read them.
pub fn check(subject: &Subject) -> Checkup {
    let mut checkup = Checkup { area: "Files", ..Checkup::default() };
    for (path, mode) in open_ones(&subject.loaded, &subject.location) {
        checkup.found(FILE_OPEN.found(format!("{} has mode {:o}", path.display(), mode & 0o777)));
    }
    if checkup.found.is_empty() {
        checkup.well("secrets and messages are readable by their owner only");
    }
    checkup
}

/// Takes the rights of all others away, unless it is only to be shown. Gives what is, or would be, closed.
pub fn close(place: &crate::cli::Place, only_show: bool) -> io::Result<Vec<PathBuf>> {
    let environment = assemble::environment();
    let location = locate(&environment, place.config.as_deref());
    let Ok(loaded) = telephony_config::load(&environment, place.config.as_deref()) else { return Ok(Vec::new()) };
    let close = |(path, mode): (PathBuf, u32)| {
        if !only_show {
            std::fs::set_permissions(&path, Permissions::from_mode(mode & 0o7777 & !OTHERS))?;
        }
        Ok(path)
    };
    open_ones(&loaded, &location).into_iter().map(close).collect()
}

/// What others may read, with its mode.
fn open_ones(loaded: &Loaded, location: &Location) -> Vec<(PathBuf, u32)> {
    let store = assemble::store_file(loaded);
    let beside = |ending: &str| PathBuf::from(format!("{}{ending}", store.display()));
    let mut files: BTreeSet<PathBuf> = [location.openclaw_state.join(".env"), location.state.clone()].into();
    files.extend([store.clone(), beside("-wal"), beside("-shm")]);
    files.extend(loaded.show().into_iter().filter_map(|shown| match shown.origin {
        Origin::Said(Place::File { file, .. }) if is_secret(&shown.path) => Some(file.to_path_buf()),
        _ => None,
    }));
    let mode = |path: &PathBuf| std::fs::metadata(path).ok().map(|metadata| metadata.permissions().mode());
    let open = files.into_iter().filter_map(|path| Some((mode(&path)?, path)));
    open.filter(|(mode, _)| mode & OTHERS != 0).map(|(mode, path)| (path, mode)).collect()
}
