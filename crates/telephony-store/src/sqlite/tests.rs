//! Behavior that only the writing thread itself can show: shared commits, and the effect of one failure on the others.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use rusqlite::{Connection, StatementStatus};
use telephony_domain::message::Arrival;
use telephony_domain::notice::Notice;
use telephony_domain::policy::{InboundPolicy, Policy};
use telephony_domain::time::Timestamp;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::StoreError;
use crate::inbox::{Accepted, ArrivalRules, Inbox};
use crate::notices::Notices;
use crate::sqlite::engine::query::execute;
use crate::sqlite::engine::writer::STEP;
use crate::sqlite::inbox::arrival;
use crate::sqlite::{Mode, SqliteStore};

fn open() -> (TempDir, Arc<SqliteStore>) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("store.db"), Mode::Gateway).unwrap();
    (folder, Arc::new(store))
}

/// Keeps the writer in a transaction until something is sent, long enough that no other work shares it.
async fn hold(store: &Arc<SqliteStore>) -> (Sender<()>, JoinHandle<Result<(), StoreError>>) {
    let ((go, wait), (entered, is_in)) = (channel(), tokio::sync::oneshot::channel());
    let writing = store.clone();
    let held = tokio::spawn(async move {
        let mut entered = Some(entered);
        let block = move |_: &Connection| {
            if let Some(entered) = entered.take() {
                let _ = entered.send(());
            }
            wait.recv().map_err(|error| StoreError::Other(error.to_string()))?;
            std::thread::sleep(STEP);
            Ok(())
        };
        writing.write(block).await
    });
    is_in.await.unwrap();
    (go, held)
}

async fn notice(store: &SqliteStore, name: &str, fails: bool) -> Result<(), StoreError> {
    let name = name.to_owned();
    let work = move |db: &Connection| {
        execute(db, "INSERT INTO notice (name, value, by_sms, since) VALUES (?, '', 0, 0)", [&name])?;
        if fails { Err(StoreError::LeaseLost) } else { Ok(()) }
    };
    store.write(work).await
}

fn text(id: &str, length: usize) -> Arrival {
    Arrival {
        provider_id: id.to_owned(),
        from: "+15550005678".to_owned(),
        to: "+15550001234".to_owned(),
        messaging_service: None,
        text: "x".repeat(length),
        media: Vec::new(),
        also_to: Vec::new(),
        opt_out_type: None,
        provider_time: None,
        signed: None,
    }
}

async fn accept(store: &SqliteStore, arrival: Arrival) -> Result<Accepted, StoreError> {
    let policy = Policy { inbound: InboundPolicy::Open, ..Policy::default() };
    store.accept("twilio", arrival, Arc::new(ArrivalRules { policy, ..ArrivalRules::default() }), Timestamp(1)).await
}

#[tokio::test]
async fn a_failing_job_does_not_affect_others_in_its_commit() {
    let (_folder, store) = open();
    let (go, held) = hold(&store).await;
    let (first, bad, same, last) = tokio::join!(
        biased;
        notice(&store, "first", false),
        notice(&store, "bad", true),
        notice(&store, "first", false),
        async {
            go.send(()).unwrap();
            notice(&store, "last", false).await
        },
    );
    assert_eq!((first, bad, last), (Ok(()), Err(StoreError::LeaseLost), Ok(())));
    assert!(same.is_err(), "the same row twice");
    held.await.unwrap().unwrap();
    let kept: Vec<_> = store.notices(Timestamp(2)).await.unwrap().into_iter().map(|notice| notice.name).collect();
    assert_eq!(kept, ["first", "last"]);
}

#[tokio::test]
async fn a_panicking_job_fails_alone_and_its_thread_continues() {
    let (_folder, store) = open();
    let (go, held) = hold(&store).await;
    let panics = |db: &Connection| -> Result<(), StoreError> {
        execute(db, "INSERT INTO notice (name, value, by_sms, since) VALUES ('bad', '', 0, 0)", ())?;
        panic!("on purpose")
    };
    let (first, bad, last) = tokio::join!(
        biased;
        notice(&store, "first", false),
        store.write(panics),
        async {
            let last = notice(&store, "last", false);
            go.send(()).unwrap();
            last.await
        },
    );
    assert_eq!((first, bad, last), (Ok(()), Err(StoreError::Fault), Ok(())));
    held.await.unwrap().unwrap();
    assert_eq!(store.read(|_| -> Result<(), StoreError> { panic!("on purpose") }).await, Err(StoreError::Fault));
    let kept: Vec<_> = store.notices(Timestamp(2)).await.unwrap().into_iter().map(|notice| notice.name).collect();
    assert_eq!(kept, ["first", "last"]);
}

