use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use telephony_domain::message::{MessageDraft, MessagePurpose, PartDraft};
use telephony_store::StoreError;

use crate::stage::{ALICE, BOB, Plan, Scripted, Stage};

/// Returns our messages, without Twilio's own answers.
fn ours(stage: &Stage) -> Vec<String> {
    let messages = stage.twilio.messages();
    let ours = messages.iter().filter(|message| message.direction == twilio_simulator::MessageDirection::OutboundApi);
    ours.map(|message| message.body.clone()).collect()
}

pub async fn wait_for_ours(stage: &Stage, expected: &[&str]) {
    let is_there = |messages: &[twilio_simulator::MessageRecord]| {
        messages.iter().filter(|m| m.direction == twilio_simulator::MessageDirection::OutboundApi).count()
            >= expected.len()
    };
    stage.twilio.wait_for(is_there, crate::stage::SOON).await.unwrap();
    stage.expect_rest().await;
    assert_eq!(ours(stage), expected);
}

#[tokio::test]
async fn after_stop_neither_the_agent_nor_the_contact_gets_messages_until_start() {
    let agent = Scripted::repeating();
    let stage = Plan::default().with_agent(agent.clone()).start().await;
    stage.text(ALICE, "hello").await;
    wait_for_ours(&stage, &["hello"]).await;
    stage.text(ALICE, " Stop ").await;
    stage.text(ALICE, "are you there?").await;
    stage.expect_rest().await;
    assert_eq!(ours(&stage), ["hello"]);
    stage.text(ALICE, "START").await;
    stage.text(ALICE, "back again").await;
    wait_for_ours(&stage, &["hello", "back again"]).await;
    assert_eq!(agent.questions(), ["hello", "back again"]);
}

#[tokio::test]
async fn stop_within_a_sentence_is_ordinary_text() {
    let stage = Plan::default().start().await;
    stage.text(ALICE, "STOP 12345").await;
    stage.expect(ALICE, &["STOP 12345"]).await;
}

#[tokio::test]
async fn the_operator_cannot_text_an_opted_out_contact() {
    let stage = Plan::default().start().await;
    stage.text(ALICE, "STOP").await;
    let line = stage.store().lines().await.unwrap()[0].id;
    let draft = MessageDraft {
        key: "send-1".into(),
        purpose: MessagePurpose::Send,
        to: ALICE.parse().unwrap(),
        text: "news".into(),
        parts: vec![PartDraft { text: "news".into(), segments: 1 }],
        media: Vec::new(),
        turn: None,
    };
    assert_eq!(stage.store().enqueue(line, draft, stage.now()).await, Err(StoreError::OptedOut));
    assert_eq!(ours(&stage), [] as [&str; 0]);
}

#[tokio::test]
async fn a_stop_that_cannot_be_stored_is_not_acknowledged() {
    const REFUSES: &str = "CREATE TRIGGER refuses BEFORE INSERT ON inbound WHEN NEW.text = 'STOP' BEGIN
                               SELECT RAISE(ABORT, 'on purpose'); END";
    let stage = Plan::default().start().await;
    let database = rusqlite::Connection::open(stage.state.path().join("telephony.sqlite")).unwrap();
    database.execute_batch(REFUSES).unwrap();
    let delivery = stage.twilio.text(ALICE, stage.bot(), "STOP").await.unwrap();
    assert_eq!(delivery.status, Some(503), "{}", delivery.body);
    stage.text(BOB, "the others go on").await;
    stage.expect(BOB, &["the others go on"]).await;
    let notices = stage.store().notices(stage.now()).await.unwrap();
    assert!(notices.iter().any(|notice| notice.name == "left-out"), "{notices:?}");
    database.execute_batch("DROP TRIGGER refuses").unwrap();
    stage.text(ALICE, "STOP").await;
    assert_eq!(stage.store().opt_outs().await.unwrap().len(), 1);
}

/// A quarter of the webhooks in flight.
const SHARE: usize = 64;

#[tokio::test]
async fn waiting_opt_outs_leave_permits_to_others() {
    let stage = Plan::default().start().await;
    for round in 0..10 {
        stage.expect_rest().await;
        if leaves_permits(&stage, round).await {
            return;
        }
    }
    panic!("one more STOP waits as the others do");
}

/// Returns true if a STOP beyond the quota is rejected before the others are answered, which takes 5 s.
async fn leaves_permits(stage: &Stage, round: usize) -> bool {
    let database = rusqlite::Connection::open(stage.state.path().join("telephony.sqlite")).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    let answered = AtomicUsize::new(0);
    let stop = async |number: usize| {
        let phone = format!("+155500{round:02}{number:04}");
        let delivery = stage.twilio.text(&phone, stage.bot(), "STOP").await.unwrap();
        answered.fetch_add(1, Ordering::Relaxed);
        delivery.status
    };
    let beside = async {
        while stage.journal().next().await.unwrap().entries.len() < SHARE {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        let one_more = stop(SHARE).await;
        let is_refused_first = answered.load(Ordering::Relaxed) == 1 && one_more == Some(503);
        let text = stage.twilio.text(ALICE, stage.bot(), "hello").await.unwrap();
        assert_eq!(text.status, Some(200), "the others go on");
        database.execute_batch("ROLLBACK").unwrap();
        is_refused_first
    };
    tokio::join!(join_all((0..SHARE).map(&stop)), beside).1
}
