use telephony_domain::call::report::CallStatus;
use telephony_domain::call::{Action, Event, Heard, Phase};

use crate::stage::{Stage, asked, ends, inbound, listens, notify, said, seconds};

#[test]
fn a_call_that_ends_sooner_than_its_words_can_be_said_is_cut_off() {
    for (after, is_cut_off) in [(0, true), (4, true), (5, false), (60, false)] {
        let (mut stage, _) = Stage::answered(notify(&"a".repeat(100)));
        stage.now = stage.now + seconds(after);
        stage.on(Event::Status(CallStatus::Completed));
        assert_eq!(stage.call.is_cut_off(), is_cut_off, "after {after} s");
        stage.on(Event::Status(CallStatus::Completed));
        assert_eq!(stage.call.is_cut_off(), is_cut_off, "a repetition changes nothing");
    }
    let (mut stage, _) = Stage::answered(inbound());
    stage.hears("Thank you, goodbye.");
    stage.on(Event::Status(CallStatus::Completed));
    assert!(!stage.call.is_cut_off(), "everything was said before they spoke");
    let mut unanswered = Stage::new(notify("The parcel is here."));
    unanswered.on(Event::Status(CallStatus::Busy));
    assert!(!unanswered.call.is_cut_off());
}

#[test]
fn the_end_is_announced_while_we_listen() {
    let (mut stage, _) = Stage::answered(inbound());
    assert_eq!(stage.pass(seconds(279)), []);
    let warning = stage.pass(seconds(1));
    assert!(matches!(warning[..], [Action::Interrupt(_)]));
    assert_eq!(said(&warning), "We have less than 20 seconds left.");
    assert!(listens(&warning));
    let farewell = stage.pass(seconds(15));
    assert!(matches!(farewell[..], [Action::Interrupt(_)]));
    assert!(ends(&farewell) && said(&farewell) == "Our time is up. Goodbye.");
    assert_eq!(stage.pass(seconds(5)), [Action::HangUp]);
    assert!(stage.is_over());
}

#[test]
fn the_end_is_announced_with_the_answer_while_the_agent_works() {
    let (mut stage, _) = Stage::answered(inbound());
    stage.pass(seconds(279));
    stage.hears("Quick!");
    assert_eq!(stage.pass(seconds(1)), []);
    assert_eq!(said(&stage.answer(1, "Yes.")), "We have less than 20 seconds left. / Yes.");
}

#[test]
fn words_that_come_with_the_warning_count() {
    let (mut stage, _) = Stage::answered(inbound());
    stage.pass(seconds(280));
    assert_eq!(asked(&stage.hears("One thing more.")).len(), 1);
}

#[test]
fn a_short_call_ends_without_a_warning_and_with_a_goodbye() {
    for length in [1, 4, 30, 59] {
        let mut plan = inbound();
        plan.max_duration = seconds(length);
        let (mut stage, _) = Stage::answered(plan);
        let start = stage.now;
        let farewell = stage.next_timer();
        assert_eq!(said(&farewell), "Our time is up. Goodbye.", "{length}");
        assert!(stage.now > start);
        assert_eq!(stage.next_timer(), [Action::HangUp]);
        assert_eq!(stage.now, start + seconds(length));
    }
}

#[test]
fn a_request_that_waits_at_the_end_gets_a_document() {
    let (mut stage, _) = Stage::answered(inbound());
    stage.call.set_can_be_texted(false);
    stage.pass(seconds(294));
    stage.hears("Still there?");
    let actions = stage.pass(seconds(6));
    assert!(matches!(actions[0], Action::Respond(_)));
    assert!(ends(&actions));
}

#[test]
fn a_call_whose_end_was_said_and_not_reported_is_hung_up() {
    let (mut stage, _) = Stage::answered(inbound());
    stage.hears("Bye.");
    stage.answer(1, "Bye!\nend call");
    assert_eq!(stage.next_timer(), [Action::HangUp]);
    assert!(stage.is_over() && stage.now < stage.call.deadline());
}

#[test]
fn words_said_while_the_call_ends_are_kept_once() {
    let (mut stage, _) = Stage::answered(inbound());
    stage.pass(seconds(295));
    for (time, turn, words) in [(0, 1, "One thing more."), (5, 2, "Hello?")] {
        stage.pass(seconds(time));
        let step = stage.call.step();
        let heard = || Some(Heard::Speech(words.into(), Some(0.9)));
        let kept = stage.on(Event::Request { step, heard: heard(), answered_by: None });
        assert!(
            matches!(&kept[..], [Action::Keep { turn: number, words: said }, Action::Respond(_)]
            if *number == turn && said.as_str() == words),
            "{kept:?}"
        );
        assert!(ends(&kept));
        let again = stage.on(Event::Request { step, heard: heard(), answered_by: None });
        assert!(matches!(again[..], [Action::Respond(_)]), "{again:?}");
    }
}

#[test]
fn after_the_end_a_request_is_hung_up_without_a_word() {
    for word in ["completed", "busy", "failed", "no-answer", "canceled"] {
        let (mut stage, _) = Stage::answered(inbound());
        stage.on(Event::Status(word.parse().unwrap()));
        assert_eq!(*stage.call.phase(), Phase::Over);
        let late = stage.request(None);
        assert_eq!((said(&late).as_str(), ends(&late), late.len()), ("", true, 1));
        assert_eq!(stage.call.next_timer(), None);
    }
}