#[tokio::test]
async fn a_failing_arrival_does_not_affect_others_in_its_commit() {
    let (_folder, store) = open();
    let (go, held) = hold(&store).await;
    let bad = |db: &Connection| {
        execute(db, "INSERT INTO notice (name, value, by_sms, since) VALUES ('bad', '', 0, 0)", ())?;
        Err::<(), _>(StoreError::LeaseLost)
    };
    let (first, bad, last) = tokio::join!(
        biased;
        accept(&store, text("SM1", 1)),
        store.write(bad),
        async {
            let last = accept(&store, text("SM2", 1));
            go.send(()).unwrap();
            last.await
        },
    );
    assert!(matches!((first, last), (Ok(Accepted::Unconfirmed(_)), Ok(Accepted::Unconfirmed(_)))));
    assert_eq!(bad, Err(StoreError::LeaseLost));
    held.await.unwrap().unwrap();
    assert_eq!(accept(&store, text("SM1", 1)).await, Ok(Accepted::Repeat));
    assert_eq!(store.notices(Timestamp(2)).await, Ok(Vec::new()));
}

#[tokio::test]
async fn a_notice_of_an_older_version_keeps_its_text() {
    let (_folder, store) = open();
    let sql = "INSERT INTO notice (name, value, by_sms, since) VALUES ('tunnel', 'The tunnel is down.', 1, 0)";
    store.write(move |db| execute(db, sql, ())).await.unwrap();
    let texts = async || -> Vec<_> {
        store.notices(Timestamp(2)).await.unwrap().into_iter().map(|notice| notice.text("Twilio")).collect()
    };
    assert_eq!(texts().await, ["The tunnel is down."]);
    let down = Notice::TunnelDown { tunnel: "ngrok".to_owned(), problem: "it broke".to_owned() };
    assert!(!store.raise_notice(down.clone(), Timestamp(2)).await.unwrap(), "it is the same problem");
    assert_eq!(texts().await, [down.text("Twilio")]);
}

#[tokio::test]
async fn a_statement_is_prepared_once() {
    let (_folder, store) = open();
    for id in ["SM1", "SM2", "SM3"] {
        accept(&store, text(id, 1)).await.unwrap();
    }
    let statement = |db: &Connection| {
        let facts = db.prepare_cached(arrival::FACTS)?;
        Ok((facts.get_status(StatementStatus::Run), facts.get_status(StatementStatus::RePrepare)))
    };
    assert_eq!(store.write(statement).await, Ok((3, 0)));
}

#[tokio::test]
async fn a_full_disk_rejects_messages_until_space_is_free() {
    let (_folder, store) = open();
    accept(&store, text("SM1", 10)).await.unwrap();
    let limit = |pages: i64| move |db: &Connection| Ok(db.pragma_update(None, "max_page_count", pages)?);
    store.write(limit(1)).await.unwrap();
    let (big, bigger) = tokio::join!(accept(&store, text("SM2", 100_000)), accept(&store, text("SM3", 200_000)));
    for refused in [big, bigger] {
        assert!(matches!(refused, Err(StoreError::Full(_))), "{refused:?}");
    }
    store.write(limit(1_000_000)).await.unwrap();
    assert_eq!(accept(&store, text("SM1", 10)).await, Ok(Accepted::Repeat));
    for id in ["SM2", "SM3"] {
        assert!(matches!(accept(&store, text(id, 100_000)).await, Ok(Accepted::Unconfirmed(_))), "{id}");
    }
}

#[tokio::test]
async fn no_success_is_reported_if_the_file_vanishes_before_the_commit() {
    let (folder, store) = open();
    let (go, held) = hold(&store).await;
    std::fs::remove_file(folder.path().join("store.db")).unwrap();
    go.send(()).unwrap();
    assert!(matches!(held.await.unwrap(), Err(StoreError::Gone(_))));
    assert!(matches!(accept(&store, text("SM1", 1)).await, Err(StoreError::Gone(_))));
}
