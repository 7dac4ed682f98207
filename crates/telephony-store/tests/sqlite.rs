#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
//! States of the store's file: existing, too new, damaged, locked, not writable, deleted, and after a power failure.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use rusqlite::Connection;
use telephony_domain::message::Arrival;
use telephony_domain::time::Timestamp;
use telephony_store::StoreError;
use telephony_store::history::{Filter, History};
use telephony_store::inbox::{Accepted, ArrivalRules, Inbox};
use telephony_store::lines::Lines;
use telephony_store::records::Records;
use telephony_store::soundness::Soundness;
use telephony_store::sqlite::{Mode, SqliteStore};
use tempfile::TempDir;

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("telephony").join("store.db");
    (folder, path)
}

fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, Mode::Gateway).unwrap()
}

async fn accept(store: &SqliteStore, id: &str) -> Result<Accepted, StoreError> {
    let arrival = Arrival {
        provider_id: id.to_owned(),
        from: "+15550005678".to_owned(),
        to: "+15550001234".to_owned(),
        messaging_service: None,
        text: "hello".to_owned(),
        media: Vec::new(),
        also_to: Vec::new(),
        opt_out_type: None,
        provider_time: None,
        signed: None,
    };
    store.accept("twilio", arrival, Arc::new(ArrivalRules::default()), Timestamp(1)).await
}

#[tokio::test]
async fn created_files_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, path) = folder();
    let store = open(&path);
    accept(&store, "SM1").await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    let files: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 2, "the file and its journal: {files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{file:?}");
    }
}

#[tokio::test]
async fn an_accepted_message_survives_a_power_failure() {
    let (folder, path) = folder();
    let store = open(&path);
    for count in 0..100 {
        accept(&store, &format!("SM{count}")).await.unwrap();
    }
    // The files on disk at this moment, as another computer would find them.
    let found = folder.path().join("found");
    fs::create_dir(&found).unwrap();
    for name in ["store.db", "store.db-wal"] {
        fs::copy(path.with_file_name(name), found.join(name)).unwrap();
    }
    let found = open(&found.join("store.db"));
    for count in 0..100 {
        assert_eq!(accept(&found, &format!("SM{count}")).await, Ok(Accepted::Repeat));
    }
}

#[tokio::test]
async fn a_command_creates_a_missing_file() {
    let (_folder, path) = folder();
    let command = SqliteStore::open(&path, Mode::Command).unwrap();
    accept(&command, "SM1").await.unwrap();
    assert_eq!(accept(&open(&path), "SM1").await, Ok(Accepted::Repeat));
}

#[tokio::test]
async fn a_reader_does_not_create_the_file() {
    let (folder, path) = folder();
    let looking = SqliteStore::open(&path, Mode::Reading).unwrap();
    assert!(looking.messages(Filter { limit: 10, ..Filter::default() }).await.unwrap().is_empty());
    assert!(matches!(accept(&looking, "SM1").await, Err(StoreError::Gone(_))), "it would be kept nowhere");
    drop(looking);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_reader_sees_concurrent_writes() {
    let (_folder, path) = folder();
    let gateway = open(&path);
    let looking = SqliteStore::open(&path, Mode::Reading).unwrap();
    accept_text(&gateway, 1, "hello").await;
    assert_eq!(texts(&looking).await, ["hello"]);
    gateway.try_writing().await.unwrap();
    assert_eq!(texts(&looking).await, ["hello"]);
}

#[tokio::test]
async fn a_reader_works_in_a_read_only_folder() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    // A name with special characters in URIs.
    let path = folder.path().join("50% of it? #1").join("store.db");
    let store = open(&path);
    accept_text(&store, 1, "hello").await;
    drop(store);
    let parent = path.parent().unwrap();
    let allow = |file: u32, folder: u32| {
        fs::set_permissions(&path, fs::Permissions::from_mode(file)).unwrap();
        fs::set_permissions(parent, fs::Permissions::from_mode(folder)).unwrap();
    };
    allow(0o400, 0o500);
    let binds_us = fs::File::create(parent.join("another")).is_err();
    let looking = SqliteStore::open(&path, Mode::Reading).unwrap();
    assert_eq!(texts(&looking).await, ["hello"]);
    // The superuser may write everything; the end-to-end suites use a disk that restricts it too.
    assert_eq!(matches!(looking.try_writing().await, Err(StoreError::ReadOnly(_))), binds_us);
    assert_eq!(matches!(SqliteStore::open(&path, Mode::Command), Err(StoreError::ReadOnly(_))), binds_us);
    allow(0o600, 0o700);
}

