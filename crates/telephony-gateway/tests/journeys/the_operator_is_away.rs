use std::time::Duration;

use telephony_agents::AgentError;
use telephony_domain::limit::{Limits, Terms};
use telephony_domain::notice::Notice;
use telephony_domain::pace::Pacing;
use telephony_domain::pairing::APPROVAL_TEXT;
use telephony_domain::retry::PARK_AFTER;
use telephony_providers::twilio::CARRIER;
use twilio_simulator::MessageRecord;

use crate::stage::{ALICE, BOB, Plan, SOON, Scripted, Stage};

const OPERATOR: &str = "+15550004444";

fn pairing() -> Plan {
    Plan { operator: Some(OPERATOR), ..Plan::pairing() }
}

/// Waits until the operator got a text that contains `words`, and returns it.
async fn expect_sms(stage: &Stage, words: &str) -> String {
    let is_it = |message: &MessageRecord| message.to == OPERATOR && message.body.contains(words);
    let waited = stage.twilio.wait_for(|messages| messages.iter().any(is_it), SOON).await;
    assert!(waited.is_ok(), "the operator got only {:?}", stage.bodies(OPERATOR));
    stage.bodies(OPERATOR).into_iter().find(|body| body.contains(words)).unwrap()
}

async fn notices(stage: &Stage) -> Vec<String> {
    stage.store().notices(stage.now()).await.unwrap().into_iter().map(|notice| notice.name).collect()
}

#[tokio::test]
async fn a_stranger_is_approved_from_the_operators_phone() {
    let stage = pairing().start().await;
    stage.text(ALICE, "hello?").await;
    let notice = expect_sms(&stage, ALICE).await;
    let order = notice.split_once(": ").unwrap().1.split_once(',').unwrap().0.to_owned();
    assert!(order.starts_with("APPROVE "), "{notice}");
    stage.text(OPERATOR, &order).await;
    expect_sms(&stage, &format!("Approved {ALICE}")).await;
    let code = stage.bodies(ALICE).remove(0);
    stage.expect(ALICE, &[&code, APPROVAL_TEXT, "hello?"]).await;
    assert!(notices(&stage).await.is_empty());
    stage.expect_rest().await;
    assert_eq!(stage.bodies(OPERATOR).len(), 2, "{:?}", stage.bodies(OPERATOR));
}

#[tokio::test]
async fn a_stranger_is_blocked_from_the_operators_phone() {
    let stage = pairing().start().await;
    stage.text(ALICE, "hello?").await;
    expect_sms(&stage, ALICE).await;
    stage.text(OPERATOR, &format!("reject {ALICE} block")).await;
    expect_sms(&stage, "Blocked").await;
    stage.text(ALICE, "please").await;
    stage.expect_rest().await;
    assert_eq!(stage.bodies(ALICE).len(), 1);
}

#[tokio::test]
async fn notices_about_three_strangers_are_batched_into_two_sms() {
    let stage = pairing().start().await;
    stage.text("+15550008001", "hi").await;
    expect_sms(&stage, "+15550008001").await;
    stage.text("+15550008002", "hi").await;
    stage.text("+15550008003", "hi").await;
    stage.expect_summary(|summary| summary.pairing_requests == 3).await;
    stage.expect_rest().await;
    assert_eq!(stage.bodies(OPERATOR).len(), 1);
    stage.clock.advance(Duration::from_secs(61));
    let both = expect_sms(&stage, "+15550008003").await;
    assert!(both.contains("+15550008002"), "{both}");
    assert_eq!(stage.bodies(OPERATOR).len(), 2);
}

#[tokio::test]
async fn a_crash_between_command_and_reply_loses_neither() {
    let mut stage = pairing().start().await;
    stage.text(ALICE, "hello?").await;
    let notice = expect_sms(&stage, ALICE).await;
    let order = notice.split_once(": ").unwrap().1.split_once(',').unwrap().0.to_owned();
    stage.text(OPERATOR, &order).await;
    stage.cut_off_gateway();
    stage.start_gateway().await;
    expect_sms(&stage, "Approved").await;
    stage.expect_rest().await;
    let answers = stage.bodies(OPERATOR).into_iter().filter(|body| body.starts_with("Approved")).count();
    assert_eq!(answers, 1);
    let approvals = stage.bodies(ALICE).into_iter().filter(|body| body == APPROVAL_TEXT).count();
    assert_eq!(approvals, 1);
}

#[tokio::test]
async fn ordinary_operator_texts_and_commands_of_others_go_to_the_agent() {
    let stage = Plan { operator: Some(OPERATOR), ..Plan::default() }.start().await;
    stage.text(OPERATOR, "approve the plans").await;
    stage.expect(OPERATOR, &["approve the plans"]).await;
    stage.text(BOB, "STATUS").await;
    stage.expect(BOB, &["STATUS"]).await;
    stage.text(OPERATOR, "APPROVE ABC123").await;
    assert!(expect_sms(&stage, "Commands:").await.contains("APPROVE"));
    stage.text(OPERATOR, "status").await;
    assert!(expect_sms(&stage, "Running.").await.contains("received"));
}

#[tokio::test]
async fn the_operator_gets_a_notice_beyond_the_daily_limit() {
    let limits = Limits { segments_per_day: Some(1), segments_per_contact_per_day: Some(1), ..Limits::default() };
    let terms = Terms { limits, ..Terms::unlimited(Pacing::Unlimited, &CARRIER) };
    let stage = Plan { operator: Some(OPERATOR), terms, ..Plan::default() }.start().await;
    stage.text(ALICE, "one").await;
    stage.expect(ALICE, &["one"]).await;
    stage.text(OPERATOR, "hello").await;
    expect_sms(&stage, "limits.segmentsPerDay is reached").await;
    stage.text(OPERATOR, "STATUS").await;
    assert!(expect_sms(&stage, "Running.").await.contains("segmentsPerDay"));
}

#[tokio::test]
async fn commands_work_while_the_agent_is_unavailable() {
    let agent = Scripted::new(|turn| match turn.text().as_str() {
        "hello" => Err(AgentError::Unavailable("it is away".into())),
        text => Ok(text.to_owned()),
    });
    let stage = Plan { operator: Some(OPERATOR), ..Plan::default() }.with_agent(agent).start().await;
    stage.text(OPERATOR, "hello").await;
    stage.expect_summary(|summary| summary.retrying == 1).await;
    stage.text(OPERATOR, "STATUS").await;
    expect_sms(&stage, "1 not answerable").await;
    stage.clock.advance(PARK_AFTER);
    expect_sms(&stage, "No reply to").await;
    stage.text(BOB, "fine").await;
    stage.expect(BOB, &["fine"]).await;
    assert!(notices(&stage).await.is_empty());
}

#[tokio::test]
async fn a_notice_sent_before_a_crash_is_not_repeated() {
    let mut stage = Plan { operator: Some(OPERATOR), ..Plan::default() }.start().await;
    let down = Notice::TunnelDown { tunnel: "ngrok".to_owned(), problem: "it broke".to_owned() };
    stage.store().raise_notice(down, stage.now()).await.unwrap();
    expect_sms(&stage, "The tunnel ngrok").await;
    stage.cut_off_gateway();
    stage.start_gateway().await;
    stage.clock.advance(Duration::from_secs(3600));
    stage.store().raise_notice(Notice::WrongPins, stage.now()).await.unwrap();
    stage.expect(OPERATOR, &["The tunnel ngrok is not open: it broke", &Notice::WrongPins.text("Twilio")]).await;
}
