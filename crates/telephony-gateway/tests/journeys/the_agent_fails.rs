use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use telephony_agents::{Agent, AgentError, AnswerStream, Past, Role, Turn};
use telephony_domain::message::{MessageDraft, MessagePurpose, PartDraft};
use tokio::sync::Semaphore;

use crate::stage::{ALICE, BOB, Plan, SORRY, Scripted};

#[tokio::test]
async fn the_same_turn_is_tried_again_and_newer_texts_wait_for_it() {
    let failures = Arc::new(AtomicU32::new(2));
    let left = failures.clone();
    let agent = Scripted::new(move |turn| match left.load(Ordering::Relaxed) {
        0 => Ok(turn.text()),
        n => {
            left.store(n - 1, Ordering::Relaxed);
            Err(AgentError::Unavailable("it sleeps".into()))
        }
    });
    let stage = Plan::default().with_agent(agent.clone()).start().await;
    stage.text(ALICE, "first").await;
    stage.expect_summary(|summary| summary.retrying == 1).await;
    stage.text(ALICE, "second").await;
    stage.clock.advance(Duration::from_secs(10));
    stage.expect_summary(|_| failures.load(Ordering::Relaxed) == 0).await;
    stage.clock.advance(Duration::from_secs(10));
    stage.expect(ALICE, &["first", "second"]).await;
    let asked = agent.asked.lock().unwrap().clone();
    let expected = [(1, "first"), (2, "first"), (3, "first"), (1, "second")];
    assert_eq!(asked, expected.map(|(attempt, text)| (attempt, text.to_owned())));
}

#[tokio::test]
async fn a_turn_that_keeps_failing_is_parked_and_newer_texts_go_on() {
    let agent = Scripted::new(|turn| match turn.text().as_str() {
        "poison" => Err(AgentError::TimedOut(1)),
        text => Ok(text.to_owned()),
    });
    let stage = Plan::default().with_agent(agent).start().await;
    stage.text(ALICE, "poison").await;
    stage.expect_summary(|summary| summary.retrying == 1).await;
    stage.text(ALICE, "hello").await;
    stage.clock.advance(Duration::from_secs(11 * 60));
    stage.expect(ALICE, &[SORRY, "hello"]).await;
    stage.expect_summary(|summary| summary.parked == 1).await;
}

#[tokio::test]
async fn a_turn_that_can_never_work_is_dead_at_once_and_can_be_revived() {
    let is_mended = Arc::new(AtomicU32::new(0));
    let mended = is_mended.clone();
    let agent = Scripted::new(move |turn| match mended.load(Ordering::Relaxed) {
        0 => Err(AgentError::Refused("wrong key".into())),
        _ => Ok(turn.text()),
    });
    let stage = Plan::default().with_agent(agent).start().await;
    stage.text(ALICE, "hello").await;
    stage.expect_summary(|summary| summary.dead == 1).await;
    let failed = stage.store().failed_turns().await.unwrap();
    assert!(failed[0].is_dead && failed[0].reason.contains("wrong key"), "{failed:?}");
    is_mended.store(1, Ordering::Relaxed);
    stage.store().revive_turn(failed[0].turn, stage.now()).await.unwrap();
    stage.expect(ALICE, &["hello"]).await;
    stage.clock.advance(Duration::from_secs(3 * 60));
    stage.expect_rest().await;
    assert_eq!(stage.bodies(ALICE), ["hello"], "fixed within two minutes: no apology");
}

#[tokio::test]
async fn a_failing_agent_causes_one_apology_after_two_minutes() {
    let agent = Scripted::new(|_| Err(AgentError::Refused("wrong key".into())));
    let stage = Plan::default().with_agent(agent).start().await;
    for (dead, text) in [(1, "hello"), (2, "anybody there?")] {
        stage.text(ALICE, text).await;
        stage.expect_summary(|summary| summary.dead == dead && summary.queued == 1).await;
    }
    assert!(stage.bodies(ALICE).is_empty(), "not at once");
    stage.clock.advance(Duration::from_secs(2 * 60));
    stage.expect(ALICE, &[SORRY]).await;
    stage.text(ALICE, "still nobody?").await;
    stage.expect_summary(|summary| summary.dead == 3).await;
    stage.clock.advance(Duration::from_secs(3 * 60));
    stage.expect_rest().await;
    assert_eq!(stage.bodies(ALICE), [SORRY]);
}

#[tokio::test]
async fn an_agent_that_panics_costs_a_lease_and_nothing_else() {
    let (asked, was_asked) = tokio::sync::watch::channel(0);
    let agent = Scripted::new(move |turn| {
        asked.send_modify(|times| *times += 1);
        assert!(*asked.borrow() > 1, "a bug in the agent");
        Ok(turn.text())
    });
    let stage = Plan::default().with_agent(agent).start().await;
    stage.text(ALICE, "hello").await;
    was_asked.clone().wait_for(|times| *times >= 1).await.unwrap();
    stage.clock.advance(Duration::from_secs(31));
    stage.expect(ALICE, &["hello"]).await;
}

