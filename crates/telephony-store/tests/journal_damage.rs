//! A journal with corrupted bytes: readable entries come out, and the damage is reported and kept.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fs;
use std::ops::Range;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use telephony_domain::message::Arrival;
use telephony_domain::time::Timestamp;
use telephony_store::StoreError;
use telephony_store::journal::{self, Damage, DamageKind, Journal, JournalEntry, JournalEvent};
use tempfile::TempDir;

fn text(number: usize, text: &str) -> JournalEntry {
    let arrival = Arrival {
        provider_id: format!("SM{number}"),
        from: "+15550005678".to_owned(),
        to: "+15550001234".to_owned(),
        messaging_service: None,
        text: text.to_owned(),
        media: Vec::new(),
        also_to: Vec::new(),
        opt_out_type: None,
        provider_time: None,
        signed: None,
    };
    JournalEntry {
        at: Timestamp(number as i64),
        is_unverified: false,
        provider: "twilio".into(),
        event: JournalEvent::Message(arrival),
    }
}

/// A journal file with these entries, and the location of each.
struct Written {
    _folder: TempDir,
    path: PathBuf,
    entries: Vec<JournalEntry>,
    places: Vec<Range<usize>>,
}

impl Written {
    async fn new(texts: &[String]) -> Written {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("arrivals");
        let journal = Journal::open(&path).unwrap();
        let entries: Vec<JournalEntry> = texts.iter().enumerate().map(|(number, words)| text(number, words)).collect();
        let mut places = Vec::new();
        for entry in &entries {
            let begin = places.last().map_or(0, |place: &Range<usize>| place.end);
            journal.append(entry).await.unwrap();
            places.push(begin..begin + 8 + serde_json::to_vec(entry).unwrap().len());
        }
        Written { _folder: folder, path, entries, places }
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(&self.path).unwrap()
    }

    /// Returns the entries without a byte in `run`.
    fn untouched(&self, run: &Range<usize>) -> Vec<JournalEntry> {
        let is_untouched = |place: &Range<usize>| place.end <= run.start || run.end <= place.start;
        let both = self.entries.iter().zip(&self.places);
        both.filter(|(_, place)| is_untouched(place)).map(|(entry, _)| entry.clone()).collect()
    }

    fn copies(&self) -> Vec<PathBuf> {
        journal::copies(&self.path)
    }
}

/// Reads everything that a restart finds, and marks it as applied.
async fn take_all(path: &Path) -> (Vec<JournalEntry>, Vec<Damage>) {
    let journal = Journal::open(path).unwrap();
    take_rest(&journal).await
}

async fn take_rest(journal: &Journal) -> (Vec<JournalEntry>, Vec<Damage>) {
    let (mut entries, mut damages) = (Vec::new(), Vec::new());
    while !journal.is_applied() {
        let batch = journal.next().await.unwrap();
        journal.mark_applied(batch.end);
        entries.extend(batch.entries);
        damages.extend(batch.damages);
    }
    (entries, damages)
}

fn five() -> Vec<String> {
    ["one", "two }}}", "three", "", "\u{0}five\u{fffd}"].map(str::to_owned).to_vec()
}

#[tokio::test]
async fn a_flipped_byte_loses_only_its_own_entry() {
    let written = Written::new(&five()).await;
    let whole = written.bytes();
    let last = written.places.last().unwrap().clone();
    for at in 0..last.end {
        for by in [0x01, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] ^= by;
            fs::write(&written.path, &bytes).unwrap();
            let (entries, damages) = take_all(&written.path).await;
            assert_eq!(entries, written.untouched(&(at..at + 1)), "byte {at} by {by}");
            let is_named = damages.iter().any(|damage| (damage.at..damage.at + damage.length).contains(&(at as u64)));
            // A last record that fails its checksum may have been cut off.
            assert!(is_named || last.contains(&at), "byte {at} by {by}: {damages:?}");
        }
    }
}

#[tokio::test]
async fn a_flipped_byte_in_the_last_entry_is_damage_and_a_torn_entry_is_none() {
    let written = Written::new(&five()).await;
    let whole = written.bytes();
    let last = written.places.last().unwrap().clone();
    for at in last.clone() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x02;
        fs::write(&written.path, &bytes).unwrap();
        assert_eq!(take_all(&written.path).await.1.len(), 1, "byte {at}");
    }
    for kept in last {
        let torn: Vec<u8> = whole[..kept].iter().copied().chain([0; 9000]).collect();
        for torn in [&torn[..], &whole[..kept]] {
            fs::write(&written.path, torn).unwrap();
            let (entries, damages) = take_all(&written.path).await;
            assert_eq!((entries.len(), damages), (4, Vec::new()), "{kept} bytes are left");
        }
    }
}

