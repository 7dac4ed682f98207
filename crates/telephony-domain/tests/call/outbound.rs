use telephony_domain::call::{Action, Event, Phase, Prompt};

use crate::stage::{GREETING, Stage, asked, conversation, ends, listens, notify, said, seconds};

fn status(word: &str) -> Event {
    Event::Status(word.parse().unwrap())
}

#[test]
fn a_notice_is_said_once_and_the_call_ends() {
    let (_, actions) = Stage::answered(notify("The oven is on."));
    assert_eq!(said(&actions), "The oven is on.");
    assert!(ends(&actions) && !listens(&actions));
    assert!(!actions.contains(&Action::LimitTime(300)), "the provider got it with the call");
}

#[test]
fn a_conversation_opens_with_the_message_or_the_greeting() {
    let (stage, actions) = Stage::answered(conversation(Some("Dinner is ready."), true));
    assert_eq!(said(&actions), format!("{GREETING} Dinner is ready."));
    assert!(listens(&actions) && *stage.call.phase() == Phase::Greeting);
    assert_eq!(said(&Stage::answered(conversation(None, false)).1), GREETING);
}

#[test]
fn the_agent_opens_a_call_with_a_task() {
    let (mut stage, actions) = Stage::answered(conversation(None, true));
    assert_eq!(asked(&actions), [(1, &Prompt::Open)]);
    assert_eq!(said(&actions), GREETING);
    assert_eq!(stage.answer(1, "I would like a table for two."), []);
    let actions = stage.request(None);
    assert_eq!(said(&actions), "I would like a table for two.");
    assert!(listens(&actions));
}

#[test]
fn a_call_that_is_still_queued_after_a_minute_is_canceled() {
    let mut stage = Stage::new(notify("x"));
    assert_eq!(stage.pass(seconds(59)), []);
    assert_eq!(stage.pass(seconds(1)), [Action::Check]);
    assert_eq!(stage.pass(seconds(1)), []);
    assert_eq!(stage.on(status("queued")), [Action::Cancel]);
    let answered = stage.request(None);
    assert!(ends(&answered) && said(&answered).is_empty());
}

#[test]
fn a_phone_that_rings_is_not_canceled() {
    let mut stage = Stage::new(notify("x"));
    stage.on(status("queued"));
    stage.pass(seconds(60));
    assert_eq!(stage.on(status("ringing")), []);
    // Reports of ringing continue.
    for _ in 0..10 {
        assert_eq!(stage.pass(seconds(50)), []);
        stage.on(status("ringing"));
    }
    assert_eq!(stage.pass(seconds(60)), [Action::HangUp], "30 s of ringing and 30 s of grace");
}

#[test]
fn the_time_counts_from_the_answer_also_while_a_machine_is_looked_for() {
    let mut stage = Stage::new(notify("x"));
    stage.pass(seconds(20));
    stage.on(status("in-progress"));
    let deadline = stage.now + seconds(300);
    stage.pass(seconds(10));
    assert_eq!(said(&stage.request(None)), "x");
    assert_eq!(stage.call.deadline(), deadline);
}

#[test]
fn a_call_without_reports_ends_after_the_longest_ringing() {
    let mut stage = Stage::new(notify("x"));
    let start = stage.now;
    assert_eq!(stage.next_timer(), [Action::Check]);
    assert_eq!(stage.next_timer(), [Action::HangUp]);
    assert_eq!(stage.now, start + seconds(120));
}
