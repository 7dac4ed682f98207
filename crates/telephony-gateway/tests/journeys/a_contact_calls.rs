use std::sync::Arc;
use std::time::Duration;

use telephony_store::calls::{CALL_LEASE, CallTurnOutcome};
use tokio::sync::Semaphore;
use twilio_simulator::{Fault, FaultExtent, SimulatedCallStatus, SimulatorConfig};

use crate::stage::phone::{FILLER, GREETING, is_over, plan, transcript, words_of};
use crate::stage::raw_call::{RawCall, said, token};
use crate::stage::{ALICE, BOB, Plan, Scripted};

#[tokio::test]
async fn the_agent_answers_turn_by_turn_and_the_transcript_is_kept() {
    let mut agent = Scripted::repeating();
    agent.history_turns = 10;
    let stage = plan().with_agent(agent.clone()).start().await;
    stage.text(ALICE, "a text").await;
    stage.expect(ALICE, &["a text"]).await;
    let sid = stage.rings().await;
    stage.says(&sid, "What time is it?").await;
    stage.hears(&sid, "What time is it?").await;
    stage.says(&sid, "Thank you.").await;
    stage.hears(&sid, "Thank you.").await;
    stage.twilio.hang_up(&sid).unwrap();
    let call = stage.expect_stored(&sid, is_over).await;
    let said: Vec<_> = call.turns.iter().map(|turn| (words_of(turn), turn.outcome)).collect();
    assert_eq!(
        said,
        [("What time is it?", Some(CallTurnOutcome::Answered)), ("Thank you.", Some(CallTurnOutcome::Answered))]
    );
    let heard = transcript(&stage.at_twilio(&sid));
    assert_eq!(heard.iter().filter(|line| **line == format!("< {GREETING}")).count(), 1, "{heard:?}");
    let conversation = agent.histories.lock().unwrap().last().unwrap().clone();
    assert_eq!(conversation, ["a text", "a text", "What time is it?", "What time is it?"]);
    assert!(stage.twilio.alerts().is_empty(), "{:?}", stage.twilio.alerts());
}

#[tokio::test]
async fn a_slow_answer_is_announced_and_spoken_once() {
    let gate = Arc::new(Semaphore::new(0));
    let stage = plan().with_agent(Scripted::repeating().gated(gate.clone())).start().await;
    let sid = stage.rings().await;
    stage.says(&sid, "Think hard.").await;
    stage.hears(&sid, FILLER).await;
    gate.add_permits(1);
    let call = stage.hears(&sid, "Think hard.").await;
    let answers = transcript(&call).into_iter().filter(|line| line == "< Think hard.").count();
    assert_eq!(answers, 1);
}

#[tokio::test]
async fn a_call_is_taken_over_after_a_crash_and_its_answer_is_not_lost() {
    let gate = Arc::new(Semaphore::new(0));
    let mut stage = plan().with_agent(Scripted::repeating().gated(gate.clone())).start().await;
    let sid = stage.rings().await;
    stage.says(&sid, "Think hard.").await;
    stage.expect_stored(&sid, |call| call.turns.len() == 1).await;
    stage.cut_off_gateway();
    stage.expect_call(&sid, |call| call.status.is_final()).await;
    gate.add_permits(10);
    stage.start_gateway().await;
    stage.expect_stored(&sid, |call| is_over(call) && call.turns[0].outcome == Some(CallTurnOutcome::Texted)).await;
    stage.expect(ALICE, &["Think hard."]).await;
}

/// A second of a call takes longer than a test: Twilio does not end calls by itself.
fn slow_twilio() -> SimulatorConfig {
    SimulatorConfig { step_delay: Duration::ZERO, call_second: Duration::from_secs(60), ..SimulatorConfig::default() }
}

#[tokio::test]
async fn a_request_that_waits_for_the_agent_is_answered_when_the_gateway_stops() {
    let gate = Arc::new(Semaphore::new(0));
    let plan = Plan { simulator: slow_twilio(), filler_after: Duration::from_secs(9), ..plan() };
    let mut stage = plan.with_agent(Scripted::repeating().gated(gate.clone())).start().await;
    let first = stage.twilio.call(ALICE, stage.bot()).await.unwrap().body;
    let sid = stage.twilio.calls().last().unwrap().sid.clone();
    let call = RawCall { stage: &stage, sid: sid.clone() };
    let waiting = tokio::spawn(call.saying(token(&first), "Are you there?").send());
    stage.expect_stored(&sid, |call| call.turns.len() == 1).await;
    stage.stop_gateway().await;
    let document = waiting.await.unwrap().unwrap().text().await.unwrap();
    assert_eq!((said(&document).as_str(), document.contains("<Redirect")), ("", true), "{document}");
    gate.add_permits(10);
    stage.start_gateway().await;
    let call = RawCall { stage: &stage, sid };
    let answer = call.request(Some(token(&document)), &[("CallStatus", "in-progress")]).await;
    assert_eq!(said(&answer), "Are you there?");
}

