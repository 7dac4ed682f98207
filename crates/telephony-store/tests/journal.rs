//! The journal returns its entries in order until they are applied, even if the program is killed in between.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::future::join_all;
use proptest::prelude::*;
use telephony_domain::delivery::{Status, StatusReport};
use telephony_domain::message::{Arrival, Media};
use telephony_domain::time::Timestamp;
use telephony_store::StoreError;
use telephony_store::journal::{Journal, JournalEntry, JournalEvent};
use tempfile::TempDir;

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("arrivals");
    (folder, path)
}

fn open(path: &Path) -> Journal {
    Journal::open(path).unwrap()
}

fn text(number: u64, text: &str) -> JournalEntry {
    let arrival = Arrival {
        provider_id: format!("SM{number}"),
        from: "+15550005678".to_owned(),
        to: "+15550001234".to_owned(),
        messaging_service: Some("MG1".to_owned()),
        text: text.to_owned(),
        media: vec![Media { url: "https://twilio.example/1".to_owned(), content_type: "image/png".to_owned() }],
        also_to: vec!["+15550001111".to_owned()],
        opt_out_type: None,
        provider_time: Some(Timestamp(7)),
        signed: None,
    };
    JournalEntry {
        at: Timestamp(i64::try_from(number).unwrap()),
        is_unverified: false,
        provider: "twilio".into(),
        event: JournalEvent::Message(arrival),
    }
}

fn report() -> JournalEntry {
    let report = StatusReport {
        provider_id: "SM9".to_owned(),
        correlation_id: Some("p1".to_owned()),
        status: Status::Undelivered,
        error_code: Some(30003),
        is_opt_out: false,
        segments: None,
    };
    JournalEntry {
        at: Timestamp(3),
        is_unverified: false,
        provider: "twilio".into(),
        event: JournalEvent::Report(report),
    }
}

#[tokio::test]
async fn entries_of_a_version_without_providers_are_twilios() {
    let (_folder, path) = place();
    std::fs::write(&path, include_bytes!("old/journal-without-providers")).unwrap();
    let journal = open(&path);
    let entries = journal.next().await.unwrap().entries;
    assert_eq!(entries.iter().map(|entry| entry.provider.as_ref()).collect::<Vec<_>>(), ["twilio", "twilio"]);
    assert!(matches!(&entries[0].event, JournalEvent::Message(arrival) if arrival.text == "hello"), "{entries:?}");
    assert!(matches!(&entries[1].event, JournalEvent::Report(report) if report.provider_id == "SM2"), "{entries:?}");
    assert!(entries[1].is_unverified);
}

#[tokio::test]
async fn an_entry_keeps_the_name_of_its_provider() {
    let (_folder, path) = place();
    let theirs = JournalEntry { provider: "other-company".into(), ..text(1, "hi") };
    open(&path).append(&theirs).await.unwrap();
    assert_eq!(open(&path).next().await.unwrap().entries, [theirs]);
}

/// Reads all entries that are not applied, and marks them as applied.
async fn take_all(journal: &Journal) -> Vec<JournalEntry> {
    let mut all = Vec::new();
    while !journal.is_applied() {
        let batch = journal.next().await.unwrap();
        journal.mark_applied(batch.end);
        all.extend(batch.entries);
    }
    all
}

#[tokio::test]
async fn appended_entries_are_read_in_order_until_applied() {
    let (_folder, path) = place();
    let journal = open(&path);
    let entries = [text(1, "one"), report(), text(2, "\u{0} two \"\n")];
    for entry in &entries {
        journal.append(entry).await.unwrap();
    }
    assert_eq!(journal.next().await.unwrap().entries, entries);
    drop(journal);
    let journal = open(&path);
    assert_eq!(take_all(&journal).await, entries, "once more: it was not settled");
    assert!(tokio::time::timeout(Duration::from_millis(1), journal.next()).await.is_err());
    drop(journal);
    assert!(open(&path).is_applied());
}

#[tokio::test]
async fn concurrent_appends_all_finish_and_waiters_wake_once_applied() {
    let (_folder, path) = place();
    let journal = open(&path);
    let entries: Vec<JournalEntry> = (0..500).map(|number| text(number, "together")).collect();
    let positions = join_all(entries.iter().map(|entry| journal.append(entry))).await;
    let positions: Vec<_> = positions.into_iter().map(Result::unwrap).collect();
    assert!(positions.is_sorted());
    let first = journal.next().await.unwrap();
    let (last, of_first) = (positions[499], positions[first.entries.len() - 1]);
    assert!(tokio::time::timeout(Duration::from_millis(1), journal.applied(of_first)).await.is_err());
    journal.mark_applied(first.end);
    journal.applied(of_first).await;
    assert!(tokio::time::timeout(Duration::from_millis(1), journal.applied(last)).await.is_err());
    let (rest, ()) = tokio::join!(take_all(&journal), journal.applied(last));
    assert_eq!([first.entries, rest].concat(), entries);
}