#[tokio::test]
async fn a_last_entry_with_a_missing_sector_is_torn() {
    let texts = [vec!["x".repeat(700); 2], vec!["y".repeat(3000)]].concat();
    let written = Written::new(&texts).await;
    let (whole, last) = (written.bytes(), written.places[2].clone());
    for sector in last.start / 512..last.end / 512 {
        let mut torn = whole.clone();
        torn[(sector * 512).max(last.start)..(sector + 1) * 512].fill(0);
        fs::write(&written.path, &torn).unwrap();
        let journal = Journal::open(&written.path).unwrap();
        let (entries, damages) = take_rest(&journal).await;
        assert_eq!((entries.len(), damages), (2, Vec::new()), "sector {sector}");
        drop(journal);
        fs::write(&written.path, &torn).unwrap();
        Journal::open(&written.path).unwrap().append(&text(9, "short")).await.unwrap();
        let (entries, damages) = take_all(&written.path).await;
        assert_eq!((entries.len(), damages), (3, Vec::new()), "sector {sector}: nothing of it is left");
    }
    assert!(written.copies().is_empty());
}

#[tokio::test]
async fn damaged_entries_are_reported_and_copied_privately() {
    let written = Written::new(&five()).await;
    let mut bytes = written.bytes();
    let place = written.places[2].clone();
    bytes[place.start + 20] ^= 1;
    fs::write(&written.path, &bytes).unwrap();
    let (_, damages) = take_all(&written.path).await;
    let copy = written.copies().pop();
    let expected = Damage {
        at: place.start as u64,
        length: place.len() as u64,
        kind: DamageKind::Changed,
        since: Some(Timestamp(1)),
        copy: copy.clone(),
    };
    assert_eq!(damages, [expected]);
    let copy = copy.expect("a copy");
    assert!(fs::read(&copy).unwrap().starts_with(&bytes[..written.places[4].end]));
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(fs::read(&written.path).unwrap().iter().all(|byte| *byte == 0), "it starts over");
    assert_eq!(take_all(&written.path).await, (Vec::new(), Vec::new()));
}

#[tokio::test]
async fn no_more_than_three_copies_are_kept_and_the_old_ones_can_be_removed() {
    let written = Written::new(&five()).await;
    let mut bytes = written.bytes();
    bytes[3] ^= 1;
    let mut seen = Vec::new();
    for _ in 0..5 {
        fs::write(&written.path, &bytes).unwrap();
        take_all(&written.path).await;
        seen.push(written.copies().pop().unwrap());
    }
    assert_eq!(written.copies(), seen[2..]);
    let journal = Journal::open(&written.path).unwrap();
    journal.remove_copies(Timestamp(0)).unwrap();
    assert_eq!(written.copies().len(), 3);
    journal.remove_copies(Timestamp(i64::MAX)).unwrap();
    assert!(written.copies().is_empty());
}

#[tokio::test]
async fn a_file_of_garbage_is_damage_and_kept() {
    for seed in 1..20u64 {
        let written = Written::new(&five()).await;
        let length = written.places.last().unwrap().end;
        let mut number = seed;
        let garbage = std::iter::repeat_with(|| {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (number >> 56) as u8 | 1
        });
        let garbage: Vec<u8> = garbage.take(length).collect();
        fs::File::options().write(true).open(&written.path).unwrap().write_all_at(&garbage, 0).unwrap();
        let (entries, damages) = take_all(&written.path).await;
        assert_eq!((entries.len(), damages.len()), (0, 1));
        assert_eq!((damages[0].at, damages[0].length), (0, length as u64));
        assert!(fs::read(damages[0].copy.as_ref().unwrap()).unwrap().starts_with(&garbage));
    }
}

#[tokio::test]
async fn several_damaged_places_make_one_copy() {
    let written = Written::new(&five()).await;
    let mut bytes = written.bytes();
    for place in [&written.places[0], &written.places[2]] {
        bytes[place.start + 9] ^= 1;
    }
    fs::write(&written.path, &bytes).unwrap();
    let (entries, damages) = take_all(&written.path).await;
    assert_eq!((entries.len(), damages.len(), written.copies().len()), (3, 2, 1));
    assert_eq!(damages[0].since, None);
}

