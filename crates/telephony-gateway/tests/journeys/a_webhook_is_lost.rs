use std::sync::Arc;
use std::time::Duration;

use telephony_domain::message::Arrival;
use telephony_store::inbox::Accepted;
use twilio_simulator::{Extent, Fault, LogEntry, Number, Service, Text};

use crate::stage::{ALICE, BOB, Plan, SOON, Scripted, is_look_for};

#[tokio::test]
async fn because_nobody_listened_and_the_text_is_answered_at_the_next_start() {
    let agent = Scripted::repeating();
    let mut stage =
        Plan { coalesce: Duration::from_millis(1), ..Plan::default() }.with_agent(agent.clone()).start().await;
    stage.text(ALICE, "before").await;
    stage.expect(ALICE, &["before"]).await;
    stage.stop_gateway().await;
    let lost = stage.twilio.text(ALICE, stage.bot(), "hello").await.unwrap();
    assert_eq!(lost.status, None);
    stage.twilio.text(BOB, stage.bot(), "anybody there?").await.unwrap();
    stage.start_gateway().await;
    stage.expect(ALICE, &["before", "hello"]).await;
    stage.expect(BOB, &["anybody there?"]).await;
    let late = Arrival {
        provider_id: lost.sid,
        from: ALICE.to_owned(),
        to: stage.bot().to_owned(),
        messaging_service: None,
        text: "hello".to_owned(),
        media: Vec::new(),
        also_to: Vec::new(),
        opt_out_type: None,
    };
    let accepted = stage.store().accept(late, Arc::default(), stage.now()).await.unwrap();
    assert_eq!(accepted, Accepted::Repeat, "a late webhook changes nothing");
    assert_eq!(stage.expect_rest().await.received_today, 3);
    assert_eq!(agent.questions().len(), 3);
}

#[tokio::test]
async fn with_a_picture_that_the_agent_gets_all_the_same() {
    let agent = Scripted::new(|turn| Ok(format!("{} picture(s)", turn.said[0].media.len())));
    let mut stage = Plan::default().with_agent(agent).start().await;
    stage.stop_gateway().await;
    stage.twilio.receive(Text::new(ALICE, stage.bot(), "look").with_media(2)).await.unwrap();
    stage.start_gateway().await;
    stage.expect(ALICE, &["2 picture(s)"]).await;
}

#[tokio::test]
async fn and_what_came_before_the_very_first_start_is_left_alone() {
    let mut stage = Plan::default().prepare().await;
    stage.twilio.text(ALICE, stage.bot(), "years ago").await.unwrap();
    stage.clock.advance(Duration::from_secs(60));
    stage.start_gateway().await;
    stage.text(BOB, "hello").await;
    stage.expect(BOB, &["hello"]).await;
    let line = stage.bot().to_owned();
    let listed = |log: &[LogEntry]| log.iter().any(|entry| is_look_for(entry, &line) && entry.status.is_some());
    stage.twilio.wait_for_log(listed, SOON).await.unwrap();
    assert_eq!(stage.expect_rest().await.received_today, 1);
}

#[tokio::test]
async fn while_twilio_cannot_be_asked_either_and_the_gateway_runs_on() {
    let mut stage = Plan::default().start().await;
    stage.stop_gateway().await;
    stage.twilio.text(ALICE, stage.bot(), "hello").await.unwrap();
    stage.twilio.misbehave(Fault::ReadsUnavailable, Extent::All);
    stage.start_gateway().await;
    stage.text(BOB, "hi").await;
    stage.expect(BOB, &["hi"]).await;
    assert!(stage.bodies(ALICE).is_empty());
    stage.twilio.behave();
    stage.stop_gateway().await;
    stage.start_gateway().await;
    stage.expect(ALICE, &["hello"]).await;
}

#[tokio::test]
async fn that_of_a_number_in_the_messaging_service_that_never_had_one() {
    const POOL: &str = "MG0123456789abcdef0123456789abcdef";
    const SECOND: &str = "+15550001235";
    let mut simulator = Plan::default().simulator;
    simulator.numbers = [twilio_simulator::DEFAULT_NUMBER, SECOND].map(Number::new).to_vec();
    simulator.services = vec![Service::new(POOL, &[twilio_simulator::DEFAULT_NUMBER, SECOND])];
    let plan = Plan { simulator, messaging_service: Some(POOL), ..Plan::default() };
    let mut stage = plan.start().await;
    let listed = |log: &[LogEntry]| log.iter().any(|entry| is_look_for(entry, SECOND) && entry.status.is_some());
    stage.twilio.wait_for_log(listed, SOON).await.unwrap();
    let unheard = stage.twilio.text(ALICE, SECOND, "hello").await.unwrap();
    assert_eq!(unheard.status, None, "nobody has set a webhook for it");
    stage.stop_gateway().await;
    stage.start_gateway().await;
    stage.expect(ALICE, &["hello"]).await;
}
