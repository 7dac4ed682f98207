//! The end of a call: timers, leases, a new gateway, final statuses, and deletion.

use telephony_domain::call::report::CallStatus;
use telephony_domain::call::script::{Script, Step};
use telephony_domain::call::{Action, Event};
use telephony_domain::policy::InboundPolicy;
use telephony_store::LeaseHolder;
use telephony_store::calls::{CALL_LEASE, CallState, DueCall, IncomingCall, MissedCall};
use telephony_store::contacts::Who;

use super::super::world::{ANN, LINE, World, at, gateway, number};
use super::{document, rules, words_of, work, work_of};

#[tokio::test]
async fn timers_fire_and_a_call_that_hears_nothing_more_is_ended_at_its_deadline() {
    let world = World::new().await;
    let call = world.answered("CA1", 0).await;
    world.requested(&call, Some("hello"), 1).await;
    let Some(DueCall::Fired(filler)) = world.due(gateway(), 3).await else { panic!("no filler") };
    assert!(document(&filler).is_some_and(|script| script.0.contains(&Step::Continue)));
    let mut ended = Vec::new();
    for now in 4..330 {
        while let Some(due) = world.due(gateway(), now).await {
            match due {
                DueCall::End(id, provider_id, attempt) => ended.push((id, provider_id, attempt, now)),
                DueCall::Fired(_) | DueCall::Silent(..) => {}
                other => panic!("it is ours, and the contact called: {other:?}"),
            }
        }
    }
    assert_eq!(ended[0], (call.call, Some("CA1".to_owned()), 0, 300));
    assert!((4..10).contains(&ended.len()), "attempts become rarer: {ended:?}");
    assert_eq!(world.state(call.call).await, CallState::Ending);
    world.store.close_call(call.call, at(331)).await.unwrap();
    assert_eq!((world.state(call.call).await, world.due(gateway(), 9_999).await.is_none()), (CallState::Over, true));
}

#[tokio::test]
async fn an_event_on_a_call_that_is_being_ended_does_not_hasten_the_next_attempt() {
    let world = World::new().await;
    let call = world.answered("CA1", 0).await;
    for now in [300, 302] {
        assert!(matches!(world.due(gateway(), now).await, Some(DueCall::Fired(_) | DueCall::End(..))));
        while world.due(gateway(), now).await.is_some() {}
    }
    assert_eq!(world.state(call.call).await, CallState::Ending);
    world.requested(&call, Some("hello"), 303).await;
    world.change(call.call, Event::Status(CallStatus::InProgress), 303).await;
    assert!(world.due(gateway(), 305).await.is_none(), "4 s after the second attempt");
    assert!(matches!(world.due(gateway(), 306).await, Some(DueCall::End(..))));
}

#[tokio::test]
async fn a_silent_call_is_due_once_per_lease_and_an_orphaned_one_is_taken_over_with_its_question() {
    let world = World::new().await;
    let call = world.answered("CA1", 0).await;
    let lease = i64::try_from(CALL_LEASE.as_secs()).unwrap();
    assert!(world.due(gateway(), lease - 1).await.is_none());
    assert!(matches!(world.due(gateway(), lease).await, Some(DueCall::Silent(..))));
    assert!(world.due(gateway(), lease).await.is_none(), "once for each lease");
    world.requested(&call, Some("hello"), lease).await;
    let world = world.restarted();
    let other = LeaseHolder("gateway-2".to_owned());
    assert!(world.due(other.clone(), lease).await.is_none(), "leased to another");
    assert_eq!(world.store.free_calls(&other, at(lease)).await.unwrap(), 1);
    let Some(DueCall::TakenOver(step)) = world.due(other, lease).await else { panic!("not taken over") };
    assert_eq!((step.call, step.asked.len(), words_of(&step.asked[0])), (call.call, 1, "hello".to_owned()));
    assert_eq!(step.actions, [Action::LimitTime(300)], "the other may not have set it");
}

#[tokio::test]
async fn the_first_event_at_a_new_gateway_takes_the_call_over() {
    let world = World::new().await;
    let call = world.answered("CA1", 0).await;
    world.requested(&call, Some("hello"), 1).await;
    let other = LeaseHolder("gateway-2".to_owned());
    let world = world.restarted_as(&other, 2).await;
    let ringing = || Event::Status(CallStatus::InProgress);
    let step = world.store.change_call(call.call, ringing(), work_of(other.clone()), at(2)).await.unwrap();
    assert_eq!(step.asked.iter().map(words_of).collect::<Vec<_>>(), ["hello"]);
    assert_eq!(step.actions, [Action::LimitTime(300)]);
    let step = world.store.change_call(call.call, ringing(), work_of(other.clone()), at(2)).await.unwrap();
    assert!(step.asked.is_empty() && step.actions.is_empty() && world.due(other, 2).await.is_none(), "once");
}

#[tokio::test]
async fn a_final_status_stays_in_any_order_of_arrival() {
    let world = World::new().await;
    let call = world.answered("CA1", 0).await;
    for (status, now) in [(CallStatus::Completed, 1), (CallStatus::InProgress, 2), (CallStatus::Completed, 3)] {
        world.change(call.call, Event::Status(status), now).await;
    }
    let detail = world.store.call(call.call).await.unwrap().unwrap();
    assert_eq!((detail.entry.status, detail.entry.ended), (Some(CallStatus::Completed), Some(at(1))));
    assert_eq!(detail.events, [(CallStatus::Completed, at(1)), (CallStatus::InProgress, at(2))]);
}

