//! Checks that only the owner can read secrets and change settings, and that the state folder is writable.

use std::collections::BTreeSet;
use std::fs::{Metadata, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use telephony_config::{Loaded, Location, Place, ValueOrigin, is_secret, locate};

use super::catalog::{FILE_OPEN, FILE_WRITABLE, STATE_UNWRITABLE};
use super::{Checkup, Finding, Subject};
use crate::{assemble, state_folder};

/// The permissions of group and others.
const OTHERS: u32 = 0o077;

/// The write permissions of group and others.
const GROUP_WRITES: u32 = 0o020;
const EVERYBODY_WRITES: u32 = 0o002;

/// The sticky bit: in a folder such as `/tmp`, only the owner can replace a file.
const STICKY: u32 = 0o1000;

/// A file or folder with excessive permissions.
struct Excess {
    path: PathBuf,
    mode: u32,
    /// The excessive permission bits.
    bits: u32,
    finding: &'static Finding,
}

pub fn check(subject: &Subject) -> Checkup {
    let mut checkup = Checkup { area: "Files", ..Checkup::default() };
    for Excess { path, mode, finding, .. } in excesses(&subject.loaded, &subject.location) {
        checkup.found(finding.found(format!("{} has mode {:o}", path.display(), mode & 0o7777)));
    }
    if checkup.found.is_empty() {
        checkup.well("only the owner can read secrets and messages");
    }
    check_state(&subject.loaded, &mut checkup);
    checkup
}

/// Returns true if `close` fixes it.
pub fn is_fixed_by_closing(finding: &Finding) -> bool {
    [FILE_OPEN, FILE_WRITABLE].contains(&finding)
}

/// Removes excessive permissions, unless `only_show`. Returns the affected paths.
pub fn close(config_arg: &crate::config_arg::ConfigArg, only_show: bool) -> io::Result<BTreeSet<PathBuf>> {
    let environment = assemble::environment();
    let location = locate(&environment, config_arg.config.as_deref());
    let Ok(loaded) = telephony_config::load(&environment, config_arg.config.as_deref()) else {
        return Ok(BTreeSet::new());
    };
    let close = |Excess { path, bits, .. }: Excess| {
        if !only_show {
            let mode = std::fs::metadata(&path)?.permissions().mode();
            std::fs::set_permissions(&path, Permissions::from_mode(mode & 0o7777 & !bits))?;
        }
        Ok(path)
    };
    excesses(&loaded, &location).into_iter().map(close).collect()
}

/// Returns paths that other users can read or write and should not.
fn excesses(loaded: &Loaded, location: &Location) -> Vec<Excess> {
    let (private, decisive) = (private(loaded, location), decisive(loaded, location));
    let open = private.iter().filter_map(|path| Excess::of(path, FILE_OPEN, |_| OTHERS));
    let writable = private.union(&decisive).filter_map(|path| Excess::of(path, FILE_WRITABLE, writing));
    open.chain(writable).collect()
}

impl Excess {
    fn of(path: &Path, finding: &'static Finding, forbidden: fn(&Metadata) -> u32) -> Option<Excess> {
        let metadata = std::fs::metadata(path).ok()?;
        let bits = metadata.mode() & forbidden(&metadata);
        (bits != 0).then(|| Excess { path: path.to_owned(), mode: metadata.mode(), bits, finding })
    }
}

/// Returns write permissions that other users should not have. A group with the same number as its user is that user's
/// private group.
fn writing(metadata: &Metadata) -> u32 {
    if metadata.is_dir() && metadata.mode() & STICKY != 0 {
        return 0;
    }
    if metadata.gid() == metadata.uid() { EVERYBODY_WRITES } else { EVERYBODY_WRITES | GROUP_WRITES }
}

/// Returns the paths that hold secrets or messages.
fn private(loaded: &Loaded, location: &Location) -> BTreeSet<PathBuf> {
    let store = state_folder::store_file(loaded);
    let beside = |ending: &str| PathBuf::from(format!("{}{ending}", store.display()));
    let mut files: BTreeSet<PathBuf> = [location.openclaw_state.join(".env"), location.state.clone()].into();
    files.extend([store.clone(), beside("-wal"), beside("-shm")]);
    files.extend(loaded.show().into_iter().filter_map(|shown| match shown.origin {
        ValueOrigin::Said(Place::File { file, .. }) if is_secret(&shown.path) => Some(file.to_path_buf()),
        _ => None,
    }));
    files
}

/// Returns the files that control the gateway, and the folders where they could be replaced.
fn decisive(loaded: &Loaded, location: &Location) -> BTreeSet<PathBuf> {
    let sources = loaded.sources.iter().filter_map(|file| std::path::absolute(file).ok());
    let mut files: BTreeSet<PathBuf> = sources.chain([location.openclaw_state.join(".env")]).collect();
    files.extend(files.clone().iter().filter_map(|file| file.parent()).map(Path::to_owned));
    files
}

/// Writes a file into each folder that stores messages, or into its future parent, and removes it.
fn check_state(loaded: &Loaded, checkup: &mut Checkup) {
    let store = state_folder::store_file(loaded).parent().map(Path::to_owned);
    let folders: BTreeSet<PathBuf> = store.into_iter().chain([loaded.state.clone()]).collect();
    for folder in folders {
        match try_writing(&folder) {
            Ok(()) => checkup.well(format!("{} is writable", folder.display())),
            Err(error) => checkup.found(STATE_UNWRITABLE.found(format!("{}: {error}", folder.display()))),
        }
    }
}

/// As much as a small database file: a full disk accepts a file, but no content.
const TRIED: [u8; 4096] = [b'?'; 4096];

fn try_writing(folder: &Path) -> io::Result<()> {
    let there = folder.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(Path::new("/"));
    let mut file = tempfile::NamedTempFile::new_in(there)?;
    file.write_all(&TRIED)?;
    file.as_file().sync_all()
}
