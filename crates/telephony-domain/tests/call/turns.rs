use std::time::Duration;

use telephony_domain::call::plan::CallPlan;
use telephony_domain::call::report::CallStatus;
use telephony_domain::call::script::Step;
use telephony_domain::call::{Action, Event, Phase, Prompt};

use crate::stage::{FILLER, Stage, asked, ends, inbound, listens, said, scripts, seconds, texts};

#[test]
fn the_agent_gets_the_words_and_its_answer_is_said() {
    let (mut stage, _) = Stage::answered(inbound());
    let actions = stage.hears("What is the weather?");
    assert_eq!(actions, [Action::Ask { turn: 1, prompt: Prompt::Speech("What is the weather?".into()) }]);
    let actions = stage.answer(1, "It is *sunny*.");
    assert!(matches!(actions[0], Action::Respond(_)));
    assert_eq!(said(&actions), "It is sunny.");
    assert!(listens(&actions));
    assert_eq!(*stage.call.phase(), Phase::Speaking);
}

#[test]
fn a_slow_agent_is_bridged_by_fillers_in_turn() {
    let (mut stage, _) = Stage::answered(inbound());
    stage.hears("Book a table.");
    assert_eq!(stage.pass(Duration::from_millis(1499)), []);
    let actions = stage.pass(Duration::from_millis(1));
    assert_eq!(said(&actions), FILLER);
    assert_eq!(scripts(&actions)[0].0[1..], [Step::Pause(1), Step::Continue]);
    assert_eq!(stage.request(None), []);
    assert_eq!(said(&stage.pass(seconds(5))), "Still working on it.");
    assert_eq!(stage.request(None), []);
    // The answer arrives while the request waits, and while a document runs.
    assert_eq!(said(&stage.answer(1, "Done.")), "Done.");
    stage.hears("Thanks.");
    stage.pass(seconds(2));
    assert_eq!(stage.answer(2, "You are welcome."), []);
    assert_eq!(said(&stage.request(None)), "You are welcome.");
}

#[test]
fn without_fillers_there_is_only_a_pause() {
    let mut plan = inbound();
    plan.fillers.clear();
    let (mut stage, _) = Stage::answered(plan);
    stage.hears("Book a table.");
    assert_eq!(scripts(&stage.pass(seconds(2)))[0].0, [Step::Pause(1), Step::Continue]);
}

/// A call that has waited too long for the answer to its first turn.
fn after_the_promise() -> Stage {
    let (mut stage, _) = Stage::answered(inbound());
    stage.hears("Write a novel.");
    for _ in 0..4 {
        stage.pass(seconds(5));
        stage.request(None);
    }
    let actions = stage.pass(seconds(5));
    assert!(said(&actions).contains("I will text you the answer"), "{}", said(&actions));
    assert!(listens(&actions));
    stage
}

#[test]
fn an_answer_that_takes_too_long_comes_by_text() {
    let mut stage = after_the_promise();
    assert_eq!(texts(&stage.answer(1, "Call me *Ishmael*.")), [(1, "Call me *Ishmael*.")]);
    assert_eq!(stage.answer(1, "Call me Ishmael."), [], "once");
    // Texts that the agent requests are sent too.
    assert_eq!(texts(&after_the_promise().answer(1, "Done.\ntext: Room 5")), [(1, "Done.\n\nRoom 5")]);
    assert_eq!(after_the_promise().answer(1, "end call"), []);
}

#[test]
fn a_promised_answer_that_does_not_come_is_apologized_for() {
    let mut stage = after_the_promise();
    stage.hears("And the time?");
    let apology = "Sorry, I could not find the answer that I promised on the phone. Please ask again.";
    let actions = stage.on(Event::NoAnswer { turn: 1 });
    assert_eq!(texts(&actions), [(1, apology)]);
    assert_eq!(stage.on(Event::NoAnswer { turn: 1 }), [], "once");
    // Nothing was promised about the second question.
    stage.on(Event::Status(CallStatus::Completed));
    assert_eq!(stage.on(Event::NoAnswer { turn: 2 }), []);
}

#[test]
fn a_late_answer_is_not_spoken_in_a_newer_turn() {
    let mut stage = after_the_promise();
    assert_eq!(asked(&stage.hears("And the time?")).len(), 1);
    let late = stage.answer(1, "Call me Ishmael.");
    assert_eq!((said(&late).as_str(), texts(&late).len()), ("", 1));
    assert_eq!(said(&stage.answer(2, "Ten.")), "Ten.");
}

#[test]
fn a_caller_who_cannot_be_texted_waits_to_the_end() {
    let (mut stage, _) = Stage::answered(inbound());
    stage.hears("Write a novel.");
    // They opt out during the call.
    stage.call.set_can_be_texted(false);
    let mut heard = Vec::new();
    while !stage.is_over() {
        let actions = stage.next_timer();
        heard.push(said(&actions));
        if matches!(stage.call.phase(), Phase::Thinking(_)) {
            stage.request(None);
        }
    }
    assert!(heard.iter().all(|words| !words.contains("text you")), "{heard:?}");
    let late = stage.answer(1, "Call me Ishmael.");
    assert!(matches!(&late[..], [Action::KeepUnheard { turn: 1, .. }]), "{late:?}");
}