#[tokio::test]
async fn many_processes_create_the_file_at_once() {
    let (_folder, path) = folder();
    let opened: Vec<_> = (0..8)
        .map(|_| {
            let path = path.clone();
            std::thread::spawn(move || SqliteStore::open(&path, Mode::Command))
        })
        .collect();
    for store in opened {
        store.join().unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_newer_schema_is_left_alone() {
    let (_folder, path) = folder();
    drop(open(&path));
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    for mode in [Mode::Gateway, Mode::Command, Mode::Reading] {
        let error = SqliteStore::open(&path, mode).unwrap_err();
        assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
    }
}

#[tokio::test]
async fn a_file_of_another_kind_is_left_alone() {
    let (_folder, path) = folder();
    fs::create_dir(path.parent().unwrap()).unwrap();
    fs::write(&path, "my shopping list, which is much longer than a header of a database is".repeat(100)).unwrap();
    let error = SqliteStore::open(&path, Mode::Gateway).unwrap_err();
    assert!(matches!(&error, StoreError::Damaged(_)), "{error}");
    assert!(error.to_string().contains("store.db"), "{error}");
    let theirs = path.with_file_name("theirs.db");
    Connection::open(&theirs).unwrap().execute_batch("CREATE TABLE cookies (name)").unwrap();
    assert!(matches!(SqliteStore::open(&theirs, Mode::Gateway), Err(StoreError::Damaged(_))));
}

#[tokio::test]
async fn a_removed_or_replaced_file_is_detected() {
    let (_folder, path) = folder();
    let store = open(&path);
    accept(&store, "SM1").await.unwrap();
    let aside = path.with_file_name("aside.db");
    fs::rename(&path, &aside).unwrap();
    let error = accept(&store, "SM2").await.unwrap_err();
    assert!(matches!(error, StoreError::Gone(_)), "{error}");
    fs::write(&path, "").unwrap();
    assert!(matches!(accept(&store, "SM2").await, Err(StoreError::Gone(_))));
    fs::remove_file(&path).unwrap();
    fs::rename(&aside, &path).unwrap();
    assert!(matches!(accept(&store, "SM2").await, Ok(Accepted::Unconfirmed(_))), "the same file again");
}

#[tokio::test]
async fn an_emptied_file_and_a_removed_log_are_detected() {
    for length in [0, 1, 4095] {
        let (_folder, path) = folder();
        let store = SqliteStore::open(&path, Mode::Gateway).unwrap();
        accept(&store, "SM1").await.unwrap();
        store.check_is_there().unwrap();
        fs::File::options().write(true).open(&path).unwrap().set_len(length).unwrap();
        assert!(matches!(store.check_is_there(), Err(StoreError::Gone(_))), "{length}");
        assert!(matches!(accept(&store, "SM2").await, Err(StoreError::Gone(_))), "{length}");
    }
    let (_folder, path) = folder();
    let store = SqliteStore::open(&path, Mode::Gateway).unwrap();
    accept(&store, "SM1").await.unwrap();
    store.check_is_there().unwrap();
    fs::remove_file(path.with_file_name("store.db-wal")).unwrap();
    let error = store.check_is_there().unwrap_err();
    assert!(matches!(&error, StoreError::Gone(words) if words.contains("store.db-wal")), "{error}");
}

#[tokio::test]
async fn a_file_that_is_overwritten_in_place_is_detected_whatever_its_size() {
    let (_other, other) = folder();
    drop(SqliteStore::open(&other, Mode::Gateway).unwrap());
    let other = fs::read(&other).unwrap();
    for (content, more) in [(other.clone(), 0), (other.clone(), 40 * 4096), (vec![0xA5; other.len()], 4096)] {
        let (_folder, path) = folder();
        let store = SqliteStore::open(&path, Mode::Gateway).unwrap();
        accept(&store, "SM1").await.unwrap();
        store.check_content().await.unwrap();
        let length = usize::try_from(fs::metadata(&path).unwrap().len()).unwrap().max(content.len()) + more;
        let content: Vec<u8> = content.into_iter().chain(std::iter::repeat(0)).take(length).collect();
        std::io::Write::write_all(&mut fs::File::options().write(true).open(&path).unwrap(), &content).unwrap();
        store.check_is_there().unwrap();
        let error = store.check_content().await.unwrap_err();
        assert!(matches!(&error, StoreError::Gone(words) if words.contains("overwritten")), "{error}");
    }
}

#[tokio::test]
async fn an_error_names_the_folder_that_cannot_be_created() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("telephony"), "a file where the folder should be").unwrap();
    let error = SqliteStore::open(&folder.path().join("telephony").join("store.db"), Mode::Command).unwrap_err();
    assert!(matches!(&error, StoreError::ReadOnly(_)), "{error}");
    assert!(error.to_string().contains("telephony"), "{error}");
}

#[tokio::test]
async fn a_read_only_file_is_reported() {
    let (_folder, path) = folder();
    drop(open(&path));
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions).unwrap();
    let binds_us = fs::OpenOptions::new().append(true).open(&path).is_err();
    let opened = SqliteStore::open(&path, Mode::Gateway);
    // The superuser may write everything.
    assert_eq!(matches!(&opened, Err(StoreError::ReadOnly(_))), binds_us, "{opened:?}");
}

