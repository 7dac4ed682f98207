use twilio_simulator::{Fault, FaultExtent, Number, SimulatorConfig};

use crate::stage::{ALICE, Plan, Stage};

const SECOND: &str = "+15550001235";

async fn stage_with_a_second_number() -> Stage {
    let mut plan = Plan::default();
    let numbers = vec![Number::new(twilio_simulator::DEFAULT_NUMBER), Number::new(SECOND)];
    plan.simulator = SimulatorConfig { numbers, ..plan.simulator };
    let stage = plan.start().await;
    stage.twilio.set_sms_url(SECOND, &stage.webhook_url()).unwrap();
    stage
}

#[tokio::test]
async fn another_number_of_the_account_answers_once_confirmed() {
    let stage = stage_with_a_second_number().await;
    stage.twilio.text(ALICE, SECOND, "hello").await.unwrap();
    stage.expect(ALICE, &["hello"]).await;
    let messages = stage.twilio.messages();
    let answer = messages.iter().find(|message| message.is_outbound()).unwrap();
    assert_eq!(answer.from.as_deref(), Some(SECOND));
}

#[tokio::test]
async fn a_text_to_an_unknown_number_waits_while_twilio_is_unreachable() {
    let stage = stage_with_a_second_number().await;
    stage.twilio.misbehave(Fault::ReadsUnavailable, FaultExtent::All);
    stage.twilio.text(ALICE, SECOND, "hello").await.unwrap();
    stage.expect_summary(|summary| summary.unconfirmed == 1).await;
    stage.twilio.behave();
    stage.clock.advance(std::time::Duration::from_secs(61));
    stage.expect(ALICE, &["hello"]).await;
}