#[tokio::test]
async fn a_call_is_served_while_a_stopping_gateway_finishes_a_text() {
    let gate = Arc::new(Semaphore::new(0));
    let plan = Plan { simulator: slow_twilio(), ..plan() };
    let mut stage = plan.with_agent(Scripted::repeating().gated(gate.clone())).start().await;
    let (call, first) = RawCall::place(&stage, 1).await;
    let request = call.saying(token(&first), "Are you there?");
    stage.text(BOB, "a text").await;
    stage.expect_summary(|summary| summary.answering == 1).await;
    let speak = async {
        let answer = request.send().await;
        gate.add_permits(10);
        answer
    };
    let ((), answer) = tokio::join!(stage.stop_gateway(), speak);
    let document = answer.unwrap().text().await.unwrap();
    assert_eq!((said(&document).as_str(), document.contains("<Redirect")), ("", true), "{document}");
    stage.start_gateway().await;
    stage.expect(BOB, &["a text"]).await;
}

#[tokio::test]
async fn an_open_call_goes_on_when_calls_are_turned_off_at_a_restart() {
    let mut stage = Plan { simulator: slow_twilio(), ..plan() }.start().await;
    let first = stage.twilio.call(ALICE, stage.bot()).await.unwrap().body;
    let sid = stage.twilio.calls().last().unwrap().sid.clone();
    stage.stop_gateway().await;
    stage.plan.takes_calls = false;
    stage.start_gateway().await;
    let call = RawCall { stage: &stage, sid: sid.clone() };
    let answer = call.says(token(&first), "One last thing.").await;
    assert_eq!(said(&answer), "One last thing.");
    assert!(answer.contains("<Gather"), "{answer}");
    assert_eq!(call.words().await, ["One last thing."]);
    let new = stage.twilio.call(BOB, stage.bot()).await.unwrap();
    assert!(new.body.contains("cannot take calls yet"), "{}", new.body);
}

#[tokio::test]
async fn a_call_is_ended_at_its_deadline_whatever_twilio_does() {
    let stage = Plan { simulator: slow_twilio(), ..plan() }.start().await;
    let sid = stage.rings().await;
    stage.hears(&sid, GREETING).await;
    stage.expect_call(&sid, |call| call.time_limit == Duration::from_secs(300)).await;
    stage.clock.advance(Duration::from_secs(301));
    let call = stage.expect_call(&sid, |call| call.status.is_final()).await;
    assert_eq!(call.status, SimulatedCallStatus::Completed);
    stage.expect_stored(&sid, is_over).await;
}

#[tokio::test]
async fn a_call_whose_end_is_not_reported_frees_its_session() {
    let stage = Plan { max_sessions: 1, ..plan() }.start().await;
    let sid = stage.rings().await;
    stage.hears(&sid, GREETING).await;
    stage.twilio.misbehave(Fault::LoseCallback, FaultExtent::All);
    stage.twilio.hang_up(&sid).unwrap();
    let busy = stage.twilio.call(BOB, stage.bot()).await.unwrap();
    assert!(busy.body.contains("<Reject reason=\"busy\"/>"), "{}", busy.body);
    stage.clock.advance(CALL_LEASE + Duration::from_secs(1));
    stage.expect_stored(&sid, is_over).await;
    let next = stage.twilio.call(BOB, stage.bot()).await.unwrap();
    assert!(next.body.contains(GREETING), "{}", next.body);
}

#[tokio::test]
async fn a_live_call_without_reports_goes_on() {
    let stage = plan().start().await;
    let sid = stage.rings().await;
    stage.hears(&sid, GREETING).await;
    // The caller listens for four minutes, and Twilio reports nothing.
    for _ in 0..8 {
        stage.clock.advance(Duration::from_secs(30));
        stage.expect_stored(&sid, |call| !is_over(call)).await;
    }
    stage.says(&sid, "Still here.").await;
    stage.hears(&sid, "Still here.").await;
    assert!(!stage.at_twilio(&sid).status.is_final());
}

#[tokio::test]
async fn a_caller_hears_an_apology_when_all_permits_are_taken() {
    let stage = Plan { webhooks_in_flight: 0, ..plan() }.start().await;
    let delivery = stage.twilio.call(ALICE, stage.bot()).await.unwrap();
    assert_eq!(delivery.status, Some(200));
    assert!(delivery.body.contains("something went wrong") && delivery.body.contains("<Hangup/>"), "{}", delivery.body);
    assert!(stage.store().calls(None, 1).await.unwrap().is_empty());
    let text = stage.twilio.text(ALICE, stage.bot(), "hello").await.unwrap();
    assert_eq!(text.status, Some(503));
}

#[tokio::test]
async fn a_caller_hears_an_apology_when_the_call_cannot_be_stored() {
    const REFUSES: &str = "CREATE TRIGGER refuses BEFORE INSERT ON call BEGIN SELECT RAISE(ABORT, 'on purpose'); END";
    let stage = plan().start().await;
    let database = rusqlite::Connection::open(stage.state.path().join("telephony.sqlite")).unwrap();
    database.execute_batch(REFUSES).unwrap();
    let delivery = stage.twilio.call(ALICE, stage.bot()).await.unwrap();
    assert_eq!(delivery.status, Some(200));
    assert!(delivery.body.contains("something went wrong") && delivery.body.contains("<Hangup/>"), "{}", delivery.body);
}
