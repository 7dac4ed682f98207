use std::time::Duration;

use telephony_domain::limit::{Limits, Terms};
use telephony_domain::pace::{Pace, Pacing};
use telephony_providers::twilio::CARRIER;
use telephony_store::LONGEST_WAIT;
use telephony_store::history::WorkSummary;

use crate::stage::{ALICE, BOB, Plan, SOON, Scripted, Stage};

fn limited(limits: Limits) -> Plan {
    Plan { terms: Terms { limits, ..Terms::unlimited(Pacing::Unlimited, &CARRIER) }, ..Plan::default() }
}

async fn notices(stage: &Stage) -> Vec<String> {
    stage.store().notices(stage.now()).await.unwrap().into_iter().map(|notice| notice.name).collect()
}

/// Waits until exactly these notices are active.
async fn expect_notice(stage: &Stage, name: &str) {
    let look = async {
        while notices(stage).await != [name] {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(SOON, look).await.unwrap_or_else(|_| panic!("{name} is not raised"));
}

async fn expect_queued(stage: &Stage, queued: u64) -> WorkSummary {
    stage.expect_summary(|summary| summary.queued == queued && summary.waiting + summary.answering == 0).await
}

#[tokio::test]
async fn an_answer_beyond_the_daily_limit_is_sent_the_next_day() {
    let mut stage = limited(Limits { segments_per_day: Some(2), ..Limits::default() }).start().await;
    stage.text(ALICE, "one").await;
    stage.text(BOB, "two").await;
    stage.expect_rest().await;
    stage.text(ALICE, "three").await;
    expect_queued(&stage, 1).await;
    expect_notice(&stage, "limit-segmentsPerDay").await;
    stage.stop_gateway().await;
    stage.start_gateway().await;
    expect_notice(&stage, "limit-segmentsPerDay").await;
    assert_eq!(stage.bodies(ALICE), ["one"]);
    stage.clock.advance(Duration::from_secs(24 * 60 * 60));
    stage.expect(ALICE, &["one", "three"]).await;
    stage.expect_rest().await;
}

#[tokio::test]
async fn a_contacts_limit_does_not_affect_other_contacts() {
    let stage = limited(Limits { segments_per_contact_per_day: Some(1), ..Limits::default() }).start().await;
    stage.text(ALICE, "one").await;
    stage.expect(ALICE, &["one"]).await;
    stage.text(ALICE, "two").await;
    expect_queued(&stage, 1).await;
    stage.text(BOB, "three").await;
    stage.expect(BOB, &["three"]).await;
    assert_eq!(stage.bodies(ALICE), ["one"]);
}

/// The result of a text from a chatty bot.
#[derive(PartialEq)]
enum Ended {
    Answered,
    Held,
    Paused,
}

/// Waits until the last text is answered, its answer is held, or the conversation is paused.
async fn ending(stage: &Stage, texts: usize) -> Ended {
    let look = async || {
        let notices = notices(stage).await;
        match notices.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            [] if stage.bodies(ALICE).len() == texts => Some(Ended::Answered),
            [] => None,
            notices if notices.iter().any(|name| name.starts_with("paused-")) => Some(Ended::Paused),
            _ => Some(Ended::Held),
        }
    };
    let waited = tokio::time::timeout(SOON, async {
        loop {
            if let Some(ended) = look().await {
                return ended;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    waited.await.expect("the text is neither answered nor held up")
}

/// Lets two bots answer each other until they are paused.
async fn rally(agent: &Scripted) -> Stage {
    let limits = Limits { replies_per_contact_per_30s: Some(2), ..Limits::default() };
    let plan = Plan { coalesce: Duration::from_millis(1), ..limited(limits) };
    let stage = plan.with_agent(agent.clone()).start().await;
    for texts in 1.. {
        assert!(texts < 50, "they go on for ever");
        stage.text(ALICE, "beep").await;
        match ending(&stage, texts).await {
            Ended::Answered => {}
            Ended::Held => stage.clock.advance(Duration::from_secs(31)),
            Ended::Paused => break,
        }
        while ending(&stage, texts).await == Ended::Held {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    stage
}

#[tokio::test]
async fn the_operator_resumes_a_paused_conversation_early() {
    let agent = Scripted::repeating();
    let stage = rally(&agent).await;
    stage.text(ALICE, "I am a person").await;
    stage.clock.advance(Duration::from_secs(60));
    stage.expect_summary(|summary| summary.waiting == 1 && summary.queued + summary.sending == 0).await;
    let contact = ALICE.parse().unwrap();
    assert_eq!(stage.store().resume(&contact).await.unwrap(), 1);
    assert_eq!(stage.store().resume(&contact).await.unwrap(), 0);
    assert_eq!(notices(&stage).await, [] as [&str; 0]);
    stage.expect_rest().await;
    assert_eq!(stage.bodies(ALICE).last().unwrap(), "I am a person");
}

#[tokio::test]
async fn two_machines_answer_each_other_until_they_are_paused() {
    let agent = Scripted::repeating();
    let stage = rally(&agent).await;
    let asked = agent.questions().len();
    stage.text(ALICE, "beep at last").await;
    stage.text(ALICE, "and again").await;
    stage.clock.advance(Duration::from_secs(60));
    stage.expect_summary(|summary| summary.waiting == 2 && summary.queued + summary.sending == 0).await;
    assert_eq!(agent.questions().len(), asked, "no agent is asked while they are paused");
    stage.clock.advance(Duration::from_secs(60 * 60));
    stage.expect_summary(|summary| summary.waiting == 0).await;
    stage.expect_rest().await;
    assert_eq!(agent.questions().len(), asked + 1);
}

#[tokio::test]
async fn slow_machines_answer_each_other_until_they_are_paused() {
    let stage = limited(Limits { replies_per_contact_per_30s: Some(12), ..Limits::default() }).start().await;
    for texts in 1..100 {
        stage.text(ALICE, "beep").await;
        match ending(&stage, texts).await {
            Ended::Answered => stage.clock.advance(Duration::from_secs(5)),
            Ended::Held => panic!("no limit is reached"),
            Ended::Paused => return assert!(texts > 20, "{texts} texts and they are taken for a machine"),
        }
    }
    panic!("they go on for ever");
}

#[tokio::test]
async fn an_answer_waits_for_a_full_line_without_a_second_question_or_an_apology() {
    // Two segments per ten hours.
    let slow = Pacing::Fixed(Pace::new(2.0 / 36_000.0).unwrap());
    let agent = Scripted::repeating();
    let stage =
        Plan { terms: Terms::unlimited(slow, &CARRIER), ..Plan::default() }.with_agent(agent.clone()).start().await;
    for body in ["one", "two", "three"] {
        stage.text(ALICE, body).await;
        stage.expect_summary(|summary| summary.waiting + summary.answering == 0).await;
    }
    stage.text(ALICE, "four").await;
    stage.expect_summary(|summary| summary.retrying == 1 && summary.queued == 2).await;
    assert_eq!(stage.bodies(ALICE), ["one"]);
    for _ in 0..3 {
        stage.clock.advance(LONGEST_WAIT);
        stage.expect_summary(|summary| summary.retrying == 1 && summary.parked == 0 && summary.queued == 2).await;
    }
    expect_notice(&stage, "queue-full-1").await;
    stage.clock.advance(Duration::from_secs(5 * 60 * 60));
    stage.expect(ALICE, &["one", "two"]).await;
    // The gateway may have checked the queue just before it had capacity again.
    stage.clock.advance(LONGEST_WAIT);
    stage.expect_summary(|summary| summary.retrying + summary.parked == 0).await;
    stage.clock.advance(Duration::from_secs(5 * 60 * 60));
    stage.expect(ALICE, &["one", "two", "three"]).await;
    stage.clock.advance(Duration::from_secs(5 * 60 * 60));
    stage.expect(ALICE, &["one", "two", "three", "four"]).await;
    assert_eq!(agent.questions(), ["one", "two", "three", "four"]);
}
