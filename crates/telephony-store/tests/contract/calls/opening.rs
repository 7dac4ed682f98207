//! Incoming calls: admitted or not, proven by a PIN, and stored before they are answered.

use telephony_domain::call::proof::{MAX_WRONG_PINS, ProofRules, WRONG_PINS_FOR};
use telephony_domain::call::report::CallStatus;
use telephony_domain::call::{Action, Event, Heard};
use telephony_domain::pace::Pacing;
use telephony_domain::policy::{InboundPolicy, Refusal};
use telephony_store::calls::{
    CallDocumentRequest, CallOpening, CallRules, CallState, CallStep, CallTurnOutcome, Calls, DueCall, IncomingCall,
    Requested,
};
use telephony_store::contacts::{CallerChallenged, Challenge, Who};
use telephony_store::journal::Journal;
use telephony_store::lines::Lines;
use telephony_store::restores::Restores;
use telephony_store::sqlite::{Mode, SqliteStore, back_up};
use telephony_store::{LeaseHolder, Next};

use super::super::world::{ANN, BOB, LINE, World, at, number, parts, sender, terms};
use super::{document, incoming, rules, work, work_of};

#[tokio::test]
async fn a_call_is_stored_before_it_is_answered_and_opened_once() {
    let world = World::new().await;
    let first = world.answered("CA1", 1).await;
    assert!(document(&first).is_some() && first.actions.contains(&Action::LimitTime(300)));
    let again = world.answered("CA1", 2).await;
    assert_eq!((document(&again), &again.token, again.call), (document(&first), &first.token, first.call));
    let calls = world.store.calls(None, 10).await.unwrap();
    assert_eq!((calls.len(), calls[0].contact.clone(), calls[0].began), (1, number(ANN), at(1)));
}