#[test]
fn a_promise_that_was_not_said_yet_is_withdrawn_when_the_caller_opts_out() {
    let (mut stage, _) = Stage::answered(inbound());
    stage.hears("Write a novel.");
    stage.pass(seconds(2));
    assert_eq!(stage.pass(seconds(23)), [], "the filler still plays");
    stage.call.set_can_be_texted(false);
    assert_eq!(stage.request(None), []);
    assert_eq!(said(&stage.answer(1, "Call me Ishmael.")), "Call me Ishmael.");
}

#[test]
fn nothing_is_texted_to_a_caller_who_opts_out_after_a_promise() {
    let no_longer = || {
        let mut stage = after_the_promise();
        stage.call.set_can_be_texted(false);
        stage
    };
    let late = no_longer().answer(1, "Call me Ishmael.");
    assert!(matches!(&late[..], [Action::KeepUnheard { turn: 1, .. }]), "{late:?}");
    assert_eq!(no_longer().on(Event::NoAnswer { turn: 1 }), []);
    let mut stage = no_longer();
    stage.hears("Send it.");
    let actions = stage.answer(2, "It is at https://example.com/x.\ntext: Room 5");
    assert_eq!((texts(&actions), said(&actions).as_str()), (vec![], "It is at a link."));
}

#[test]
fn an_answer_to_a_caller_who_hung_up_is_texted() {
    for is_ready in [false, true] {
        let (mut stage, _) = Stage::answered(inbound());
        stage.hears("Where is it?");
        stage.pass(seconds(2));
        let over = Event::Status("completed".parse().unwrap());
        let actions = if is_ready {
            assert_eq!(stage.answer(1, "On the roof."), []);
            stage.on(over)
        } else {
            assert_eq!(stage.on(over), []);
            stage.answer(1, "On the roof.")
        };
        assert_eq!(texts(&actions), [(1, "On the roof.")]);
    }
}

#[test]
fn an_agent_that_fails_or_says_nothing_does_not_freeze_the_call() {
    let (mut stage, _) = Stage::answered(inbound());
    stage.hears("Hm?");
    let actions = stage.on(Event::NoAnswer { turn: 1 });
    assert!(said(&actions).starts_with("Sorry") && listens(&actions));
    stage.hears("Hm?");
    assert_eq!(said(&stage.answer(2, " 👍 ")), "Is there anything else?");
}

#[test]
fn the_agent_ends_the_call_presses_keys_and_texts() {
    let (mut stage, _) = Stage::answered(inbound());
    stage.hears("Do it.");
    let actions = stage.answer(1, "Pressing.\nkeys: 1w2");
    assert_eq!(scripts(&actions)[0].0[..2], [Step::Say("Pressing.".into()), Step::Press("1w2".into())]);
    assert!(listens(&actions));
    stage.hears("Send it.");
    let actions = stage.answer(2, "It is at https://example.com/x.\ntext: Room 5");
    assert_eq!(texts(&actions), [(2, "https://example.com/x\nRoom 5")]);
    assert_eq!(said(&actions), "It is at a link, I will text it to you.");
    stage.hears("Bye.");
    let actions = stage.answer(3, "See you!\nend call");
    assert!(ends(&actions) && said(&actions) == "See you!");
}

#[test]
fn a_repeated_request_gets_the_same_document_and_an_old_one_the_current() {
    let (mut stage, first) = Stage::answered(inbound());
    let repeat = |step| Event::Request { step, heard: None, answered_by: None };
    assert_eq!(stage.on(repeat(0)), first[1..]);
    stage.hears("Hello?");
    assert_eq!(stage.on(repeat(1)), [], "it waits with the first");
    let answer = stage.answer(1, "Hi.");
    for step in [0, 1, 7] {
        assert_eq!(stage.on(repeat(step)), answer);
    }
}

#[test]
fn ten_thousand_turns_do_not_make_a_call_larger() {
    let day = Duration::from_secs(24 * 60 * 60);
    let (mut stage, _) = Stage::answered(CallPlan { max_duration: day, ..inbound() });
    let size = |stage: &Stage| serde_json::to_string(&stage.call).unwrap().len();
    let mut after_ten = 0;
    for turn in 1..=10_000 {
        assert_eq!(asked(&stage.hears("Again."))[0].0, turn);
        assert_eq!(said(&stage.answer(turn, "Again.")), "Again.");
        stage.now = stage.now + seconds(5);
        if turn == 10 {
            after_ten = size(&stage);
        }
    }
    // Only its numbers have more digits.
    assert!(size(&stage) < after_ten + 50, "{after_ten} bytes grew to {}", size(&stage));
}
