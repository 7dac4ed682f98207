use std::time::Duration;

use twilio_simulator::{Fault, FaultExtent, LogEntry};

use crate::stage::{ALICE, BOB, Plan, SOON, Stage, is_look_for};

async fn expect_one_message(stage: &Stage) {
    stage.expect_rest().await;
    assert_eq!(stage.bodies(ALICE), ["hello"]);
    assert_eq!(stage.twilio.creations(), 1);
}

#[tokio::test]
async fn the_first_report_resolves_the_doubt() {
    let stage = Plan::default().start().await;
    stage.twilio.misbehave(Fault::ReadsUnavailable, FaultExtent::All);
    stage.twilio.misbehave(Fault::CutAfterAccepting, FaultExtent::Next(1));
    stage.text(ALICE, "hello").await;
    expect_one_message(&stage).await;
}

#[tokio::test]
async fn the_list_resolves_the_doubt_without_reports() {
    let stage = Plan { has_public_url: false, ..Plan::default() }.start().await;
    stage.twilio.misbehave(Fault::ServerErrorAfterAccepting, FaultExtent::Next(1));
    stage.text(ALICE, "hello").await;
    expect_one_message(&stage).await;
}

#[tokio::test]
async fn a_doubt_blocks_its_conversation() {
    let stage = Plan { has_public_url: false, ..Plan::default() }.start().await;
    stage.twilio.misbehave(Fault::ReadsUnavailable, FaultExtent::All);
    stage.twilio.misbehave(Fault::CutAfterAccepting, FaultExtent::Next(1));
    stage.text(ALICE, "hello").await;
    stage.expect_summary(|summary| summary.unknown == 1).await;
    stage.text(ALICE, "second").await;
    stage.expect_summary(|summary| summary.queued == 1).await;
    assert_eq!(stage.twilio.creations(), 1);
    stage.twilio.behave();
    stage.clock.advance(Duration::from_secs(11));
    stage.expect(ALICE, &["hello", "second"]).await;
}

#[tokio::test]
async fn a_missing_list_blocks_no_other_conversation() {
    let stage = Plan { has_public_url: false, ..Plan::default() }.start().await;
    let of_line = stage.bot().to_owned();
    stage.twilio.wait_for_log(|log| log.iter().any(|entry| is_look_for(entry, &of_line)), SOON).await.unwrap();
    stage.twilio.misbehave(Fault::ReadsHang, FaultExtent::Next(1));
    stage.twilio.misbehave(Fault::CutAfterAccepting, FaultExtent::Next(2));
    stage.text(ALICE, "hello").await;
    stage.expect_summary(|summary| summary.unknown == 1).await;
    wait_for_looks(&stage, 1).await;
    stage.text(BOB, "good day").await;
    stage.expect_summary(|summary| summary.unknown == 1 && summary.sent_today == 1).await;
    assert_eq!(stage.twilio.creations(), 2);
}

#[tokio::test]
async fn an_unanswered_message_is_resent_only_once() {
    let stage = Plan { has_public_url: false, ..Plan::default() }.start().await;
    stage.twilio.misbehave(Fault::CutBeforeAccepting, FaultExtent::All);
    stage.text(ALICE, "hello").await;
    stage.expect_summary(|summary| summary.unknown == 1 && stage.twilio.creations() == 1).await;
    wait_for_looks(&stage, 1).await;
    stage.clock.advance(Duration::from_secs(16));
    stage.expect_summary(|summary| summary.unknown == 1 && stage.twilio.creations() == 2).await;
    wait_for_looks(&stage, 3).await;
    stage.clock.advance(Duration::from_secs(16));
    stage.expect_rest().await;
    assert_eq!(stage.twilio.creations(), 2);
    assert!(stage.bodies(ALICE).is_empty());
}

