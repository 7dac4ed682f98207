//! The journal's file: records at its beginning, then zeros or leftovers.

use std::fs::TryLockError;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{aside, record};
use crate::StoreError;
use crate::file::{FileIdentity, folder_of, make_file, sync_folder};

/// The part of the file kept once everything is applied: overwriting costs half as much per sync as growing.
const KEPT: u64 = 1 << 20;

/// Bytes read at a time, unless one record is larger.
const CHUNK: u64 = 64 * 1024;

/// Bytes wiped at a time.
const PAGE: u64 = 4096;

/// Bytes searched at a time for the record behind a damaged one.
const SEARCHED: u64 = record::LONGEST as u64;

/// Step for skipping unreadable parts (bytes); sectors are no smaller.
const SECTOR: usize = 512;

/// Attempts to lock the file: a gateway that is ending holds it until its last request has ended.
const LOOKS: u32 = 50;

const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(super) struct JournalFile {
    path: PathBuf,
    file: std::fs::File,
    known: FileIdentity,
    /// True if its folder entry may not be on disk yet.
    is_new: AtomicBool,
    /// True if unreadable sectors are read as zeros.
    skips_unreadable: AtomicBool,
}

/// Consecutive complete records; or without any, damage up to the next one.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) payloads: Vec<Vec<u8>>,
    /// Bytes of the file that they occupy.
    pub(super) length: u64,
}

impl JournalFile {
    /// Opens the file, creating it if missing; only its owner can read it. Also returns how many bytes of it were
    /// written, and its length. Fails with [`StoreError::Busy`] while another process has it open, because each would
    /// overwrite what the other acknowledged.
    pub(super) fn open(path: &Path) -> Result<(JournalFile, u64, u64), StoreError> {
        Self::start(path).map_err(|error| error.at(path))
    }

    fn start(path: &Path) -> Result<(JournalFile, u64, u64), StoreError> {
        make_file(path)?;
        let file = std::fs::File::options().read(true).write(true).open(path);
        let file = file.map_err(|error| StoreError::of_file(&error))?;
        lock(&file)?;
        let length = file.metadata().map_err(|error| StoreError::of_file(&error))?.len();
        let known = FileIdentity::at(path)?;
        let (path, is_new) = (path.to_owned(), AtomicBool::new(true));
        let journal = JournalFile { path, file, known, is_new, skips_unreadable: AtomicBool::new(false) };
        let end = journal.end(length).or_else(|error| {
            tracing::error!(%error, "cannot read all of the journal; unreadable parts are skipped");
            journal.skip_unreadable();
            journal.end(length)
        })?;
        let length = journal.file.metadata().map_err(|error| StoreError::of_file(&error))?.len();
        Ok((journal, end, length))
    }

    /// Returns the end of the last acknowledged record, even if earlier ones are damaged.
    fn end(&self, length: u64) -> Result<u64, StoreError> {
        let mut end = 0;
        loop {
            match self.whole(end, length, usize::MAX)?.length {
                0 => match self.next_record(end, length)? {
                    Some(next) => end = next,
                    None => return Ok(end + self.damaged_last(end, length)?),
                },
                more => end += more,
            }
        }
    }

    /// Returns the length of a damaged last record in bytes. Forgets a record that was never completely on disk and so
    /// never acknowledged: behind a shorter record, its rest would look like damage.
    fn damaged_last(&self, from: u64, length: u64) -> Result<u64, StoreError> {
        let bytes = self.bytes(from, (length - from).min(2 * SEARCHED))?;
        let Some(last) = bytes.iter().rposition(|byte| *byte != 0) else { return Ok(0) };
        let written = &bytes[..=last];
        let is_torn = !self.skips_unreadable.load(Ordering::Relaxed) && has_unwritten_sector(from, written);
        // Bytes that no crash leaves are damage, however they end.
        if (record::has_end(written) || !record::begins(written)) && !is_torn {
            return Ok(written.len() as u64);
        }
        self.cut(from)?;
        Ok(0)
    }