#[tokio::test]
async fn a_late_report_does_not_set_a_status_back() {
    let world = World::new().await;
    let call = world.answered("CA1", 0).await;
    for status in [CallStatus::InProgress, CallStatus::Initiated, CallStatus::Ringing] {
        world.change(call.call, Event::Status(status), 1).await;
    }
    let detail = world.store.call(call.call).await.unwrap().unwrap();
    assert_eq!((detail.entry.status, detail.events.len()), (Some(CallStatus::InProgress), 3));
}

#[tokio::test]
async fn a_block_ends_a_call_and_its_answer_is_not_texted() {
    let world = World::new().await;
    let call = world.answered("CA1", 0).await;
    world.requested(&call, Some("what time is it"), 1).await;
    world.store.reject(Who::Number(number(ANN)), true, at(2)).await.unwrap();
    assert!(matches!(world.due(gateway(), 2).await, Some(DueCall::End(..))));
    let after = world.requested(&call, Some("more"), 3).await;
    assert_eq!((document(&after), after.asked.len()), (Some(&Script::hang_up()), 0));
    world.answered_too_late(call.call, 4).await;
}

#[tokio::test]
async fn a_purge_ends_a_call_and_forgets_it_and_old_calls_expire() {
    let world = World::new().await;
    let call = world.answered("CA1", 0).await;
    world.requested(&call, Some("my secret"), 1).await;
    assert_eq!(world.store.record_of(&number(ANN)).await.unwrap().calls.len(), 1);
    let holdings = world.store.holdings(&number(ANN)).await.unwrap();
    assert_eq!((holdings.calls, holdings.open_calls), (1, 1));
    world.store.purge(&number(ANN), 10, at(2)).await.unwrap();
    assert!(matches!(world.due(gateway(), 2).await, Some(DueCall::End(..))));
    let after = world.requested(&call, Some("more"), 3).await;
    assert_eq!((document(&after), after.asked.len()), (Some(&Script::hang_up()), 0));
    world.change(call.call, Event::Status(CallStatus::Completed), 4).await;
    while !world.store.purge(&number(ANN), 10, at(5)).await.unwrap().is_done {}
    assert_eq!(world.store.holdings(&number(ANN)).await.unwrap(), Default::default());

    let old = world.answered("CA2", 6).await;
    assert_eq!(world.store.expire(at(100), 10, at(100)).await.unwrap(), 0, "it is not over");
    world.change(old.call, Event::Status(CallStatus::Completed), 7).await;
    assert_eq!(world.store.expire(at(100), 10, at(100)).await.unwrap(), 1);
    assert!(world.store.calls(None, 10).await.unwrap().is_empty());
    assert!(world.answered("CA3", 101).await.call > old.call, "ids are never used twice");
}

#[tokio::test]
async fn a_question_of_a_finished_call_goes_to_the_gateway_that_did_not_ask_it() {
    let world = World::new().await;
    let call = world.answered("CA1", 0).await;
    world.requested(&call, Some("hello"), 1).await;
    let second = LeaseHolder("gateway-2".to_owned());
    let world = world.restarted_as(&second, 2).await;
    let completed = Event::Status(CallStatus::Completed);
    let step = world.store.change_call(call.call, completed, work_of(second.clone()), at(3)).await.unwrap();
    assert_eq!(step.asked.iter().map(words_of).collect::<Vec<_>>(), ["hello"]);
    assert!(world.store.unanswered_after_calls(&second, at(0)).await.unwrap().is_empty(), "it asks already");
    let third = LeaseHolder("gateway-3".to_owned());
    let left = world.store.unanswered_after_calls(&third, at(0)).await.unwrap();
    assert_eq!(
        left.iter().map(|(id, question)| (*id, words_of(question))).collect::<Vec<_>>(),
        [(call.call, "hello".to_owned())]
    );
}

#[tokio::test]
async fn a_missed_call_is_stored_and_texted_once_but_not_one_that_may_have_reached_us() {
    let world = World::new().await;
    let missed = async |provider_id: &str, began: i64| {
        let caller = Some(number(ANN));
        let call =
            IncomingCall { provider_id: provider_id.to_owned(), caller, is_attested: false, to: LINE.to_owned() };
        let mut rules = rules(InboundPolicy::Open);
        rules.plan.missed_call_text = Some("I missed you.".into());
        let missed = MissedCall { status: CallStatus::Completed, began: at(began), ended: at(began + 4) };
        world.store.call_missed(call, missed, rules, work(), at(100)).await.unwrap()
    };
    let stored = world.answered("CA1", 10).await;
    world.change(stored.call, Event::Status(CallStatus::Completed), 11).await;
    assert!(!missed("CA1", 10).await, "it is stored");
    while !world.store.purge(&number(ANN), 10, at(12)).await.unwrap().is_done {}
    assert!(!missed("CA1", 10).await, "it was purged");
    world.store.approve(Who::Number(number(ANN)), Vec::new(), None, at(20)).await.unwrap();
    assert!(!missed("CA2", 19).await, "its caller was a stranger");
    world.rings("CA4", ANN, InboundPolicy::Disabled, 21).await;
    assert!(!missed("CA4", 21).await, "it was rejected");
    world.store.call_declined("twilio", "CA5", at(21)).await.unwrap();
    assert!(!missed("CA5", 21).await, "it was declined");
    assert!(missed("CA3", 21).await && !missed("CA3", 21).await);
    let calls = world.store.calls(None, 10).await.unwrap();
    let listed: Vec<_> = calls.iter().map(|call| (call.is_missed, call.began, call.ended, call.status)).collect();
    assert_eq!(listed, [(true, at(21), Some(at(25)), Some(CallStatus::Completed))]);
    assert_eq!((calls[0].state, world.due(gateway(), 9_999).await.is_none()), (CallState::Over, true));
    assert_eq!(world.start(at(101)).await.text, "I missed you.");
    assert_eq!(world.parts_idle(at(102)).await, None);
}
