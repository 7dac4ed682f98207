//! Twilio or the agent accepts a request and never answers.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;
use twilio_simulator::{Fault, FaultExtent, LogEntry};

use crate::stage::{ALICE, BOB, Plan, SOON, Scripted, Stage, is_look_for};

/// Longer than any test, so that hanging requests never time out.
const FOR_EVER: Option<Duration> = Some(Duration::from_secs(24 * 60 * 60));

/// Ends hanging requests, which would otherwise block the end of the test.
async fn stop(stage: &mut Stage) {
    timeout(SOON, stage.stop_gateway()).await.expect("it stops");
}

#[tokio::test]
async fn forty_hanging_requests_block_no_other_conversation() {
    const HANGING: u32 = 40;
    let mut stage = Plan { answer_within: FOR_EVER, ..Plan::default() }.start().await;
    stage.twilio.misbehave(Fault::HangBeforeAccepting, FaultExtent::Next(HANGING));
    for number in 0..HANGING {
        stage.text(&format!("+155500{:05}", 70_000 + number), "hello").await;
    }
    stage.expect_summary(|summary| summary.sending == u64::from(HANGING)).await;
    stage.text(BOB, "and I?").await;
    stage.expect(BOB, &["and I?"]).await;
    stage.expect_summary(|summary| summary.sending == u64::from(HANGING)).await;
    stop(&mut stage).await;
}

#[tokio::test]
async fn a_stop_does_not_wait_for_requests_and_the_restart_reconciles_them() {
    for (fault, creations) in [(Fault::HangAfterAccepting, 1), (Fault::HangBeforeAccepting, 2)] {
        let mut stage = Plan { has_public_url: false, answer_within: FOR_EVER, ..Plan::default() }.start().await;
        stage.twilio.misbehave(fault, FaultExtent::Next(1));
        stage.text(ALICE, "hello").await;
        stage.expect_summary(|summary| summary.sending == 1).await;
        let is_asked = |log: &[LogEntry]| log.iter().any(|entry| entry.method == "POST");
        stage.twilio.wait_for_log(is_asked, SOON).await.unwrap();
        stop(&mut stage).await;
        stage.start_gateway().await;
        let looks = |log: &[LogEntry]| log.iter().any(|entry| is_look_for(entry, ALICE));
        stage.twilio.wait_for_log(looks, SOON).await.unwrap();
        stage.clock.advance(Duration::from_secs(16));
        stage.expect(ALICE, &["hello"]).await;
        assert_eq!(stage.twilio.creations(), creations);
    }
}

#[tokio::test]
async fn a_stop_does_not_wait_for_the_agent_and_the_restart_answers_the_turn() {
    let gate = Arc::new(Semaphore::new(0));
    let agent = Scripted::repeating().gated(gate.clone());
    let mut stage = Plan::default().with_agent(agent.clone()).start().await;
    stage.text(ALICE, "hello").await;
    stage.expect_summary(|summary| summary.answering == 1).await;
    stop(&mut stage).await;
    gate.add_permits(1);
    stage.start_gateway().await;
    stage.expect(ALICE, &["hello"]).await;
    assert_eq!(agent.questions(), ["hello", "hello"]);
}
