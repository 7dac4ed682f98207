//! Damaged places of the journal: position, length, and roughly when they were written.

use std::path::PathBuf;

use telephony_domain::time::Timestamp;

use super::file::Chunk;
use super::{Entry, record};

/// Entries that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The first byte in the file.
    pub at: u64,
    /// Its length in bytes.
    pub length: u64,
    /// Why they cannot be read.
    pub kind: DamageKind,
    /// When the entry before them was written, where there is one.
    pub since: Option<Timestamp>,
    /// The copy of the whole file, where it could be made.
    pub copy: Option<PathBuf>,
}

/// Why entries cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DamageKind {
    /// The disk returns other bytes than were written, or none.
    Changed,
    /// The entry is whole, and this version of the program does not understand it.
    Unknown,
}

impl DamageKind {
    /// As it stands in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            DamageKind::Changed => "the bytes are not what was written",
            DamageKind::Unknown => "it is whole, and this version does not understand it",
        }
    }
}

/// Parts what can be read from what cannot. `newest` is when the newest entry before was written, and then the newest of
/// these.
pub(super) fn sort(chunk: Chunk, offset: u64, newest: &mut Option<Timestamp>) -> (Vec<Entry>, Vec<Damage>) {
    let damage = |at, length, kind, since| Damage { at, length, kind, since, copy: None };
    if chunk.payloads.is_empty() {
        return (Vec::new(), vec![damage(offset, chunk.length, DamageKind::Changed, *newest)]);
    }
    let (mut entries, mut damages, mut at) = (Vec::new(), Vec::new(), offset);
    for payload in chunk.payloads {
        let length = (record::HEAD + payload.len()) as u64;
        // The error's own words may quote what was said.
        match serde_json::from_slice::<Entry>(&payload) {
            Ok(entry) => {
                *newest = Some(entry.at);
                entries.push(entry);
            }
            Err(_) => damages.push(damage(at, length, DamageKind::Unknown, *newest)),
        }
        at += length;
    }
    (entries, damages)
}
