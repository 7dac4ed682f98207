//! Reading a corrupted journal never panics, and intact entries come out once and in order. The input describes the
//! file: bytes below 128 are entries, and others give the number of noise bytes that follow.
#![no_main]

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use telephony_domain::delivery::{Status, StatusReport};
use telephony_domain::time::Timestamp;
use telephony_store::journal::{DamageKind, JournalEntry, JournalEvent, Journal};
use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Builder::new_current_thread().build().expect("a runtime"));
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("telephony-fuzz-journal-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
});

/// Entries with the bytes that the journal writes for each.
static WRITTEN: LazyLock<Vec<(JournalEntry, Vec<u8>)>> = LazyLock::new(|| (0..128).map(entry).map(written).collect());

fuzz_target!(|input: &[u8]| {
    let (bytes, whole) = file(input);
    let path = FOLDER.join("arrivals");
    std::fs::write(&path, &bytes).expect("a file");
    let (read, has_unknown) = read_all(&path);
    // Noise can look like a record with a valid checksum, which then includes what it contains.
    if !has_unknown {
        assert_eq!(read, whole);
    }
    assert_eq!(read_all(&path), (Vec::new(), false), "nothing comes out again");
});

/// Returns a journal's bytes and its intact entries.
fn file(mut input: &[u8]) -> (Vec<u8>, Vec<JournalEntry>) {
    let (mut bytes, mut whole) = (Vec::new(), Vec::new());
    while let Some((&piece, rest)) = input.split_first() {
        input = rest;
        if piece < 128 {
            let (entry, record) = &WRITTEN[usize::from(piece)];
            bytes.extend_from_slice(record);
            whole.push(entry.clone());
        } else {
            let (noise, rest) = input.split_at(usize::from(piece - 127).min(input.len()));
            bytes.extend_from_slice(noise);
            input = rest;
        }
    }
    (bytes, whole)
}

/// Reads all entries, marks them as applied, and reports if any intact part was not understood.
fn read_all(path: &Path) -> (Vec<JournalEntry>, bool) {
    let journal = Journal::open(path).expect("a journal");
    let (mut entries, mut has_unknown) = (Vec::new(), false);
    while !journal.is_applied() {
        let batch = RUNTIME.block_on(journal.next()).expect("a batch");
        assert!(!batch.entries.is_empty() || !batch.damages.is_empty());
        has_unknown |= batch.damages.iter().any(|damage| damage.kind == DamageKind::Unknown);
        entries.extend(batch.entries);
        journal.mark_applied(batch.end);
    }
    (entries, has_unknown)
}

fn entry(number: u32) -> JournalEntry {
    let report = StatusReport {
        provider_id: format!("SM{number:032}"),
        correlation_id: (number % 2 == 0).then(|| "x".repeat(number as usize)),
        status: Status::Sent,
        error_code: None,
        is_opt_out: false,
        segments: Some(number),
    };
    let (at, provider) = (Timestamp(i64::from(number)), "twilio".into());
    JournalEntry { at, is_unverified: false, provider, event: JournalEvent::Report(report) }
}

fn written(entry: JournalEntry) -> (JournalEntry, Vec<u8>) {
    let path = FOLDER.join("one");
    let _ = std::fs::remove_file(&path);
    let journal = Journal::open(&path).expect("a journal");
    RUNTIME.block_on(journal.append(&entry)).expect("an entry on disk");
    drop(journal);
    let record = std::fs::read(&path).expect("what was written");
    (entry, record)
}
