//! The journal's file: records from its beginning on, then zeros or what was there before.

use std::fs::TryLockError;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::record;
use crate::StoreError;
use crate::file::{File, make_file};

/// So much of the file stays when all is settled: to write over what is there costs a sync half of what growing does.
const KEPT: u64 = 1 << 20;

/// So much is read at a time, or one record.
const CHUNK: u64 = 64 * 1024;

/// A gateway that ends holds its journal until its last request has ended.
const LOOKS: u32 = 50;

const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// The file, open.
#[derive(Debug)]
pub(super) struct JournalFile {
    path: PathBuf,
    file: std::fs::File,
    known: File,
    /// Whether its folder may not be on disk yet.
    is_new: AtomicBool,
}

/// Whole records, one after the other.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) payloads: Vec<Vec<u8>>,
    /// How many bytes of the file they take.
    pub(super) length: u64,
}

impl JournalFile {
    /// Opens the file, which only its owner may read, and makes it where there is none. Says also how many bytes of
    /// it are whole records, and how many there are. Fails with [`StoreError::Busy`] while another has it open: each
    /// would write over what the other acknowledged.
    pub(super) fn open(path: &Path) -> Result<(JournalFile, u64, u64), StoreError> {
        Self::start(path).map_err(|error| error.at(path))
    }

    fn start(path: &Path) -> Result<(JournalFile, u64, u64), StoreError> {
        make_file(path)?;
        let file = std::fs::File::options().read(true).write(true).open(path);
        let file = file.map_err(|error| StoreError::of_file(&error))?;
        lock(&file)?;
        let length = file.metadata().map_err(|error| StoreError::of_file(&error))?.len();
        let known = File::at(path)?;
        let journal = JournalFile { path: path.to_owned(), file, known, is_new: AtomicBool::new(true) };
        let mut whole = 0;
        loop {
            match journal.chunk(whole, length, usize::MAX)?.length {
                0 => return Ok((journal, whole, length)),
                more => whole += more,
            }
        }
    }

    /// Writes records at this place; they are on disk when this returns.
    pub(super) fn write(&self, at: u64, records: &[u8]) -> Result<(), StoreError> {
        self.known.check_is_there().map_err(|error| error.at(&self.path))?;
        let written = self.file.write_all_at(records, at).and_then(|()| self.file.sync_data());
        written.and_then(|()| self.sync_name()).map_err(|error| StoreError::of_disk(&error).at(&self.path))
    }

    /// Whole records from this place on, at most `most`; none where there are none, or `end` comes first.
    pub(super) fn read(&self, from: u64, end: u64, most: usize) -> Result<Chunk, StoreError> {
        self.chunk(from, end, most).map_err(|error| error.at(&self.path))
    }

    /// Forgets all; behind this many bytes there is nothing.
    pub(super) fn wipe(&self, length: u64) -> Result<(), StoreError> {
        let wiped = || -> std::io::Result<()> {
            if length > KEPT {
                self.file.set_len(KEPT)?;
            }
            self.file.write_all_at(&vec![0; length.min(KEPT) as usize], 0)
        };
        wiped().map_err(|error| StoreError::of_disk(&error).at(&self.path))
    }

    fn chunk(&self, from: u64, end: u64, most: usize) -> Result<Chunk, StoreError> {
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

    fn bytes(&self, from: u64, length: u64) -> Result<Vec<u8>, StoreError> {
        let mut bytes = vec![0; length as usize];
        self.file.read_exact_at(&mut bytes, from).map_err(|error| StoreError::of_disk(&error))?;
        Ok(bytes)
    }

    /// A new file is on disk only once its folder says so.
    fn sync_name(&self) -> std::io::Result<()> {
        if !self.is_new.load(Ordering::Relaxed) {
            return Ok(());
        }
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        std::fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
        self.is_new.store(false, Ordering::Relaxed);
        Ok(())
    }
}

/// Makes the file ours until it is closed or the process ends.
fn lock(file: &std::fs::File) -> Result<(), StoreError> {
    for _ in 0..LOOKS {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => std::thread::sleep(BETWEEN_LOOKS),
            Err(TryLockError::Error(error)) => return Err(StoreError::of_file(&error)),
        }
    }
    Err(StoreError::Busy(
        "another gateway writes to it, perhaps one with another state folder and the same store.file".to_owned(),
    ))
}