#[tokio::test]
async fn a_silent_answer_sends_nothing() {
    let agent = Scripted::new(|_| Ok(" \n".into()));
    let stage = Plan::default().with_agent(agent).start().await;
    stage.text(ALICE, "hello").await;
    stage.expect_summary(|summary| summary.received_today == 1).await;
    stage.expect_rest().await;
    assert_eq!(stage.twilio.creations(), 0);
}

#[tokio::test]
async fn silence_control_characters_and_escapes_are_applied_to_the_answer() {
    let agent = Scripted::new(|turn| match turn.text().as_str() {
        "quiet" => Ok("\nNO_REPLY\n".into()),
        "noted" => Ok("Noted.\n\n**NO_REPLY**".into()),
        "mail" => Ok("1. c******ll@g****.com\0 and **bold**".into()),
        text => Ok(text.to_owned()),
    });
    let stage = Plan::default().with_agent(agent).start().await;
    for text in ["quiet", "noted", "mail", "Say NO_REPLY then"] {
        stage.text(ALICE, text).await;
        stage.expect_rest().await;
    }
    stage.expect(ALICE, &["Noted.", "1. c******ll@g****.com and bold", "Say NO_REPLY then"]).await;
}

#[tokio::test]
async fn an_agent_without_an_answer_is_asked_three_times() {
    let agent = Scripted::new(|_| Err(AgentError::Odd("it ended (abort)".into())));
    let stage = Plan::default().with_agent(agent.clone()).start().await;
    stage.text(ALICE, "hello").await;
    for attempt in 1..=3 {
        stage.expect_summary(|_| agent.asked.lock().unwrap().len() >= attempt).await;
        stage.expect_summary(|summary| summary.retrying + summary.dead == 1).await;
        stage.clock.advance(Duration::from_secs(10));
    }
    stage.expect_summary(|summary| summary.dead == 1).await;
    assert_eq!(agent.asked.lock().unwrap().len(), 3);
    stage.clock.advance(Duration::from_secs(2 * 60));
    stage.expect(ALICE, &[SORRY]).await;
}

#[tokio::test]
async fn a_turn_in_progress_at_a_stop_is_answered_by_the_next_gateway() {
    let gate = Arc::new(Semaphore::new(0));
    let agent = Scripted::repeating().gated(gate.clone());
    let mut stage = Plan::default().with_agent(agent.clone()).start().await;
    stage.text(ALICE, "hello").await;
    stage.expect_summary(|summary| summary.answering == 1).await;
    stage.stop_gateway().await;
    gate.add_permits(2);
    stage.start_gateway().await;
    stage.expect(ALICE, &["hello"]).await;
    let attempts: Vec<u32> = agent.asked.lock().unwrap().iter().map(|(attempt, _)| *attempt).collect();
    assert_eq!(attempts, [1, 1], "an attempt that was handed back does not count");
}

#[tokio::test]
async fn each_outage_causes_one_apology() {
    let works = Arc::new(AtomicU32::new(0));
    let switch = works.clone();
    let agent = Scripted::new(move |turn| match switch.load(Ordering::Relaxed) {
        0 => Err(AgentError::Unavailable("it sleeps".into())),
        _ => Ok(turn.text()),
    });
    let stage = Plan::default().with_agent(agent.clone()).start().await;
    for (outage, text) in [(1, "first"), (2, "second")] {
        works.store(0, Ordering::Relaxed);
        let asked = agent.asked.lock().unwrap().len();
        stage.text(ALICE, text).await;
        stage.expect_summary(|summary| summary.retrying == 1).await;
        for attempt in 2..=3 {
            stage.clock.advance(Duration::from_secs(200));
            stage.expect_summary(|_| agent.asked.lock().unwrap().len() >= asked + attempt).await;
        }
        stage.expect_summary(|_| stage.bodies(ALICE).iter().filter(|body| *body == SORRY).count() == outage).await;
        works.store(1, Ordering::Relaxed);
        stage.clock.advance(Duration::from_secs(200));
        stage.expect_rest().await;
    }
    stage.expect(ALICE, &[SORRY, "first", SORRY, "second"]).await;
}

#[tokio::test]
async fn reset_forgets_the_history() {
    let mut agent = Scripted::new(|turn| Ok(format!("I know {} lines", turn.history.len())));
    agent.history_turns = 10;
    let stage = Plan::default().with_agent(agent.clone()).start().await;
    let forgotten = "Done: I have forgotten what we talked about.";
    for text in ["one", "two", "/Reset ", "three"] {
        stage.text(ALICE, text).await;
    }
    stage.expect(ALICE, &["I know 0 lines", "I know 2 lines", forgotten, "I know 0 lines"]).await;
    stage.text(BOB, "hello").await;
    stage.expect(BOB, &["I know 0 lines"]).await;
    assert!(!agent.questions().iter().any(|question| question.contains("eset")));
}