#[tokio::test]
async fn a_short_lock_by_another_program_is_waited_for() {
    let (_folder, path) = folder();
    let store = Arc::new(open(&path));
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let waiting = tokio::spawn({
        let store = store.clone();
        async move { accept(&store, "SM1").await }
    });
    tokio::task::yield_now().await;
    assert!(store.unconfirmed_numbers().await.unwrap().is_empty(), "reading goes on");
    other.execute_batch("ROLLBACK").unwrap();
    assert!(matches!(waiting.await.unwrap(), Ok(Accepted::Unconfirmed(_))));
}

#[tokio::test]
async fn pending_writes_finish_before_the_store_closes() {
    let (_folder, path) = folder();
    let store = Arc::new(open(&path));
    let writing: Vec<_> = (0..50)
        .map(|count| {
            let store = store.clone();
            tokio::spawn(async move { accept(&store, &format!("SM{count}")).await })
        })
        .collect();
    drop(store);
    for accepted in writing {
        accepted.await.unwrap().unwrap();
    }
    assert!(!path.with_file_name("store.db-wal").exists(), "the journal is folded into the file");
    let store = open(&path);
    for count in 0..50 {
        assert_eq!(accept(&store, &format!("SM{count}")).await, Ok(Accepted::Repeat));
    }
}

async fn texts(store: &SqliteStore) -> Vec<String> {
    let all = store.messages(Filter { limit: 10, ..Filter::default() }).await.unwrap();
    all.into_iter().map(|entry| entry.text).collect()
}

async fn accept_text(store: &SqliteStore, n: i64, text: &str) {
    let arrival = Arrival {
        provider_id: format!("SM-{n}"),
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
    store.accept("twilio", arrival, Arc::new(ArrivalRules::default()), Timestamp(n)).await.unwrap();
}

#[tokio::test]
async fn purged_data_is_erased_from_the_file() {
    let (_folder, path) = folder();
    let store = open(&path);
    for n in 0..200 {
        accept_text(&store, n, "my darkest secret").await;
    }
    let contains = |words: &str| fs::read(&path).unwrap().windows(words.len()).any(|bytes| bytes == words.as_bytes());
    drop(store);
    assert!(contains("my darkest secret") && contains("+15550005678"));
    let store = open(&path);
    let contact = "+15550005678".parse().unwrap();
    while !store.purge(&contact, 50, Timestamp(1_000)).await.unwrap().is_done {}
    drop(store);
    assert!(!contains("my darkest secret") && !contains("+15550005678"));
}

#[tokio::test]
async fn a_file_stops_growing_while_old_messages_are_deleted() {
    let (_folder, path) = folder();
    let store = open(&path);
    let pages =
        || -> i64 { Connection::open(&path).unwrap().query_row("PRAGMA page_count", (), |row| row.get(0)).unwrap() };
    let mut before = 0;
    for round in 0..6 {
        for n in 0..100 {
            accept_text(&store, round * 1_000 + n, &"x".repeat(1_000)).await;
        }
        store.resolve_number("twilio", "+15550001234", false, Timestamp(round * 1_000 + 500)).await.unwrap();
        let after_a_month = Timestamp(31 * 24 * 60 * 60 * 1_000 + round * 1_000);
        while store.expire(Timestamp(round * 1_000 + 999), 30, after_a_month).await.unwrap() > 0 {}
        assert!(round < 2 || pages() <= before, "the file grows from {before} to {} pages", pages());
        before = pages();
    }
}

#[test]
fn a_new_file_can_be_opened_by_many_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("telephony.sqlite");
    std::thread::scope(|scope| {
        let openings: Vec<_> = (0..8)
            .map(|n| if n == 0 { Mode::Gateway } else { Mode::Command })
            .map(|mode| {
                scope.spawn({
                    let path = &path;
                    move || SqliteStore::open(path, mode).map(drop)
                })
            })
            .collect();
        for opening in openings {
            opening.join().unwrap().unwrap();
        }
    });
}

#[tokio::test]
async fn waiting_openers_share_one_timeout() {
    let (_folder, path) = folder();
    let store = open(&path);
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut asked: FuturesUnordered<_> = ["SM1", "SM2", "SM3"].map(|id| accept(&store, id)).into_iter().collect();
    assert!(matches!(asked.next().await, Some(Err(StoreError::Busy(_)))));
    other.execute_batch("ROLLBACK").unwrap();
    while let Some(accepted) = asked.next().await {
        assert!(matches!(accepted, Err(StoreError::Busy(_))), "{accepted:?} waited once more");
    }
    assert!(accept(&store, "SM1").await.is_ok());
}
