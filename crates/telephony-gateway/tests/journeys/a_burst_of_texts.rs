use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::stage::{ALICE, BOB, Plan, Scripted};

#[tokio::test]
async fn texts_in_quick_succession_become_one_turn() {
    let agent = Scripted::repeating();
    let pause = Duration::from_millis(500);
    let plan = Plan { coalesce: pause, ..Plan::default() }.with_agent(agent.clone());
    let stage = plan.start().await;
    stage.clock.stop();
    for word in ["one", "two", "three"] {
        stage.text(ALICE, word).await;
    }
    stage.clock.advance(pause);
    stage.expect(ALICE, &["one\ntwo\nthree"]).await;
    assert_eq!(agent.questions(), ["one\ntwo\nthree"]);
}

#[tokio::test]
async fn without_coalescing_every_text_is_a_turn_and_answers_keep_their_order() {
    let stage = Plan::default().start().await;
    let words: Vec<String> = (1..=12).map(|n| format!("text {n}")).collect();
    for word in &words {
        stage.text(ALICE, word).await;
    }
    let expected: Vec<&str> = words.iter().map(String::as_str).collect();
    stage.expect(ALICE, &expected).await;
}

#[tokio::test]
async fn a_slow_conversation_does_not_hold_up_another() {
    let gate = Arc::new(Semaphore::new(0));
    let held = gate.clone();
    let agent = Scripted::repeating().gated(gate);
    let stage = Plan::default().with_agent(agent.clone()).start().await;
    stage.text(ALICE, "slow").await;
    stage.text(BOB, "quick").await;
    stage.expect_summary(|summary| summary.answering == 2).await;
    held.add_permits(2);
    stage.expect(ALICE, &["slow"]).await;
    stage.expect(BOB, &["quick"]).await;
}

#[tokio::test]
async fn no_more_turns_run_than_there_are_sessions_and_none_is_dropped() {
    let gate = Arc::new(Semaphore::new(0));
    let agent = Scripted::repeating().gated(gate.clone());
    let plan = Plan { max_sessions: 3, ..Plan::default() };
    let stage = plan.with_agent(agent.clone()).start().await;
    let phones: Vec<String> = (0..8).map(|n| format!("+1555000700{n}")).collect();
    for phone in &phones {
        stage.text(phone, "hello").await;
    }
    // Calls are counted apart, so they take no session from texts.
    let summary = stage.expect_summary(|summary| summary.answering == 3).await;
    assert_eq!(summary.waiting, 5);
    gate.add_permits(phones.len());
    for phone in &phones {
        stage.expect(phone, &["hello"]).await;
    }
}
