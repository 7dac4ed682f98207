//! A command started to send before the gateway did, and is still sending when the clock jumps.

use std::time::Duration;

use telephony_domain::delivery::{Receipt, Status};
use telephony_domain::limit::Terms;
use telephony_domain::message::{MessageDraft, MessagePurpose, PartDraft};
use telephony_domain::pace::Pacing;
use telephony_providers::twilio::CARRIER;
use telephony_store::outbox::{PartState, StartedPart};
use telephony_store::sqlite::{Mode, SqliteStore};
use telephony_store::{LeaseHolder, Next, Store};
use twilio_simulator::{Fault, FaultExtent, LogEntry, MessageRecord};

use crate::stage::{ALICE, Plan, SOON, Stage, is_look_for};

const HOUR: Duration = Duration::from_secs(60 * 60);

#[tokio::test]
async fn a_clock_that_jumps_raises_no_doubt_about_a_command_in_flight() {
    let mut stage = Plan { has_public_url: false, ..Plan::default() }.start().await;
    stage.stop_gateway().await;
    let part = start_as_a_command(&stage).await;
    stage.clock.advance(HOUR);
    stage.start_gateway().await;
    expect_in_flight(&stage, &part, 1).await;
    stage.clock.advance(24 * HOUR);
    expect_in_flight(&stage, &part, 2).await;
    stage.clock.set_back(48 * HOUR);
    expect_in_flight(&stage, &part, 3).await;
    let receipt = Receipt { provider_id: "SM1".to_owned(), status: Status::Delivered, segments: None };
    stage.store().part_sent(part.lease, receipt, stage.now()).await.unwrap();
    stage.expect_rest().await;
    assert!(stage.bodies(ALICE).is_empty(), "the gateway sent it as well");
}

/// Starts an attempt as a command does when no gateway is running.
async fn start_as_a_command(stage: &Stage) -> StartedPart {
    let store: Box<dyn Store> =
        Box::new(SqliteStore::open(&stage.state.path().join("telephony.sqlite"), Mode::Gateway).unwrap());
    let line = store.lines().await.unwrap()[0].id;
    let draft = MessageDraft {
        key: "send-1".into(),
        purpose: MessagePurpose::Send,
        to: ALICE.parse().unwrap(),
        text: "news".into(),
        parts: vec![PartDraft { text: "news".into(), segments: 1 }],
        media: Vec::new(),
        turn: None,
    };
    let message = store.enqueue(line, draft, stage.now()).await.unwrap().message;
    let command = LeaseHolder("cli-7".to_owned());
    match store
        .start_parts(&command, Terms::unlimited(Pacing::Unlimited, &CARRIER), Some(message), 1, None, stage.now())
        .await
        .unwrap()
    {
        Next::Taken(mut parts) => parts.remove(0),
        Next::Idle(due) => panic!("no part is due; the next is at {due:?}"),
    }
}

/// Sends a text whose outcome the gateway must look up. By then it has also checked for abandoned attempts.
async fn expect_in_flight(stage: &Stage, part: &StartedPart, round: usize) {
    let phone = format!("+1555000700{round}");
    stage.twilio.misbehave(Fault::ServerError, FaultExtent::Next(1));
    stage.text(&phone, "hello").await;
    let is_looked_up = |log: &[LogEntry]| log.iter().any(|entry| is_look_for(entry, &phone));
    stage.twilio.wait_for_log(is_looked_up, SOON).await.unwrap();
    let progress = stage.store().progress(part.message).await.unwrap();
    assert_eq!(progress.parts[0].state, PartState::Starting, "round {round}");
    // It was not sent, so it is sent again after the second check.
    stage.clock.advance(Duration::from_secs(16));
    let is_sent = |messages: &[MessageRecord]| messages.iter().any(|message| message.to == phone);
    stage.twilio.wait_for(is_sent, SOON).await.unwrap();
}
