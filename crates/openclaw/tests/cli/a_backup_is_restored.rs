//! Backups are made while a gateway runs; a restored store reads Twilio's lists before it sends anything.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use twilio_simulator::{Fault, FaultExtent};

use crate::bench::{ALICE, BOB, Bench};

const DAVE: &str = "+15550005680";

fn backup(bench: &Bench) -> PathBuf {
    bench.state().join("the.backup")
}

async fn back_up(bench: &Bench) -> PathBuf {
    let file = backup(bench);
    let printed = bench.done(&["telephony", "backup", file.to_str().unwrap()]).await;
    assert_eq!(printed, format!("{}\n", file.display()));
    file
}

async fn open_bench() -> Bench {
    let bench = Bench::new().await;
    bench.configure("inboundPolicy: 'open', agent: { kind: 'echo' },");
    bench
}

#[tokio::test]
async fn a_restore_duplicates_nothing_and_honors_a_later_stop() {
    let mut bench = open_bench().await;
    bench.start_gateway().await;
    bench.twilio.misbehave(Fault::TooManyRequests, FaultExtent::All);
    bench.text(BOB, "one").await;
    bench.wait_for(|status| status["outbox"]["queued"] == 1 && status["outbox"]["sending"] == 0).await;
    let file = back_up(&bench).await;
    bench.twilio.behave();
    assert_eq!(bench.texts(BOB, 1).await, ["one"], "sent after the backup");
    bench.text(ALICE, "two").await;
    assert_eq!(bench.texts(ALICE, 1).await, ["two"], "answered after the backup");
    bench.text(BOB, "STOP").await;
    assert_eq!(bench.stop_gateway().await, 0);
    // The answer, and Twilio's own reply to STOP.
    let to_bob = |bench: &Bench| bench.twilio.messages().iter().filter(|message| message.to == BOB).count();
    let known_to_bob = to_bob(&bench);
    assert_eq!(known_to_bob, 2);
    let missed = bench.twilio.text(DAVE, bench.twilio.number(), "anybody there?").await.unwrap();
    assert_ne!(missed.status, Some(200));

    bench.done(&["telephony", "restore", "--replace", file.to_str().unwrap()]).await;
    assert!(!bench.done(&["telephony", "optouts"]).await.contains(BOB), "the backup does not know it");
    let kept = bench.run(&["telephony", "send", ALICE, "three"]).await;
    assert!(kept.code == 1 && kept.stderr.contains("a backup was restored"), "{kept:?}");

    bench.start_gateway().await;
    assert_eq!(bench.texts(DAVE, 1).await, ["anybody there?"]);
    assert_eq!(bench.texts(ALICE, 2).await, ["two", "three"]);
    assert!(bench.done(&["telephony", "optouts"]).await.contains(BOB));
    let refused = bench.run(&["telephony", "send", BOB, "hello?"]).await;
    assert!(refused.code == 1 && refused.stderr.contains("opted out"), "{refused:?}");
    bench.wait_for(|status| status["outbox"]["queued"] == 0 && status["outbox"]["unknown"] == 0).await;
    assert_eq!(to_bob(&bench), known_to_bob, "nothing more");
}

#[tokio::test]
async fn a_backup_is_complete_private_and_never_overwritten() {
    let mut bench = open_bench().await;
    let none = bench.run(&["telephony", "backup", backup(&bench).to_str().unwrap()]).await;
    assert!(none.code == 1 && none.stderr.contains("there is no message store yet"), "{none:?}");
    bench.start_gateway().await;
    bench.text(ALICE, "one").await;
    bench.texts(ALICE, 1).await;
    let file = back_up(&bench).await;
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let beside = |ending: &str| file.with_file_name(format!("the.backup{ending}")).exists();
    assert!(![".part", ".part-wal", ".part-shm", "-wal", "-shm"].into_iter().any(beside));
    let again = bench.run(&["telephony", "backup", file.to_str().unwrap()]).await;
    assert!(again.code == 1 && again.stderr.contains("--replace"), "{again:?}");
    bench.done(&["telephony", "backup", "--replace", file.to_str().unwrap()]).await;
}

