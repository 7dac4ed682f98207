use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use twilio_simulator::{Fault, FaultExtent};

use crate::stage::{ALICE, Plan, Scripted, is_look_for};

#[tokio::test]
async fn a_crash_during_the_agents_answer_leads_to_one_answer() {
    let gate = Arc::new(Semaphore::new(0));
    let agent = Scripted::repeating().gated(gate.clone());
    let mut stage = Plan::default().with_agent(agent).start().await;
    stage.text(ALICE, "hello").await;
    stage.expect_summary(|summary| summary.answering == 1).await;
    stage.cut_off_gateway();
    gate.add_permits(2);
    stage.start_gateway().await;
    stage.expect(ALICE, &["hello"]).await;
}

#[tokio::test]
async fn a_crash_after_twilio_accepted_the_message_sends_it_once() {
    let mut stage = Plan::default().start().await;
    stage.twilio.misbehave(Fault::HangAfterAccepting, FaultExtent::Next(1));
    stage.twilio.misbehave(Fault::LoseCallback, FaultExtent::All);
    stage.text(ALICE, "hello").await;
    stage.twilio.wait_for(|messages| messages.iter().any(|m| m.is_outbound()), crate::stage::SOON).await.unwrap();
    stage.cut_off_gateway();
    stage.start_gateway().await;
    stage.expect_rest().await;
    assert_eq!(stage.bodies(ALICE), ["hello"]);
    assert_eq!(stage.twilio.creations(), 1);
}

#[tokio::test]
async fn a_crash_before_twilio_accepted_the_message_sends_it_after_two_lists() {
    let mut stage = Plan::default().start().await;
    stage.twilio.misbehave(Fault::HangBeforeAccepting, FaultExtent::Next(1));
    stage.text(ALICE, "hello").await;
    stage
        .twilio
        .wait_for_log(|log| log.iter().any(|entry| entry.target.ends_with("/Messages.json")), crate::stage::SOON)
        .await
        .unwrap();
    stage.cut_off_gateway();
    stage.start_gateway().await;
    let looks = |log: &[twilio_simulator::LogEntry]| log.iter().filter(|entry| is_look_for(entry, ALICE)).count();
    stage.twilio.wait_for_log(|log| looks(log) == 1, crate::stage::SOON).await.unwrap();
    assert_eq!(stage.twilio.creations(), 1, "one look is not enough to send again");
    stage.clock.advance(Duration::from_secs(16));
    stage.expect(ALICE, &["hello"]).await;
    assert_eq!(stage.twilio.creations(), 2);
}
