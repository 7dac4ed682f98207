//! Damaged parts of the journal: position, length, and the approximate time of writing.

use std::path::PathBuf;

use telephony_domain::time::Timestamp;

use super::file::Chunk;
use super::{JournalEntry, record};

/// A part that is not readable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Offset in the file.
    pub at: u64,
    /// Length of the damaged stretch in bytes.
    pub length: u64,
    /// The way in which it is damaged.
    pub kind: DamageKind,
    /// Time of the entry before it, if there is one.
    pub since: Option<Timestamp>,
    /// Copy of the whole file, if it could be made.
    pub copy: Option<PathBuf>,
}

/// A kind of damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DamageKind {
    /// The disk returned different bytes than were written, or none.
    Changed,
    /// The entry is complete, but this version of the program does not understand it.
    Unknown,
}

impl DamageKind {
    /// Returns the text for the log.
    pub fn as_str(self) -> &'static str {
        match self {
            DamageKind::Changed => "the bytes differ from what was written",
            DamageKind::Unknown => "it is complete, but this version does not understand it",
        }
    }
}

/// Separates readable from damaged entries. `newest` is the time of the newest entry before, and then of the newest of
/// these.
pub(super) fn sort(chunk: Chunk, offset: u64, newest: &mut Option<Timestamp>) -> (Vec<JournalEntry>, Vec<Damage>) {
    let damage = |at, length, kind, since| Damage { at, length, kind, since, copy: None };
    if chunk.payloads.is_empty() {
        return (Vec::new(), vec![damage(offset, chunk.length, DamageKind::Changed, *newest)]);
    }
    let (mut entries, mut damages, mut at) = (Vec::new(), Vec::new(), offset);
    for payload in chunk.payloads {
        let length = (record::HEAD + payload.len()) as u64;
        // Do not log the error, which may quote a message.
        match serde_json::from_slice::<JournalEntry>(&payload) {
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