    /// Treats unreadable parts as damaged from now on.
    pub(super) fn skip_unreadable(&self) {
        self.skips_unreadable.store(true, Ordering::Relaxed);
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Fails if the file was removed or replaced.
    pub(super) fn check_is_there(&self) -> Result<(), StoreError> {
        self.known.check_is_there().map_err(|error| error.at(&self.path))
    }

    /// Writes records at this offset; they are on disk when this returns.
    pub(super) fn write(&self, at: u64, records: &[u8]) -> Result<(), StoreError> {
        self.check_is_there()?;
        let written = self.file.write_all_at(records, at).and_then(|()| self.file.sync_data());
        written.and_then(|()| self.sync_name()).map_err(|error| StoreError::of_disk(&error).at(&self.path))
    }

    /// Truncates the file, because a failed write may have left complete records.
    pub(super) fn cut(&self, length: u64) -> Result<(), StoreError> {
        self.file.set_len(length).map_err(|error| StoreError::of_disk(&error).at(&self.path))
    }

    /// Returns complete records from this offset on, at most `most`; or without any, the damage from here to the next
    /// one, or to `end`.
    pub(super) fn read(&self, from: u64, end: u64, most: usize) -> Result<Chunk, StoreError> {
        self.whole_or_damaged(from, end, most).map_err(|error| error.at(&self.path))
    }

    fn whole_or_damaged(&self, from: u64, end: u64, most: usize) -> Result<Chunk, StoreError> {
        let mut chunk = self.whole(from, end, most)?;
        if chunk.length == 0 {
            chunk.length = self.next_record(from, end)?.unwrap_or(end) - from;
        }
        Ok(chunk)
    }

    /// Returns the start of the next complete record.
    fn next_record(&self, from: u64, end: u64) -> Result<Option<u64>, StoreError> {
        let mut at = from;
        while at < end {
            let longest = (record::HEAD + record::LONGEST) as u64;
            let bytes = self.bytes(at, (end - at).min(SEARCHED + longest))?;
            if let Some(found) = record::find(&bytes, SEARCHED as usize) {
                return Ok(Some(at + found as u64));
            }
            at += SEARCHED;
        }
        Ok(None)
    }

    /// Wipes the content, which ends at `length`. Works backwards, so that after a crash the rest has no gap that would
    /// look like damage.
    pub(super) fn wipe(&self, length: u64) -> Result<(), StoreError> {
        let wiped = || -> std::io::Result<()> {
            if length > KEPT {
                self.file.set_len(KEPT)?;
            }
            let length = length.min(KEPT);
            for page in (0..length.div_ceil(PAGE)).rev() {
                let size = PAGE.min(length - page * PAGE) as usize;
                self.file.write_all_at(&[0; PAGE as usize][..size], page * PAGE)?;
            }
            Ok(())
        };
        wiped().map_err(|error| StoreError::of_disk(&error).at(&self.path))?;
        self.skips_unreadable.store(false, Ordering::Relaxed);
        Ok(())
    }

    fn whole(&self, from: u64, end: u64, most: usize) -> Result<Chunk, StoreError> {
        let left = end.saturating_sub(from);
        let mut bytes = self.bytes(from, left.min(CHUNK))?;
        if let Some(length) = record::length(&bytes).filter(|length| *length > bytes.len()) {
            bytes = self.bytes(from, left.min(length as u64))?;
        }
        let mut chunk = Chunk { payloads: Vec::new(), length: 0 };
        while chunk.payloads.len() < most
            && let Some(payload) = record::payload(&bytes[chunk.length as usize..])
        {
            chunk.payloads.push(payload.to_owned());
            chunk.length += (record::HEAD + payload.len()) as u64;
        }
        Ok(chunk)
    }

    /// Copies the first `length` bytes beside the file.
    pub(super) fn keep_aside(&self, length: u64) -> Result<PathBuf, StoreError> {
        aside::keep(&self.path, length, |from, length| Ok(self.readable_bytes(from, length)))
            .map_err(|error| StoreError::of_disk(&error).at(&self.path))
    }

    fn bytes(&self, from: u64, length: u64) -> Result<Vec<u8>, StoreError> {
        if self.skips_unreadable.load(Ordering::Relaxed) {
            return Ok(self.readable_bytes(from, length));
        }
        let mut bytes = vec![0; length as usize];
        self.file.read_exact_at(&mut bytes, from).map_err(|error| StoreError::of_disk(&error))?;
        Ok(bytes)
    }

    /// Reads the bytes, with zeros in place of unreadable ones.
    fn readable_bytes(&self, from: u64, length: u64) -> Vec<u8> {
        let mut bytes = vec![0; length as usize];
        if self.file.read_exact_at(&mut bytes, from).is_ok() {
            return bytes;
        }
        let mut at = from;
        for sector in bytes.chunks_mut(SECTOR) {
            let readable = self.file.read_at(sector, at).unwrap_or(0);
            sector[readable..].fill(0);
            at += sector.len() as u64;
        }
        bytes
    }

    /// Syncs the folder, because only then a new file is durable.
    fn sync_name(&self) -> std::io::Result<()> {
        if !self.is_new.load(Ordering::Relaxed) {
            return Ok(());
        }
        sync_folder(folder_of(&self.path))?;
        self.is_new.store(false, Ordering::Relaxed);
        Ok(())
    }
}

/// Returns true if a sector of the bytes at `from` is all zeros, as before it was written: when a disk loses power, it
/// may have written only some sectors of a record, in any order. A record never contains so many zeros.
fn has_unwritten_sector(from: u64, bytes: &[u8]) -> bool {
    let first = SECTOR - from as usize % SECTOR;
    let (first, rest) = bytes.split_at(first.min(bytes.len()));
    std::iter::once(first).chain(rest.chunks(SECTOR)).any(|sector| sector.iter().all(|byte| *byte == 0))
}

/// Locks the file until it is closed or the process ends.
fn lock(file: &std::fs::File) -> Result<(), StoreError> {
    for _ in 0..LOOKS {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => std::thread::sleep(BETWEEN_LOOKS),
            Err(TryLockError::Error(error)) => return Err(StoreError::of_file(&error)),
        }
    }
    Err(StoreError::Busy(
        "another gateway is writing to it, perhaps one with a different state folder and the same store.file"
            .to_owned(),
    ))
}
