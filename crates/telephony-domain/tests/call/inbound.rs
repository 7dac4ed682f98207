use telephony_domain::call::plan::CallPurpose;
use telephony_domain::call::report::CallStatus;
use telephony_domain::call::script::{Input, Step};
use telephony_domain::call::{Action, Event, Heard, Phase, Prompt};

use crate::stage::{GREETING, Stage, asked, ends, inbound, listens, plan, said, scripts};

#[test]
fn a_caller_hears_the_greeting_and_the_provider_limits_the_time() {
    let (stage, actions) = Stage::answered(inbound());
    assert_eq!(actions[0], Action::LimitTime(300));
    assert_eq!(said(&actions), GREETING);
    assert!(listens(&actions) && !ends(&actions));
    assert_eq!(*stage.call.phase(), Phase::Greeting);
}

#[test]
fn silence_is_asked_about_twice_and_then_ends_the_call() {
    let (mut stage, _) = Stage::answered(inbound());
    for _ in 0..2 {
        assert_eq!(said(&stage.request(None)), "Are you still there?");
    }
    // Speech in between restarts the count.
    stage.hears("Yes.");
    stage.answer(1, "Good.");
    for _ in 0..2 {
        assert_eq!(said(&stage.request(Some(Heard::Speech("".into(), None)))), "Are you still there?");
    }
    let last = stage.request(Some(Heard::Keys("".into())));
    assert_eq!(said(&last), "Goodbye.");
    assert!(ends(&last));
}

#[test]
fn unclear_speech_is_asked_for_again_twice() {
    let unclear = |confidence| Some(Heard::Speech("mumble".into(), confidence));
    let (mut stage, _) = Stage::answered(inbound());
    for turn in 1..=2 {
        let actions = stage.request(unclear(Some(0.29)));
        assert_eq!(actions[0], Action::Keep { turn, words: "(unclear) mumble".into() });
        assert_eq!(said(&actions), "Sorry, I did not catch that. Could you say it again?");
        assert!(asked(&actions).is_empty());
    }
    assert!(ends(&stage.request(unclear(Some(0.1)))));
    for accepted in [None, Some(0.0), Some(0.3), Some(1.0)] {
        let (mut stage, _) = Stage::answered(inbound());
        assert_eq!(asked(&stage.request(unclear(accepted))).len(), 1, "{accepted:?}");
    }
}

#[test]
fn keys_repeat_and_end_and_reach_the_agent() {
    let keys = |keys: &str| Some(Heard::Keys(keys.into()));
    let (mut stage, _) = Stage::answered(inbound());
    assert_eq!(said(&stage.request(keys("0"))), GREETING);
    let actions = stage.request(keys("42"));
    assert!(matches!(asked(&actions)[..], [(1, Prompt::Keys(keys))] if keys.as_str() == "42"));
    assert_eq!(said(&stage.answer(1, "The answer.")), "The answer.");
    assert_eq!(said(&stage.request(keys("0"))), "The answer.");
    let last = stage.request(keys("*"));
    assert!(ends(&last) && said(&last) == "Goodbye.");
}

fn with_pin() -> (Stage, Vec<Action>) {
    Stage::answered(plan(CallPurpose::Inbound { asks_pin: true, is_attested: false }))
}

#[test]
fn the_pin_comes_before_anything_else() {
    let (mut stage, actions) = with_pin();
    assert!(stage.call.asks_pin() && !stage.call.is_proven());
    assert_eq!(said(&actions), "Please enter your PIN, then press the pound key.");
    assert!(matches!(scripts(&actions)[0].0[0], Step::Listen { input: Input::Keys, .. }));
    let wrong = stage.hears("Let me in.");
    assert_eq!(wrong[0], Action::CountWrongPin);
    assert!(asked(&wrong).is_empty() && !said(&wrong).contains(GREETING));
    assert_eq!(said(&stage.request(Some(Heard::Pin { is_correct: true }))), GREETING);
    assert!(!stage.call.asks_pin() && stage.call.is_proven());
}

#[test]
fn three_wrong_pins_or_three_silences_end_the_call() {
    let (mut stage, _) = with_pin();
    for last in [false, false, true] {
        let actions = stage.request(Some(Heard::Pin { is_correct: false }));
        assert_eq!((actions[0].clone(), ends(&actions)), (Action::CountWrongPin, last));
    }
    let (mut stage, _) = with_pin();
    for last in [false, false, true] {
        let actions = stage.request(None);
        assert_eq!((actions.len(), ends(&actions)), (1, last));
    }
}

#[test]
fn a_caller_who_did_not_prove_their_number_is_not_texted_about_a_missed_call() {
    let texted = |actions: &[Action]| actions.iter().any(|action| matches!(action, Action::Text { .. }));
    let unclear = Some(Heard::Speech("mumble".into(), Some(0.1)));
    for (asks_pin, heard, is_texted) in [(true, None, false), (false, None, true), (false, unclear, true)] {
        let mut plan = plan(CallPurpose::Inbound { asks_pin, is_attested: false });
        plan.missed_call_text = Some("Sorry, I missed you.".into());
        let (mut stage, _) = Stage::answered(plan);
        let mut actions = Vec::new();
        for _ in 0..3 {
            actions.extend(stage.request(heard.clone()));
        }
        actions.extend(stage.on(Event::Status(CallStatus::Completed)));
        assert_eq!(texted(&actions), is_texted, "asks for the PIN: {asks_pin}");
    }
}

#[test]
fn a_correct_pin_does_not_reach_the_agent() {
    let (mut stage, _) = Stage::answered(inbound());
    assert!(asked(&stage.request(Some(Heard::Pin { is_correct: true }))).is_empty());
}
