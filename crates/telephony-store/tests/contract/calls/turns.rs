//! The turns of a call: each stored once, answered by speech or by text.

use telephony_domain::call::afterwards::SummaryRecipient;
use telephony_domain::call::plan::CallPlan;
use telephony_domain::call::report::CallStatus;
use telephony_domain::call::token::CallToken;
use telephony_domain::call::words::Words;
use telephony_domain::call::{Event, Prompt};
use telephony_domain::policy::InboundPolicy;
use telephony_store::calls::{CallOpening, CallRules, CallTurnOutcome, DueCall, Requested};

use super::super::world::{ANN, BOB, World, at, gateway, number};
use super::{OPERATOR, document, incoming, rules, work};

#[tokio::test]
async fn a_token_belongs_to_one_call_and_an_old_one_gets_the_current_document() {
    let world = World::new().await;
    let ann = world.answered("CA1", 1).await;
    assert!(matches!(world.request("CA2", &ann.token, None, 2).await, Requested::ForeignCall));
    let guess = CallToken::from_random([0; 16]);
    assert!(matches!(world.request("CA1", &guess, None, 2).await, Requested::UnknownToken));
    let silent = world.requested(&ann, None, 10).await;
    assert_ne!(silent.token, ann.token);
    let again = world.requested(&ann, Some("too late"), 11).await;
    assert_eq!((document(&again), &again.token, again.asked.len()), (document(&silent), &silent.token, 0));
}

#[tokio::test]
async fn words_are_stored_before_the_agent_is_asked_and_once() {
    let world = World::new().await;
    world.says(ANN, "a text", at(1)).await;
    let turn = world.lease(at(1)).await;
    let call = world.answered("CA1", 2).await;
    let asked = world.requested(&call, Some("what time is it"), 3).await;
    let again = world.requested(&call, Some("what time is it"), 3).await;
    assert_eq!((asked.asked.len(), again.asked.len(), document(&again)), (1, 0, None));
    assert!(asked.asked[0].id > turn.lease.turn && asked.asked[0].number == 1);
    let transcript = world.store.call(call.call).await.unwrap().unwrap().turns;
    assert_eq!((transcript.len(), transcript[0].prompt.words().map(Words::as_str)), (1, Some("what time is it")));
    world.says(BOB, "another text", at(4)).await;
    assert!(world.lease(at(4)).await.lease.turn > asked.asked[0].id, "one sequence of ids");
    let answered = world.change(call.call, Event::Answer { turn: 1, text: "It is noon.".into() }, 4).await;
    assert!(document(&answered).is_some_and(|script| script.spoken().any(|words| words.as_str() == "It is noon.")));
    let transcript = world.store.call(call.call).await.unwrap().unwrap().turns;
    assert_eq!(transcript[0].answer.as_ref().map(|answer| answer.as_str()), Some("It is noon."));
    assert_eq!(transcript[0].outcome, Some(CallTurnOutcome::Answered));
}

#[tokio::test]
async fn words_said_while_a_call_ends_are_in_the_transcript_once() {
    let world = World::new().await;
    let first = world.answered("CA1", 1).await;
    assert!(matches!(world.due(gateway(), 297).await, Some(DueCall::Fired(_))));
    for now in [297, 298] {
        let step = world.requested(&first, Some("One thing more."), now).await;
        assert!(step.asked.is_empty() && document(&step).is_some());
    }
    let turns = world.store.call(first.call).await.unwrap().unwrap().turns;
    let words: Vec<_> = turns.iter().map(|turn| (turn.prompt.words().map(Words::as_str), turn.outcome)).collect();
    assert_eq!(words, [(Some("One thing more."), Some(CallTurnOutcome::None))]);
}

#[tokio::test]
async fn an_answer_to_a_caller_who_hung_up_is_texted_once_or_kept() {
    for (opts_out, outcome) in [(false, CallTurnOutcome::Texted), (true, CallTurnOutcome::Unheard)] {
        let world = World::new().await;
        let call = world.answered("CA1", 1).await;
        world.requested(&call, Some("what time is it"), 2).await;
        if opts_out {
            world.says(ANN, "STOP", at(2)).await;
        }
        world.change(call.call, Event::Status(CallStatus::Completed), 3).await;
        let answer = Event::Answer { turn: 1, text: "It is **noon**.".into() };
        world.change(call.call, answer.clone(), 4).await;
        world.change(call.call, answer, 5).await;
        let turns = world.store.call(call.call).await.unwrap().unwrap().turns;
        assert_eq!(turns[0].outcome, Some(outcome));
        if opts_out {
            assert_eq!(world.parts_idle(at(6)).await, None);
        } else {
            assert_eq!(world.start(at(6)).await.text, "It is noon.");
        }
    }
}