#[tokio::test]
async fn a_restore_requires_a_stopped_gateway_and_keeps_the_old_store() {
    let mut bench = open_bench().await;
    bench.start_gateway().await;
    bench.text(ALICE, "one").await;
    bench.texts(ALICE, 1).await;
    let file = back_up(&bench).await;
    let restore = ["telephony", "restore", "--replace", file.to_str().unwrap()];
    let running = bench.run(&restore).await;
    assert!(running.code == 1 && running.stderr.contains("stop the gateway"), "{running:?}");
    bench.text(ALICE, "two").await;
    bench.texts(ALICE, 2).await;
    assert_eq!(bench.stop_gateway().await, 0);
    let there = bench.run(&["telephony", "restore", file.to_str().unwrap()]).await;
    assert!(there.code == 1 && there.stderr.contains("--replace"), "{there:?}");
    let garbage = bench.state().join("garbage");
    std::fs::write(&garbage, "no store").unwrap();
    let refused = bench.run(&["telephony", "restore", "--replace", garbage.to_str().unwrap()]).await;
    assert!(refused.code == 1 && refused.stderr.contains("nothing was changed"), "{refused:?}");
    let count = async |bench: &Bench| bench.json(&["telephony", "messages", "--json"]).await.as_array().unwrap().len();
    assert_eq!(count(&bench).await, 4);

    bench.done(&restore).await;
    assert_eq!(count(&bench).await, 2);
    let kept = std::fs::read_dir(bench.state().join("telephony")).unwrap().map(|entry| entry.unwrap().path());
    let kept: Vec<_> = kept.filter(|path| path.to_str().unwrap().contains(".before-restore-")).collect();
    let database = kept.iter().find(|path| path.extension().is_some_and(|ending| ending != "shm")).unwrap();
    bench.done(&["telephony", "restore", "--replace", database.to_str().unwrap()]).await;
    assert_eq!(count(&bench).await, 4, "{kept:?}");
}

/// Returns the store's file, or one that SQLite has beside it.
fn store(bench: &Bench, ending: &str) -> PathBuf {
    bench.state().join(format!("telephony/telephony.sqlite{ending}"))
}

#[tokio::test]
async fn a_log_left_by_a_lost_store_is_not_applied_to_the_backup() {
    let mut bench = open_bench().await;
    bench.start_gateway().await;
    bench.text(ALICE, "one").await;
    bench.texts(ALICE, 1).await;
    let file = back_up(&bench).await;
    let log = std::fs::read(store(&bench, "-wal")).unwrap();
    assert!(!log.is_empty());
    assert_eq!(bench.stop_gateway().await, 0);
    std::fs::remove_file(store(&bench, "")).unwrap();
    std::fs::write(store(&bench, "-wal"), log).unwrap();
    bench.done(&["telephony", "restore", file.to_str().unwrap()]).await;
    let kept = bench.run(&["telephony", "send", ALICE, "two"]).await;
    assert!(kept.code == 1 && kept.stderr.contains("a backup was restored"), "{kept:?}");
}

#[tokio::test]
async fn the_kept_store_of_a_killed_gateway_is_one_file() {
    let mut bench = open_bench().await;
    bench.start_gateway().await;
    bench.text(ALICE, "one").await;
    bench.texts(ALICE, 1).await;
    let file = back_up(&bench).await;
    bench.signal("-KILL");
    bench.wait_for_end().await;
    assert!(std::fs::metadata(store(&bench, "-wal")).unwrap().len() > 0);
    bench.done(&["telephony", "restore", "--replace", file.to_str().unwrap()]).await;
    let files = std::fs::read_dir(bench.state().join("telephony")).unwrap().map(|entry| entry.unwrap().path());
    let kept: Vec<_> = files.filter(|path| path.to_str().unwrap().contains(".before-restore-")).collect();
    assert!(kept.len() == 1 && !kept[0].to_str().unwrap().ends_with("-wal"), "{kept:?}");
}

#[tokio::test]
async fn a_copied_store_is_restored_with_the_log_beside_it() {
    let mut bench = open_bench().await;
    bench.start_gateway().await;
    bench.text(ALICE, "one").await;
    bench.texts(ALICE, 1).await;
    bench.signal("-KILL");
    bench.wait_for_end().await;
    for ending in ["", "-wal"] {
        std::fs::copy(store(&bench, ending), bench.state().join(format!("copy{ending}"))).unwrap();
    }
    let copy = bench.state().join("copy");
    bench.done(&["telephony", "restore", "--replace", copy.to_str().unwrap()]).await;
    let messages = bench.json(&["telephony", "messages", "--json"]).await;
    assert_eq!(messages.as_array().unwrap().len(), 2, "{messages}");
}

#[tokio::test]
async fn a_reply_by_twilio_itself_is_not_taken_for_an_answer() {
    let mut bench = open_bench().await;
    bench.start_gateway().await;
    let file = back_up(&bench).await;
    assert_eq!(bench.stop_gateway().await, 0);
    for text in ["anybody there?", "HELP"] {
        bench.twilio.text(BOB, bench.twilio.number(), text).await.unwrap();
    }
    bench.done(&["telephony", "restore", "--replace", file.to_str().unwrap()]).await;
    bench.start_gateway().await;
    let texts = bench.texts(BOB, 2).await;
    assert!(texts.iter().any(|text| text == "anybody there?"), "{texts:?}");
}