#[tokio::test]
async fn an_entry_of_a_newer_version_is_reported_and_others_are_read() {
    let written = Written::new(&five()).await;
    let newer = br#"{"at":1,"told":{"letter":{"by":"pigeon"}}}"#;
    let bytes = written.bytes();
    let middle = written.places[1].end;
    let mut record = (newer.len() as u32).to_le_bytes().to_vec();
    record.extend(crc32fast::hash(newer).to_le_bytes());
    record.extend(newer);
    let with_newer = [&bytes[..middle], &record, &bytes[middle..]].concat();
    fs::write(&written.path, with_newer).unwrap();
    let (entries, damages) = take_all(&written.path).await;
    assert_eq!(entries, written.entries);
    let [damage] = &damages[..] else { panic!("{damages:?}") };
    assert_eq!((damage.kind, damage.at, damage.length), (DamageKind::Unknown, middle as u64, record.len() as u64));
    assert!(damage.copy.is_some());
}

#[tokio::test]
async fn entries_of_an_older_version_are_read() {
    let written = Written::new(&five()).await;
    let payload = br#"{"at":7,"told":{"message":{"provider_id":"SM7","from":"+15550005678","to":"+15550001234","messaging_service":null,"text":"old","media":[],"also_to":[],"opt_out_type":null,"taken":null}}}"#;
    let mut record = (payload.len() as u32).to_le_bytes().to_vec();
    record.extend(crc32fast::hash(payload).to_le_bytes());
    record.extend(payload);
    fs::write(&written.path, record).unwrap();
    let (entries, damages) = take_all(&written.path).await;
    assert_eq!((entries, damages), (vec![JournalEntry { at: Timestamp(7), ..text(7, "old") }], Vec::new()));
}

#[tokio::test]
async fn damage_under_a_running_gateway_does_not_stop_it() {
    let written = Written::new(&five()).await;
    let journal = Journal::open(&written.path).unwrap();
    let file = fs::File::options().write(true).open(&written.path).unwrap();
    file.write_all_at(&[0; 30], written.places[1].start as u64).unwrap();
    journal.append(&text(5, "behind it")).await.unwrap();
    let (entries, damages) = take_rest(&journal).await;
    let left = [written.untouched(&written.places[1]), vec![text(5, "behind it")]].concat();
    assert_eq!((entries, damages.len()), (left, 1));
}

#[tokio::test]
async fn unreadable_sectors_are_abandoned_after_retries() {
    let written = Written::new(&five()).await;
    let journal = Journal::open(&written.path).unwrap();
    let kept = written.places[3].start as u64 + 5;
    fs::File::options().write(true).open(&written.path).unwrap().set_len(kept).unwrap();
    for _ in 0..4 {
        assert!(matches!(journal.next().await, Err(StoreError::Disk(_))), "it may yet");
    }
    let (entries, damages) = take_rest(&journal).await;
    assert_eq!((&entries[..], damages.len()), (&written.entries[..3], 1));
}

#[tokio::test]
async fn a_write_check_leaves_no_trace() {
    let written = Written::new(&five()).await;
    let journal = Journal::open(&written.path).unwrap();
    journal.try_writing().await.unwrap();
    journal.append(&text(5, "then")).await.unwrap();
    drop(journal);
    let (entries, damages) = take_all(&written.path).await;
    assert_eq!((entries.len(), damages), (6, Vec::new()));
    let journal = Journal::open(&written.path).unwrap();
    fs::remove_file(&written.path).unwrap();
    assert!(matches!(journal.try_writing().await, Err(StoreError::Gone(_))));
    assert!(matches!(journal.check_is_there(), Err(StoreError::Gone(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn wrong_bytes_lose_only_the_entries_they_touch(
        texts in prop::collection::vec(prop_oneof!["[ -~]{0,40}", "\\PC{0,90}", Just("x".repeat(90_000))], 1..12),
        begin in any::<prop::sample::Index>(),
        wrong in prop_oneof![
            prop::collection::vec(any::<u8>(), 1..600),
            (1usize..20_000).prop_map(|length| vec![0; length]),
            (1usize..600, any::<u8>()).prop_map(|(length, byte)| vec![byte; length]),
        ],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let written = Written::new(&texts).await;
            let end = written.places.last().unwrap().end;
            let begin = begin.index(end);
            let run = begin..(begin + wrong.len()).min(end);
            let file = fs::File::options().write(true).open(&written.path).unwrap();
            file.write_all_at(&wrong[..run.len()], run.start as u64).unwrap();
            let (entries, damages) = take_all(&written.path).await;
            // The random bytes may equal the original ones.
            let expected = written.untouched(&run);
            let others: Vec<_> = entries.iter().filter(|entry| expected.contains(entry)).cloned().collect();
            assert_eq!(others, expected);
            assert!(entries.iter().all(|entry| written.entries.contains(entry)), "made up");
            assert!(damages.is_sorted_by_key(|damage| damage.at));
        });
    }
}
