use std::time::Duration;

use telephony_domain::message::PartDraft;
use telephony_domain::pairing::{APPROVAL_TEXT, PairingCode};
use telephony_gateway::control::status;
use telephony_store::contacts::Who;

use crate::stage::{ALICE, BOB, Plan, SOON, Stage};

fn approval() -> Vec<PartDraft> {
    vec![PartDraft { text: APPROVAL_TEXT.into(), segments: 1 }]
}

pub async fn code_of(stage: &Stage, phone: &str) -> PairingCode {
    let has_message = |messages: &[twilio_simulator::MessageRecord]| messages.iter().any(|m| m.to == phone);
    stage.twilio.wait_for(has_message, SOON).await.unwrap();
    let text = stage.bodies(phone).remove(0);
    assert!(text.starts_with("OpenClaw: access not configured."), "{text}");
    assert!(text.contains(phone), "{text}");
    text.split_whitespace().last().unwrap().parse().unwrap()
}

pub async fn approve(stage: &Stage, who: Who) {
    let line = stage.store().lines().await.unwrap()[0].id;
    stage.store().approve(who, approval(), Some(line), stage.now()).await.unwrap();
    status::notify(stage.state.path()).await.unwrap();
}

#[tokio::test]
async fn a_stranger_gets_one_code_and_an_answer_after_approval() {
    let stage = Plan { coalesce: Duration::from_millis(100), ..Plan::pairing() }.start().await;
    stage.text(ALICE, "hello?").await;
    let code = code_of(&stage, ALICE).await;
    stage.text(ALICE, "anybody?").await;
    stage.expect_summary(|summary| summary.kept == 2).await;
    assert_eq!(stage.bodies(ALICE).len(), 1, "one code for one request");
    approve(&stage, Who::Code(code)).await;
    let challenge = stage.bodies(ALICE).remove(0);
    stage.expect(ALICE, &[&challenge, APPROVAL_TEXT, "hello?\nanybody?"]).await;
    stage.text(ALICE, "thanks").await;
    stage.expect(ALICE, &[&challenge, APPROVAL_TEXT, "hello?\nanybody?", "thanks"]).await;
}

#[tokio::test]
async fn a_fourth_stranger_is_not_answered_while_three_wait() {
    let stage = Plan::pairing().start().await;
    for n in 1..=4 {
        stage.text(&format!("+1555000800{n}"), "hi").await;
        stage.expect_rest().await;
    }
    let requests = stage.store().pairing_requests(stage.now()).await.unwrap();
    assert_eq!(requests.len(), 3);
    assert!(stage.bodies("+15550008004").is_empty());
    stage.clock.advance(Duration::from_secs(61 * 60));
    stage.text("+15550008004", "hi again").await;
    code_of(&stage, "+15550008004").await;
}

#[tokio::test]
async fn strangers_together_cannot_exceed_the_daily_budget() {
    let plan = Plan { stranger_replies_per_day: Some(1), ..Plan::pairing() };
    let stage = plan.start().await;
    stage.text(ALICE, "hi").await;
    code_of(&stage, ALICE).await;
    stage.text(BOB, "hi").await;
    stage.expect_rest().await;
    assert!(stage.bodies(BOB).is_empty());
    stage.clock.advance(Duration::from_secs(25 * 60 * 60));
    stage.text(BOB, "hi").await;
    code_of(&stage, BOB).await;
}

#[tokio::test]
async fn a_blocked_stranger_gets_no_answer_and_an_approval_ends_the_block() {
    let stage = Plan::pairing().start().await;
    stage.text(ALICE, "hi").await;
    let code = code_of(&stage, ALICE).await;
    let rejected = stage.store().reject(Who::Code(code), true, stage.now()).await.unwrap();
    assert_eq!(rejected.as_str(), ALICE);
    stage.text(ALICE, "please").await;
    stage.expect_rest().await;
    assert_eq!(stage.bodies(ALICE).len(), 1);
    approve(&stage, Who::Number(ALICE.parse().unwrap())).await;
    stage.text(ALICE, "thanks").await;
    let challenge = stage.bodies(ALICE).remove(0);
    stage.expect(ALICE, &[&challenge, APPROVAL_TEXT, "thanks"]).await;
}

#[tokio::test]
async fn a_number_can_be_approved_before_it_ever_wrote() {
    let stage = Plan::pairing().start().await;
    approve(&stage, Who::Number(BOB.parse().unwrap())).await;
    stage.text(BOB, "hello").await;
    stage.expect(BOB, &[APPROVAL_TEXT, "hello"]).await;
}
