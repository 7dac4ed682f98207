use std::time::Duration;

use telephony_store::history::{EntryState, Filter, MessageReference};
use telephony_store::outbox::PartState;
use twilio_simulator::{Fault, FaultExtent};

use crate::stage::{ALICE, BOB, Plan, Scripted, Stage, is_look_for};

async fn outbound_states(stage: &Stage) -> Vec<(PartState, Option<u32>)> {
    let entries = stage.store().messages(Filter { limit: 10, ..Filter::default() }).await.unwrap();
    let states = entries.into_iter().filter_map(|entry| match entry.standing {
        EntryState::Out { state, code, .. } => Some((state, code)),
        EntryState::In { .. } => None,
    });
    states.collect()
}

#[tokio::test]
async fn a_429_is_retried_until_twilio_accepts() {
    let stage = Plan::default().start().await;
    stage.clock.stop();
    stage.twilio.misbehave(Fault::TooManyRequests, FaultExtent::Next(2));
    stage.text(ALICE, "hello").await;
    expect_put_off(&stage, 1).await;
    assert!(stage.bodies(ALICE).is_empty());
    stage.clock.advance(Duration::from_secs(5));
    expect_put_off(&stage, 2).await;
    stage.clock.advance(Duration::from_secs(5));
    stage.expect(ALICE, &["hello"]).await;
    assert_eq!(stage.twilio.creations(), 3);
}

/// Waits until the gateway has made this many requests to send, and the message waits again.
async fn expect_put_off(stage: &Stage, creations: usize) {
    // Sequential, because an earlier count says nothing about this request.
    stage.expect_summary(|_| stage.twilio.creations() == creations).await;
    stage.expect_summary(|summary| summary.queued == 1 && summary.sending == 0).await;
}

#[tokio::test]
async fn an_answer_beyond_the_daily_cap_leaves_the_next_day() {
    const HOUR: Duration = Duration::from_secs(60 * 60);
    let stage = Plan::default().start().await;
    stage.twilio.misbehave(Fault::DailyCap, FaultExtent::All);
    stage.text(ALICE, "hello").await;
    expect_put_off(&stage, 1).await;
    stage.clock.advance(HOUR / 2);
    for creations in 2..=3 {
        // The gateway asks Twilio hourly, not every second.
        expect_put_off(&stage, creations - 1).await;
        stage.clock.advance(HOUR);
        expect_put_off(&stage, creations).await;
    }
    let entries = stage.store().messages(Filter { limit: 1, ..Filter::default() }).await.unwrap();
    let detail = stage.store().message(MessageReference::Entry(entries[0].id)).await.unwrap().unwrap();
    assert_eq!(detail.parts[0].waits_for.as_deref(), Some("daily-cap"));
    stage.clock.advance(20 * HOUR);
    expect_put_off(&stage, 4).await;
    stage.twilio.behave();
    stage.clock.advance(2 * HOUR);
    stage.expect(ALICE, &["hello"]).await;
    assert_eq!(stage.twilio.creations(), 5);
}

#[tokio::test]
async fn a_lasting_daily_cap_is_retried_and_then_reported() {
    const HOURS: Duration = Duration::from_secs(3 * 60 * 60);
    let stage = Plan::default().start().await;
    stage.twilio.misbehave(Fault::DailyCap, FaultExtent::All);
    stage.text(ALICE, "hello").await;
    expect_put_off(&stage, 1).await;
    for creations in 2..30 {
        stage.clock.advance(HOURS);
        expect_put_off(&stage, creations).await;
    }
    stage.clock.advance(HOURS);
    stage.expect_rest().await;
    let notices = stage.store().notices(stage.now()).await.unwrap();
    assert!(
        notices.iter().any(|notice| notice.name == "given-up" && notice.text("Twilio").contains(ALICE)),
        "{notices:?}"
    );
    assert_eq!(outbound_states(&stage).await, [(PartState::Failed, Some(63038))]);
}

#[tokio::test]
async fn a_429_in_one_conversation_does_not_hold_up_another() {
    let stage = Plan::default().start().await;
    // The test decides when Alice's second attempt is due, however long Bob's answer takes.
    stage.clock.stop();
    stage.twilio.misbehave(Fault::TooManyRequests, FaultExtent::Next(1));
    stage.text(ALICE, "first").await;
    expect_put_off(&stage, 1).await;
    stage.text(BOB, "second").await;
    stage.expect(BOB, &["second"]).await;
    assert!(stage.bodies(ALICE).is_empty());
    stage.clock.advance(Duration::from_secs(5));
    stage.expect(ALICE, &["first"]).await;
}

#[tokio::test]
async fn a_rejected_part_cancels_its_message_but_not_the_next() {
    let agent = Scripted::new(|turn| Ok(if turn.text() == "long" { "word ".repeat(700) } else { turn.text() }));
    let stage = Plan::default().with_agent(agent).start().await;
    // Twilio's magic number for an unreachable recipient, code 21211.
    let nowhere = "+15005550001";
    stage.text(nowhere, "long").await;
    stage.text(nowhere, "short").await;
    stage.expect_rest().await;
    let states = outbound_states(&stage).await;
    assert_eq!(states, [(PartState::Failed, Some(21211)), (PartState::Failed, Some(21211))]);
    assert_eq!(stage.twilio.creations(), 2, "the other parts were never tried");
}

#[tokio::test]
async fn an_opt_out_known_only_to_twilio_is_recorded() {
    let stage = Plan::default().start().await;
    // Twilio's magic number for a recipient who opted out, code 21610.
    let opted_out = "+15005550004";
    stage.text(opted_out, "hello").await;
    stage.expect_rest().await;
    assert_eq!(outbound_states(&stage).await, [(PartState::Failed, Some(21610))]);
    let line = stage.store().lines().await.unwrap()[0].id;
    let standing = stage.store().standing(line, &opted_out.parse().unwrap()).await.unwrap();
    assert!(standing.is_opted_out);
}

#[tokio::test]
async fn a_message_is_kept_while_twilio_is_unreachable() {
    let stage = Plan::default().start().await;
    stage.twilio.misbehave(Fault::CutBeforeAccepting, FaultExtent::Next(1));
    stage.text(ALICE, "hello").await;
    stage.expect_summary(|summary| summary.unknown == 1).await;
    stage.expect_summary(|_| stage.twilio.log().iter().any(|entry| is_look_for(entry, ALICE))).await;
    stage.clock.advance(Duration::from_secs(16));
    stage.expect(ALICE, &["hello"]).await;
}
