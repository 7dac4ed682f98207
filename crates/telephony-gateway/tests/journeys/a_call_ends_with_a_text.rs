use std::sync::Arc;

use telephony_agents::{AgentError, Turn};
use telephony_domain::call::Prompt;
use telephony_domain::call::afterwards::SummaryRecipient;
use tokio::sync::Semaphore;
use twilio_simulator::CallRecord;

use crate::stage::phone::{FILLER, is_over, plan};
use crate::stage::{ALICE, BOB, Plan, SOON, Scripted};

/// The number of the operator's phone.
const OPERATOR: &str = "+15550001111";

#[tokio::test]
async fn the_answer_is_texted_when_the_caller_hangs_up_while_the_agent_works() {
    let gate = Arc::new(Semaphore::new(0));
    let stage = plan().with_agent(Scripted::repeating().gated(gate.clone())).start().await;
    let sid = stage.rings().await;
    stage.says(&sid, "Think hard.").await;
    stage.hears(&sid, FILLER).await;
    stage.twilio.hang_up(&sid).unwrap();
    stage.expect_stored(&sid, is_over).await;
    gate.add_permits(1);
    stage.expect(ALICE, &["Think hard."]).await;
}

#[tokio::test]
async fn an_answer_that_a_finished_call_owes_comes_after_a_restart() {
    let gate = Arc::new(Semaphore::new(0));
    let mut stage = plan().with_agent(Scripted::repeating().gated(gate.clone())).start().await;
    let sid = stage.rings().await;
    stage.says(&sid, "Think hard.").await;
    stage.hears(&sid, FILLER).await;
    stage.twilio.hang_up(&sid).unwrap();
    stage.expect_stored(&sid, is_over).await;
    stage.cut_off_gateway();
    gate.add_permits(10);
    stage.start_gateway().await;
    stage.expect(ALICE, &["Think hard."]).await;
}

#[tokio::test]
async fn a_summary_is_texted_to_whom_the_operator_wants() {
    for (summary, phone) in [(SummaryRecipient::Contact, ALICE), (SummaryRecipient::Operator, OPERATOR)] {
        let agent = Scripted::new(|turn: &Turn| {
            let is_summary = turn.text().contains("Summarize");
            Ok::<_, AgentError>(if is_summary { "They asked for the time." } else { "It is noon." }.to_owned())
        });
        let plan = Plan { summary: Some(summary), operator: Some(OPERATOR), ..plan() };
        let stage = plan.with_agent(agent).start().await;
        let sid = stage.rings().await;
        stage.says(&sid, "What time is it?").await;
        stage.hears(&sid, "It is noon.").await;
        stage.twilio.hang_up(&sid).unwrap();
        stage.expect(phone, &["They asked for the time."]).await;
        let call = stage.expect_stored(&sid, |call| call.turns.len() == 2).await;
        assert_eq!((call.turns[1].prompt.clone(), call.entry.turns), (Prompt::Summarize, 1));
    }
}

#[tokio::test]
async fn a_caller_who_says_nothing_or_finds_the_line_busy_gets_a_text() {
    let plan = Plan { missed_call_text: Some("Sorry, I missed you."), max_sessions: 1, ..plan() };
    let stage = plan.start().await;
    let first = stage.rings().await;
    let delivery = stage.twilio.call(BOB, stage.bot()).await.unwrap();
    assert!(delivery.body.contains("<Reject reason=\"busy\"/>"), "{}", delivery.body);
    stage.expect(BOB, &["Sorry, I missed you."]).await;
    stage.twilio.hang_up(&first).unwrap();
    stage.expect(ALICE, &["Sorry, I missed you."]).await;
}

#[tokio::test]
async fn a_caller_while_the_gateway_is_down_is_listed_and_gets_a_text_once() {
    let plan = Plan { missed_call_text: Some("Sorry, I missed you."), ..plan() };
    let mut stage = plan.start().await;
    stage.text(BOB, "hello").await;
    stage.expect(BOB, &["hello"]).await;
    stage.stop_gateway().await;
    let delivery = stage.twilio.call(ALICE, stage.bot()).await.unwrap();
    assert_ne!(delivery.status, Some(200));
    let is_over = |calls: &[CallRecord]| calls.iter().all(|call| call.status.is_final());
    stage.twilio.wait_for_calls(is_over, SOON).await.unwrap();
    stage.start_gateway().await;
    stage.expect(ALICE, &["Sorry, I missed you."]).await;
    stage.stop_gateway().await;
    stage.start_gateway().await;
    stage.text(BOB, "again").await;
    stage.expect(BOB, &["hello", "again"]).await;
    assert_eq!(stage.bodies(ALICE), ["Sorry, I missed you."]);
    let calls = stage.store().calls(None, 10).await.unwrap();
    assert_eq!(calls.iter().map(|call| (call.contact.as_str(), call.is_missed)).collect::<Vec<_>>(), [(ALICE, true)]);
}