#[tokio::test]
async fn admission_is_that_of_texts_but_an_opt_out_does_not_forbid_a_call() {
    let world = World::new().await;
    assert!(matches!(
        world.rings("CA1", BOB, InboundPolicy::Allowlist, 1).await,
        CallOpening::Refused(Refusal::NotAllowed)
    ));
    assert!(matches!(
        world.rings("CA2", ANN, InboundPolicy::Disabled, 1).await,
        CallOpening::Refused(Refusal::Disabled)
    ));
    assert!(matches!(
        world.rings("CA3", "anonymous", InboundPolicy::Open, 1).await,
        CallOpening::Refused(Refusal::NotANumber)
    ));
    assert!(matches!(world.rings("CA4", BOB, InboundPolicy::Pairing, 1).await, CallOpening::Stranger(..)));
    world.says(ANN, "STOP", at(2)).await;
    assert!(matches!(world.rings("CA5", ANN, InboundPolicy::Allowlist, 3).await, CallOpening::Open(_)));
    assert_eq!(world.store.calls(None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn ten_wrong_pins_on_all_calls_lock_unproven_callers_out_for_a_day() {
    let world = World::new().await;
    let rules = || {
        let proof = ProofRules { requires_attestation: false, has_pin: true };
        CallRules { proof, most_calls: 100, ..rules(InboundPolicy::Open) }
    };
    let rings = async |id: &str, is_attested: bool, now: i64| {
        let call = IncomingCall { is_attested, ..incoming(id, ANN) };
        world.store.open_call(call, rules(), work(), at(now)).await.unwrap()
    };
    let enters = async |step: &CallStep, is_pin: bool, now: i64| {
        let (token, provider_id) = (step.token.clone(), step.provider_id.clone().unwrap());
        let heard = Some(Heard::Keys("1234".into()));
        let request = CallDocumentRequest { token, provider_id, heard, is_pin, answered_by: None };
        match world.store.request_document(request, work(), at(now)).await.unwrap() {
            Requested::Step(step) => *step,
            other => panic!("no document: {other:?}"),
        }
    };
    let mut open = Vec::new();
    for number in 0..MAX_WRONG_PINS {
        let CallOpening::Open(step) = rings(&format!("CA{number}"), false, 1).await else {
            panic!("locked out at {number}")
        };
        let wrong = enters(&step, false, 2).await;
        assert_eq!(wrong.locks_out, number + 1 == MAX_WRONG_PINS, "{number}");
        // A repeated request is not a second try.
        enters(&step, false, 2).await;
        open.push(wrong);
    }
    assert!(matches!(rings("CB1", false, 3).await, CallOpening::Unproven));
    assert!(matches!(rings("CB2", true, 3).await, CallOpening::Open(_)));
    // Even the right PIN does not count on an earlier call.
    let late = enters(&open[0], true, 3).await;
    assert!(!document(&late).unwrap().spoken().any(|words| words.as_str() == "Hello."));
    let notices = world.store.notices(at(3)).await.unwrap();
    assert_eq!(notices.iter().filter(|notice| notice.name == "wrong-pins").count(), 1);
    let a_day_later = at(2) + WRONG_PINS_FOR;
    let later = world.store.open_call(incoming("CB3", ANN), rules(), work(), a_day_later).await.unwrap();
    assert!(matches!(later, CallOpening::Open(_)), "{later:?}");
}

#[tokio::test]
async fn a_restored_store_ends_the_calls_of_the_backup_and_opens_none_before_it_has_caught_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let rings = async |store: &SqliteStore, id: &str| {
        store.open_call(incoming(id, ANN), rules(InboundPolicy::Open), work(), at(1)).await.unwrap()
    };
    let store = SqliteStore::open(&path("store"), Mode::Gateway).unwrap();
    store.claim_line("twilio", sender(LINE), at(0)).await.unwrap();
    let CallOpening::Open(step) = rings(&store, "CA1").await else { panic!("not admitted") };
    let (token, heard) = (step.token.clone(), Some(Heard::Speech("Hello.".into(), None)));
    let request = CallDocumentRequest { token, provider_id: "CA1".into(), heard, is_pin: false, answered_by: None };
    store.request_document(request, work(), at(2)).await.unwrap();
    drop(Journal::open(&path("journal")).unwrap());
    back_up(&path("store"), &path("journal"), &path("backup"), at(3)).await.unwrap();

    let backup = SqliteStore::open(&path("backup"), Mode::Gateway).unwrap();
    let call = backup.call(step.call).await.unwrap().unwrap();
    assert_eq!((call.entry.state, call.turns[0].outcome), (CallState::Ending, Some(CallTurnOutcome::None)));
    assert!(matches!(rings(&backup, "CA2").await, CallOpening::Busy));
    let due = backup.take_due_call(work_of(LeaseHolder("gateway-2".to_owned())), at(100)).await.unwrap();
    assert!(matches!(due, Next::Taken(DueCall::End(id, Some(_), 0)) if id == step.call), "{due:?}");
    backup.close_call(step.call, at(101)).await.unwrap();
    backup.caught_up().await.unwrap();
    let CallOpening::Open(next) = rings(&backup, "CA2").await else { panic!("not admitted") };
    assert!(next.call.0 > step.call.0 + 1000, "the number of a call is used again");
    assert_eq!(store.call(step.call).await.unwrap().unwrap().entry.state, CallState::Open);
}

#[tokio::test]
async fn a_call_too_many_is_busy_until_another_is_over() {
    let world = World::new().await;
    let first = world.answered("CA1", 1).await;
    world.answered("CA2", 1).await;
    assert!(matches!(world.rings("CA3", ANN, InboundPolicy::Allowlist, 1).await, CallOpening::Busy));
    let over = world.change(first.call, Event::Status(CallStatus::Completed), 2).await;
    assert!(over.is_over);
    world.answered("CA3", 3).await;
}

#[tokio::test]
async fn a_refused_call_takes_no_session() {
    let world = World::new().await;
    for (at, from) in [BOB, "anonymous", "sip:bob@example.com", "+266696687", BOB].into_iter().enumerate() {
        let opened = world.rings(&format!("CA-refused-{at}"), from, InboundPolicy::Allowlist, 1).await;
        assert!(matches!(opened, CallOpening::Refused(_)), "{from}: {opened:?}");
    }
    assert_eq!(world.store.calls(None, 10).await.unwrap(), []);
    world.answered("CA1", 2).await;
}

#[tokio::test]
async fn a_stranger_who_calls_gets_one_code_by_sms_and_hears_the_same_again() {
    let world = World::new().await;
    let challenge =
        |code: &str| Challenge { code: code.parse().unwrap(), parts: parts(&["your code"]), replies_per_day: Some(1) };
    let call = |key: &'static str, code: &'static str, from: &'static str| {
        let (store, line) = (world.store.clone(), world.line);
        async move {
            store
                .challenge_caller(line, &number(from), key, challenge(code), terms(Pacing::Unlimited), at(1))
                .await
                .unwrap()
        }
    };
    let says_first = CallerChallenged::Code("AAAAAAAA".parse().unwrap());
    assert_eq!(call("call-CA1", "AAAAAAAA", BOB).await, says_first);
    assert_eq!(call("call-CA2", "BBBBBBBB", BOB).await, says_first);
    assert_eq!(call("call-CA3", "CCCCCCCC", ANN).await, CallerChallenged::NoCode, "the budget is spent");
    assert_eq!(world.start(at(2)).await.to, number(BOB));
    world.store.approve(Who::Code("AAAAAAAA".parse().unwrap()), parts(&["ok"]), None, at(3)).await.unwrap();
    assert_eq!(call("call-CA4", "DDDDDDDD", BOB).await, CallerChallenged::NoStranger, "approved a moment ago");
    assert!(matches!(world.rings("CA4", BOB, InboundPolicy::Pairing, 4).await, CallOpening::Open(_)));
}