#[tokio::test]
async fn applied_entries_are_erased_and_the_file_is_shortened() {
    let (_folder, path) = place();
    let journal = open(&path);
    let words = "between us ".repeat(6_000);
    let entries: Vec<JournalEntry> = (0..40).map(|number| text(number, &words)).collect();
    for appended in join_all(entries.iter().map(|entry| journal.append(entry))).await {
        appended.unwrap();
    }
    assert_eq!(take_all(&journal).await, entries, "also what is longer than is read at a time");
    drop(journal);
    let left = std::fs::read(&path).unwrap();
    assert!(left.iter().all(|byte| *byte == 0), "something is left");
    assert_eq!(left.len(), 1 << 20);
}

#[tokio::test]
async fn a_removed_journal_rejects_entries() {
    let (_folder, path) = place();
    let journal = open(&path);
    journal.append(&text(1, "there")).await.unwrap();
    std::fs::remove_file(&path).unwrap();
    let refused = journal.append(&text(2, "gone")).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Gone(words) if words.contains("arrivals")), "{refused}");
    assert_eq!(take_all(&journal).await, [text(1, "there")], "what it has, it gives");
}

#[tokio::test]
async fn a_partial_write_is_removed() {
    let (_folder, path) = place();
    let journal = open(&path);
    journal.append(&text(1, "whole")).await.unwrap();
    drop(journal);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.extend_from_within(..bytes.len() / 2);
    std::fs::write(&path, bytes).unwrap();
    let journal = open(&path);
    assert_eq!(take_all(&journal).await, [text(1, "whole")]);
    drop(journal);
    assert!(std::fs::read(&path).unwrap().iter().all(|byte| *byte == 0), "something is left");
}

#[test]
fn a_journal_has_one_owner_at_a_time() {
    let (_folder, path) = place();
    let journal = open(&path);
    let refused = Journal::open(&path).unwrap_err();
    assert!(matches!(&refused, StoreError::Busy(words) if words.contains("arrivals")), "{refused}");
    drop(journal);
    open(&path);
}

#[tokio::test]
async fn a_journal_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, path) = place();
    drop(open(&path));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

/// An operation on a journal.
#[derive(Debug, Clone)]
enum Step {
    Append(u8),
    /// Reads a batch, and marks it as applied or not.
    Take(bool),
    Restart,
    /// The program is killed while it writes a record: this much of it is on disk.
    CutOff(prop::sample::Index),
}

fn any_event() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1u8..100).prop_map(Step::Append),
        3 => any::<bool>().prop_map(Step::Take),
        1 => Just(Step::Restart),
        1 => any::<prop::sample::Index>().prop_map(Step::CutOff),
    ]
}

/// Appends a record and truncates it, as if the program had been killed before acknowledging it.
async fn cut_off(path: &Path, entry: &JournalEntry, at: &prop::sample::Index) {
    let before = std::fs::read(path).unwrap();
    let journal = open(path);
    journal.append(entry).await.unwrap();
    drop(journal);
    let after = std::fs::read(path).unwrap();
    let same = after.iter().zip(before.iter().chain(std::iter::repeat(&0))).take_while(|(new, old)| new == old).count();
    let kept = same + at.index(after.len() - same);
    let torn: Vec<u8> = after[..kept].iter().chain(before.get(kept..).unwrap_or_default()).copied().collect();
    std::fs::write(path, torn).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_is_acknowledged_is_never_lost_and_never_out_of_order(events in prop::collection::vec(any_event(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (_folder, path) = place();
            let (mut journal, mut expected, mut number) = (open(&path), Vec::new(), 0);
            for event in events {
                number += 1;
                match event {
                    Step::Append(length) => {
                        let entry = text(number, &"x".repeat(usize::from(length) * 40));
                        journal.append(&entry).await.unwrap();
                        expected.push(entry);
                    }
                    Step::Take(settles) if !journal.is_applied() => {
                        let batch = journal.next().await.unwrap();
                        assert_eq!(batch.entries, expected[..batch.entries.len()]);
                        if settles {
                            journal.mark_applied(batch.end);
                            expected.drain(..batch.entries.len());
                        }
                    }
                    Step::Take(_) => assert_eq!(expected, []),
                    Step::Restart => {
                        drop(journal);
                        journal = open(&path);
                        // Applied entries come out again if others were not applied.
                        let again = take_all(&journal).await;
                        assert!(again.ends_with(&expected), "{} of {}", again.len(), expected.len());
                        expected.clear();
                    }
                    Step::CutOff(at) => {
                        drop(journal);
                        let torn = text(number, "cut");
                        cut_off(&path, &torn, &at).await;
                        journal = open(&path);
                        let mut again = take_all(&journal).await;
                        // The rest of an incomplete record may be there.
                        again.pop_if(|last| *last == torn);
                        assert!(again.ends_with(&expected), "{} of {}", again.len(), expected.len());
                        expected.clear();
                    }
                }
            }
        });
    }
}