#[tokio::test]
async fn a_text_beside_a_spoken_answer_leaves_the_answer_spoken() {
    for (answer, sent) in [
        ("See https://example.com/x", Some("https://example.com/x")),
        ("Hello.\ntext: A note", Some("A note")),
        ("Hello.\ntext: ```", None),
    ] {
        let world = World::new().await;
        let call = world.answered("CA1", 1).await;
        world.requested(&call, Some("what time is it"), 2).await;
        let answered = world.change(call.call, Event::Answer { turn: 1, text: answer.into() }, 3).await;
        assert!(document(&answered).is_some(), "{answer}");
        let turns = world.store.call(call.call).await.unwrap().unwrap().turns;
        assert_eq!(turns[0].outcome, Some(CallTurnOutcome::Answered), "{answer}");
        match sent {
            Some(text) => assert_eq!(world.start(at(4)).await.text, text),
            None => assert_eq!(world.parts_idle(at(4)).await, None),
        }
    }
}

#[tokio::test]
async fn a_summary_is_texted_to_its_recipient_or_counts_as_unheard() {
    for (recipient, opts_out, to) in [
        (SummaryRecipient::Operator, false, Some(OPERATOR)),
        (SummaryRecipient::Contact, false, Some(ANN)),
        (SummaryRecipient::Contact, true, None),
    ] {
        let world = World::new().await;
        let plan = CallPlan { summary: Some(recipient), ..rules(InboundPolicy::Open).plan };
        let rules = CallRules { plan, ..rules(InboundPolicy::Open) };
        let CallOpening::Open(call) = world.store.open_call(incoming("CA1", ANN), rules, work(), at(1)).await.unwrap()
        else {
            panic!("not admitted")
        };
        world.requested(&call, Some("what time is it"), 2).await;
        world.change(call.call, Event::Answer { turn: 1, text: "It is noon.".into() }, 3).await;
        let over = world.change(call.call, Event::Status(CallStatus::Completed), 4).await;
        assert_eq!((over.asked.len(), &over.asked[0].prompt), (1, &Prompt::Summarize));
        if opts_out {
            world.says(ANN, "STOP", at(4)).await;
        }
        world.change(call.call, Event::Answer { turn: 2, text: "Ann asked for the time.".into() }, 5).await;
        let turns = world.store.call(call.call).await.unwrap().unwrap().turns;
        match to {
            Some(to) => {
                assert_eq!(turns[1].outcome, Some(CallTurnOutcome::Texted));
                let sent = world.start(at(6)).await;
                assert_eq!((sent.to, sent.text.as_str()), (number(to), "Ann asked for the time."));
            }
            None => {
                assert_eq!(turns[1].outcome, Some(CallTurnOutcome::Unheard));
                assert_eq!(world.parts_idle(at(6)).await, None);
            }
        }
    }
}

#[tokio::test]
async fn a_summary_that_cannot_be_texted_is_not_asked_for() {
    let world = World::new().await;
    let plan = CallPlan { summary: Some(SummaryRecipient::Contact), ..rules(InboundPolicy::Open).plan };
    let rules = CallRules { plan, ..rules(InboundPolicy::Open) };
    let CallOpening::Open(call) = world.store.open_call(incoming("CA1", ANN), rules, work(), at(1)).await.unwrap()
    else {
        panic!("not admitted")
    };
    world.requested(&call, Some("what time is it"), 2).await;
    world.change(call.call, Event::Answer { turn: 1, text: "It is noon.".into() }, 3).await;
    world.says(ANN, "STOP", at(3)).await;
    let over = world.change(call.call, Event::Status(CallStatus::Completed), 4).await;
    assert_eq!(over.asked, []);
}

#[tokio::test]
async fn an_answer_after_a_purge_is_not_texted() {
    let world = World::new().await;
    let call = world.answered("CA1", 0).await;
    world.requested(&call, Some("what time is it"), 1).await;
    world.store.purge(&number(ANN), 10, at(2)).await.unwrap();
    world.answered_too_late(call.call, 3).await;
}

#[tokio::test]
async fn the_control_line_is_not_in_the_transcript() {
    let world = World::new().await;
    let call = world.answered("CA1", 0).await;
    world.requested(&call, Some("goodbye"), 1).await;
    world.change(call.call, Event::Answer { turn: 1, text: "Bye!\nend call".into() }, 2).await;
    let turns = world.store.call(call.call).await.unwrap().unwrap().turns;
    assert_eq!(turns[0].answer, Some(Words::from("Bye!")));
}