#[tokio::test]
async fn text_after_a_reset_in_the_same_turn_is_kept() {
    let mut agent = Scripted::new(|turn| {
        let lines = turn.history.iter().map(|past| past.text.as_str());
        Ok(lines.chain([turn.text().as_str()]).collect::<Vec<_>>().join(","))
    });
    agent.history_turns = 10;
    let stage = Plan { coalesce: Duration::from_secs(30), ..Plan::default() }.with_agent(agent).start().await;
    for texts in [&["one"][..], &["two", "/reset", "three"], &["four"]] {
        for text in texts {
            stage.text(ALICE, text).await;
        }
        stage.clock.advance(Duration::from_secs(30));
        stage.expect_rest().await;
    }
    stage.expect(ALICE, &["one", "three", "three,three,four"]).await;
}

/// An agent behind a server that can be stopped and restarted.
#[derive(Default)]
struct Served {
    is_up: AtomicBool,
    attempts: AtomicU32,
    history: Mutex<Vec<Past>>,
}

#[async_trait]
impl Agent for Served {
    fn name(&self) -> &'static str {
        "served"
    }

    fn hears_operator(&self) -> bool {
        true
    }

    async fn is_reachable(&self) -> Option<bool> {
        Some(self.is_up.load(Ordering::Relaxed))
    }

    async fn answer(&self, turn: Turn) -> Result<AnswerStream, AgentError> {
        self.attempts.fetch_add(1, Ordering::Relaxed);
        if !self.is_up.load(Ordering::Relaxed) {
            return Err(AgentError::Unreachable("connection refused".into()));
        }
        *self.history.lock().unwrap() = turn.history.clone();
        let text = turn.text();
        Ok(stream::once(async move { Ok(text) }).boxed())
    }
}

#[tokio::test]
async fn a_recovered_agent_answers_waiting_turns_at_once() {
    let agent = Arc::new(Served::default());
    let mut stage = Plan { agent: agent.clone(), ..Plan::default() }.start().await;
    stage.text(ALICE, "hello").await;
    stage.text(BOB, "hi").await;
    for attempts in [2, 4, 6, 8] {
        stage.expect_summary(|_| agent.attempts.load(Ordering::Relaxed) >= attempts).await;
        stage.expect_summary(|summary| summary.retrying + summary.parked == 2).await;
        stage.clock.advance(Duration::from_secs(300));
    }
    stage.expect_summary(|_| agent.attempts.load(Ordering::Relaxed) >= 10).await;
    stage.expect_summary(|summary| summary.parked == 2).await;
    stage.stop_gateway().await;
    stage.start_gateway().await;
    agent.is_up.store(true, Ordering::Relaxed);
    stage.expect_summary(|summary| summary.parked == 0).await;
    stage.expect_rest().await;
    for (contact, text) in [(ALICE, "hello"), (BOB, "hi")] {
        assert_eq!(stage.bodies(contact).last().map(String::as_str), Some(text));
    }
}

#[tokio::test]
async fn an_agent_sees_operator_texts_once() {
    let agent = Arc::new(Served { is_up: true.into(), ..Served::default() });
    let stage = Plan { agent: agent.clone(), ..Plan::default() }.start().await;
    stage.text(ALICE, "hello").await;
    stage.expect(ALICE, &["hello"]).await;
    let text = "Doors open at 7.".to_owned();
    let draft = MessageDraft {
        key: "k1".to_owned(),
        purpose: MessagePurpose::Send,
        to: ALICE.parse().unwrap(),
        parts: vec![PartDraft { text: text.clone(), segments: 1 }],
        text,
        media: Vec::new(),
        turn: None,
    };
    let line = stage.store().lines().await.unwrap()[0].id;
    stage.store().enqueue(line, draft, stage.now()).await.unwrap();
    telephony_gateway::control::status::notify(stage.state.path()).await.unwrap();
    stage.expect(ALICE, &["hello", "Doors open at 7."]).await;
    stage.expect_rest().await;
    for (text, heard) in [("thanks", Some("Doors open at 7.")), ("bye", None)] {
        stage.text(ALICE, text).await;
        stage.expect_summary(|_| stage.bodies(ALICE).last().is_some_and(|body| body == text)).await;
        let history = agent.history.lock().unwrap().clone();
        assert!(history.iter().all(|past| past.role == Role::Operator));
        assert_eq!(history.first().map(|past| past.text.as_str()), heard, "{text}");
    }
}