#[tokio::test]
async fn ninety_seconds_of_dropped_responses_lose_and_duplicate_nothing() {
    let stage = Plan { has_public_url: false, ..Plan::default() }.start().await;
    stage.twilio.misbehave(Fault::ServerError, FaultExtent::All);
    stage.text(ALICE, "hello").await;
    stage.text(BOB, "good day").await;
    // The wait doubles with each rejection.
    for (attempts, wait) in [(1, 15), (2, 30), (3, 60)] {
        stage.expect_summary(|summary| summary.unknown == 2 && stage.twilio.creations() == 2 * attempts).await;
        for phone in [ALICE, BOB] {
            wait_for_looks_for(&stage, phone, 2 * attempts - 1).await;
        }
        stage.clock.advance(Duration::from_secs(wait));
    }
    stage.expect_summary(|summary| summary.unknown == 2 && stage.twilio.creations() == 8).await;
    for phone in [ALICE, BOB] {
        wait_for_looks_for(&stage, phone, 7).await;
    }
    stage.twilio.behave();
    // The last request during the outage is accepted, but its response is lost.
    stage.twilio.misbehave(Fault::ServerErrorAfterAccepting, FaultExtent::Next(2));
    stage.clock.advance(Duration::from_secs(120));
    stage.expect(ALICE, &["hello"]).await;
    stage.expect(BOB, &["good day"]).await;
    stage.expect_rest().await;
    assert_eq!((stage.bodies(ALICE).len(), stage.bodies(BOB).len()), (1, 1));
}

#[tokio::test]
async fn a_slow_response_survives_a_clock_set_ahead() {
    let stage = Plan { has_public_url: false, ..Plan::default() }.start().await;
    stage.twilio.misbehave(Fault::DelayAnswer { milliseconds: 2_500 }, FaultExtent::Next(1));
    stage.text(ALICE, "hello").await;
    let is_asked = |entry: &LogEntry| entry.method == "POST" && entry.target.ends_with("/Messages.json");
    stage.twilio.wait_for_log(|log| log.iter().any(is_asked), SOON).await.unwrap();
    stage.clock.advance(Duration::from_secs(61));
    expect_one_message(&stage).await;
    assert!(!stage.twilio.log().iter().any(|entry| is_look_for(entry, ALICE)), "nothing was in doubt");
}

#[tokio::test]
async fn a_clock_that_was_an_hour_ahead_is_corrected_before_the_list_can_be_read() {
    let mut stage = Plan { has_public_url: false, ..Plan::default() }.prepare().await;
    stage.clock.advance(Duration::from_secs(3600));
    stage.start_gateway().await;
    stage.text(ALICE, "first").await;
    stage.expect(ALICE, &["first"]).await;
    stage.expect_rest().await;
    stage.twilio.misbehave(Fault::ReadsUnavailable, FaultExtent::All);
    stage.twilio.misbehave(Fault::CutAfterAccepting, FaultExtent::Next(1));
    stage.text(ALICE, "hello").await;
    stage.expect_summary(|summary| summary.unknown == 1).await;
    stage.stop_gateway().await;
    // Twilio's list says that the message is ten minutes old.
    stage.clock.set_back(Duration::from_secs(3000));
    stage.twilio.behave();
    let looks = stage.twilio.log().iter().filter(|entry| is_look_for(entry, ALICE)).count();
    stage.start_gateway().await;
    wait_for_looks(&stage, looks + 1).await;
    stage.clock.advance(Duration::from_secs(16));
    stage.expect_rest().await;
    assert_eq!(stage.bodies(ALICE), ["first", "hello"]);
}

/// Waits until the gateway has read Twilio's list this many times.
async fn wait_for_looks(stage: &Stage, looks: usize) {
    wait_for_looks_for(stage, ALICE, looks).await;
}

async fn wait_for_looks_for(stage: &Stage, phone: &str, looks: usize) {
    let has_looked = |log: &[LogEntry]| log.iter().filter(|entry| is_look_for(entry, phone)).count() >= looks;
    stage.twilio.wait_for_log(has_looked, SOON).await.unwrap();
}
