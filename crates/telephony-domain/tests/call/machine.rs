use telephony_domain::call::plan::{CallPlan, CallPurpose, MachineRule};
use telephony_domain::call::report::AnsweredBy;
use telephony_domain::call::{Action, Event, Heard, Prompt};

use crate::stage::{Stage, asked, conversation, ends, listens, notify, said};

fn with_rule(mut plan: CallPlan, rule: MachineRule) -> CallPlan {
    if let CallPurpose::Notify { dialing, .. } | CallPurpose::Conversation { dialing, .. } = &mut plan.purpose {
        dialing.machine = rule;
    }
    plan
}

#[test]
fn a_machine_gets_the_message_after_the_beep() {
    for who in [AnsweredBy::MachineEnd, AnsweredBy::MachineStart] {
        let actions = Stage::new(notify("Call back.")).request_of(who);
        assert!(said(&actions) == "Call back." && ends(&actions));
    }
    // Recognized during the greeting.
    let (mut stage, _) = Stage::answered(conversation(Some("Call back."), false));
    let actions = stage.on(Event::AnsweredBy(AnsweredBy::MachineEnd));
    assert!(matches!(actions[..], [Action::Interrupt(_)]));
    assert!(said(&actions) == "Call back." && ends(&actions));
    assert_eq!(stage.on(Event::AnsweredBy(AnsweredBy::MachineEnd)), [], "once");
}

#[test]
fn the_agent_words_the_message_of_a_task_and_nothing_else_is_recorded() {
    let (mut stage, _) = Stage::answered(conversation(None, true));
    let actions = stage.on(Event::AnsweredBy(AnsweredBy::MachineEnd));
    assert_eq!(asked(&actions), [(2, &Prompt::LeaveMessage)]);
    stage.request(None);
    assert_eq!(said(&stage.next_timer()), "", "no filler");
    assert_eq!(said(&stage.answer(1, "I would like a table.")), "");
    let actions = stage.answer(2, "Please call back about a table.");
    assert!(said(&actions) == "Please call back about a table." && ends(&actions));
}

#[test]
fn an_agent_without_a_message_for_the_machine_ends_the_call() {
    let (mut stage, _) = Stage::answered(conversation(None, true));
    stage.on(Event::AnsweredBy(AnsweredBy::MachineEnd));
    assert_eq!(stage.on(Event::NoAnswer { turn: 2 }), [Action::HangUp]);
    let (mut stage, _) = Stage::answered(conversation(None, false));
    assert_eq!(stage.on(Event::AnsweredBy(AnsweredBy::MachineEnd)), [Action::HangUp]);
}

#[test]
fn first_words_reveal_a_machine() {
    for words in [
        "You have reached Ann. Please leave a message after the tone.",
        "The person you called is Not Available.",
        "I can\u{2019}t take your call right now",
    ] {
        let (mut stage, _) = Stage::answered(conversation(Some("Call back."), false));
        let actions = stage.hears(words);
        assert!(said(&actions) == "Call back." && ends(&actions), "{words}");
        assert!(asked(&actions).is_empty());
    }
    // The agent opens the call, and the machine speaks after it.
    let (mut stage, _) = Stage::answered(conversation(None, true));
    stage.answer(1, "I would like a table.");
    stage.request(None);
    let actions = stage.hears("Please leave a message after the tone.");
    assert_eq!(asked(&actions), [(2, &Prompt::LeaveMessage)]);
    // The first words were unclear.
    let (mut stage, _) = Stage::answered(conversation(Some("Call back."), false));
    stage.request(Some(Heard::Speech("mumble".into(), Some(0.1))));
    assert!(ends(&stage.hears("Leave a message after the tone.")));
    // A person may say so later, or on an inbound call.
    let (mut stage, _) = Stage::answered(conversation(Some("Is Bob there?"), false));
    stage.hears("No.");
    stage.answer(1, "When is he back?");
    assert_eq!(asked(&stage.hears("He is not available today. Please leave a message.")).len(), 1);
}

#[test]
fn a_person_may_answer_that_another_one_is_not_available() {
    for words in [
        "He is not available today.",
        "Ann can't take your call right now.",
        "She is out. Would you like to leave a message?",
        "You can leave a message with me.",
    ] {
        let (mut stage, _) = Stage::answered(conversation(None, true));
        stage.answer(1, "May I speak to Ann?");
        stage.request(None);
        assert_eq!(asked(&stage.hears(words)), [(2, &Prompt::Speech(words.into()))]);
    }
}

#[test]
fn words_that_come_after_a_machine_is_recognized_are_kept_and_the_message_is_said() {
    let (mut stage, _) = Stage::answered(conversation(None, true));
    stage.answer(1, "I would like a table.");
    stage.request(None);
    assert_eq!(asked(&stage.on(Event::AnsweredBy(AnsweredBy::MachineStart))), [(2, &Prompt::LeaveMessage)]);
    let words = "(answering machine) You have reached Ann.".into();
    assert_eq!(stage.hears("You have reached Ann."), [Action::Keep { turn: 3, words }]);
    assert_eq!(stage.call.open_turns().collect::<Vec<_>>(), [2]);
    let actions = stage.answer(2, "Please call back about a table.");
    assert!(said(&actions) == "Please call back about a table." && ends(&actions));
}

#[test]
fn machines_are_hung_up_on_or_talked_to_as_configured() {
    for who in [AnsweredBy::MachineEnd, AnsweredBy::Fax] {
        let mut stage = Stage::new(with_rule(notify("x"), MachineRule::HangUp));
        let actions = stage.request_of(who);
        assert!(said(&actions).is_empty() && ends(&actions) && actions.contains(&Action::HangUp));
    }
    let mut stage = Stage::new(with_rule(conversation(Some("x"), false), MachineRule::Off));
    assert!(listens(&stage.request_of(AnsweredBy::MachineEnd)));
    assert_eq!(asked(&stage.hears("Please leave a message.")).len(), 1);
}

#[test]
fn people_and_unknown_answerers_are_talked_to_and_a_fax_is_not() {
    for who in [AnsweredBy::Human, AnsweredBy::Unknown] {
        let mut stage = Stage::new(conversation(Some("x"), false));
        assert!(listens(&stage.request_of(who)));
        assert_eq!(stage.on(Event::AnsweredBy(who)), []);
    }
    let (mut stage, _) = Stage::answered(conversation(Some("x"), false));
    assert_eq!(stage.on(Event::AnsweredBy(AnsweredBy::Fax)), [Action::HangUp]);
}
