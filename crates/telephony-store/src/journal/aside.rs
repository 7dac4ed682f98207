//! Copies of a damaged journal beside it, for the operator to inspect.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::file::folder_of;

/// Maximum number of copies kept, the newest ones: a failing disk may damage one after the other.
const COPIES: usize = 3;

/// Bytes copied at a time.
const PIECE: u64 = 64 * 1024;

/// Copies `length` bytes that `read` returns into a new file beside `journal`, which only its owner can read.
pub(super) fn keep(journal: &Path, length: u64, read: impl Fn(u64, u64) -> io::Result<Vec<u8>>) -> io::Result<PathBuf> {
    let earlier = numbered(journal);
    let number = earlier.last().map_or(1, |(number, _)| number + 1);
    let path = name(journal, number);
    let mut copy = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    let copied = write(&mut copy, length, read);
    if copied.is_err() {
        // A partial copy would look like a complete one.
        std::fs::remove_file(&path)?;
    }
    copied?;
    for (_, old) in earlier.iter().rev().skip(COPIES - 1) {
        std::fs::remove_file(old)?;
    }
    Ok(path)
}

fn write(copy: &mut std::fs::File, length: u64, read: impl Fn(u64, u64) -> io::Result<Vec<u8>>) -> io::Result<()> {
    let mut at = 0;
    while at < length {
        let piece = PIECE.min(length - at);
        copy.write_all(&read(at, piece)?)?;
        at += piece;
    }
    copy.sync_all()
}

/// Returns the copies, oldest first.
pub(super) fn copies(journal: &Path) -> Vec<PathBuf> {
    numbered(journal).into_iter().map(|(_, path)| path).collect()
}

/// Removes copies made before this time, because they contain messages.
pub(super) fn remove(journal: &Path, before: SystemTime) -> io::Result<()> {
    for copy in copies(journal) {
        if std::fs::metadata(&copy)?.modified()? < before {
            std::fs::remove_file(copy)?;
        }
    }
    Ok(())
}

fn numbered(journal: &Path) -> Vec<(u64, PathBuf)> {
    let Some(prefix) = name(journal, "").file_name().map(ToOwned::to_owned) else { return Vec::new() };
    let number_of = |path: &Path| {
        let name = path.file_name()?.as_encoded_bytes().strip_prefix(prefix.as_encoded_bytes())?;
        std::str::from_utf8(name).ok()?.parse().ok()
    };
    let found = std::fs::read_dir(folder_of(journal)).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut found: Vec<(u64, PathBuf)> = found.filter_map(|path| Some((number_of(&path)?, path))).collect();
    found.sort();
    found
}

fn name(journal: &Path, number: impl std::fmt::Display) -> PathBuf {
    let mut name = journal.as_os_str().to_owned();
    name.push(format!("-damaged-{number}"));
    PathBuf::from(name)
}
