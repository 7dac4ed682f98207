//! Calls: stored before they are answered, decided one event at a time, and always over at last.

use std::collections::HashSet;

use telephony_domain::call::plan::{Plan, Purpose};
use telephony_domain::call::proof::{MAX_WRONG_PINS, ProofRules, WRONG_PINS_FOR};
use telephony_domain::call::report::CallStatus;
use telephony_domain::call::script::{Script, Step};
use telephony_domain::call::token::CallToken;
use telephony_domain::call::words::Words;
use telephony_domain::call::{Action, Event, Heard};
use telephony_domain::id::CallId;
use telephony_domain::policy::{InboundPolicy, Policy, Refusal};
use telephony_domain::sms::split::{ChunkMode, SplitRules};
use telephony_store::calls::{
    CALL_LEASE, CallDocumentRequest, CallQuestion, CallRules, CallState, CallStep, CallTurnOutcome, CallWork, Calls,
    DueCall, IncomingCall, Opened, Requested,
};
use telephony_store::contacts::{Challenge, Who};
use telephony_store::journal::Journal;
use telephony_store::lines::Lines;
use telephony_store::restores::Restores;
use telephony_store::sqlite::{Mode, SqliteStore, back_up};
use telephony_store::{LeaseHolder, Next};

use super::world::{ANN, BOB, LINE, World, at, gateway, number, parts, seconds, sender};

const OPERATOR: &str = "+15550001111";

const SPLIT: SplitRules =
    SplitRules { chunk_mode: ChunkMode::Auto, max_length: 1600, numbering: true, max_segments: Some(30) };

pub fn work_of(holder: LeaseHolder) -> CallWork {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).unwrap();
    CallWork { holder, token: CallToken::from_random(bytes), split: SPLIT, operator: Some(number(OPERATOR)) }
}

pub fn work() -> CallWork {
    work_of(gateway())
}

fn rules(inbound: InboundPolicy) -> CallRules {
    let plan = Plan {
        purpose: Purpose::Inbound { asks_pin: false, is_attested: false },
        greeting: "Hello.".into(),
        max_duration: seconds(300),
        filler_after: seconds(2),
        answer_within: seconds(25),
        fillers: vec!["One moment.".into()],
        can_be_texted: false,
        summary: None,
        missed_call_text: None,
    };
    let policy = Policy { inbound, allow: HashSet::from([number(ANN)]), allows_everyone: false };
    CallRules { policy, proof: ProofRules::default(), plan, most_calls: 2 }
}

impl World {
    async fn rings(&self, provider_id: &str, from: &str, inbound: InboundPolicy, now: i64) -> Opened {
        let caller = telephony_domain::call::caller::number(from);
        let call =
            IncomingCall { provider_id: provider_id.to_owned(), caller, is_attested: false, to: LINE.to_owned() };
        self.store.open_call(call, rules(inbound), work(), at(now)).await.unwrap()
    }

    async fn answered(&self, provider_id: &str, now: i64) -> CallStep {
        match self.rings(provider_id, ANN, InboundPolicy::Allowlist, now).await {
            Opened::Open(step) => *step,
            other => panic!("not admitted: {other:?}"),
        }
    }

    pub async fn request(&self, provider_id: &str, token: &CallToken, heard: Option<&str>, now: i64) -> Requested {
        let heard = heard.map(|words| Heard::Speech(words.into(), None));
        let (token, provider_id) = (token.clone(), provider_id.into());
        let request = CallDocumentRequest { token, provider_id, heard, is_pin: false, answered_by: None };
        self.store.request_document(request, work(), at(now)).await.unwrap()
    }

    async fn requested(&self, step: &CallStep, heard: Option<&str>, now: i64) -> CallStep {
        match self.request(step.provider_id.as_ref().unwrap(), &step.token, heard, now).await {
            Requested::Step(step) => *step,
            other => panic!("no document: {other:?}"),
        }
    }

    async fn change(&self, call: CallId, event: Event, now: i64) -> CallStep {
        self.store.change_call(call, event, work(), at(now)).await.unwrap()
    }

    pub async fn due(&self, holder: LeaseHolder, now: i64) -> Option<DueCall> {
        match self.store.take_due_call(work_of(holder), at(now)).await.unwrap() {
            Next::Taken(due) => Some(due),
            Next::Idle(_) => None,
        }
    }

    pub async fn state(&self, call: CallId) -> CallState {
        self.store.call(call).await.unwrap().unwrap().entry.state
    }
}

pub fn document(step: &CallStep) -> Option<&Script> {
    step.actions.iter().find_map(|action| match action {
        Action::Respond(script) => Some(script),
        _ => None,
    })
}

fn words_of(question: &CallQuestion) -> String {
    match &question.prompt {
        telephony_domain::call::Prompt::Speech(words) => words.as_str().to_owned(),
        other => panic!("no speech: {other:?}"),
    }
}

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
    assert!(matches!(world.rings("CA1", BOB, InboundPolicy::Allowlist, 1).await, Opened::Refused(Refusal::NotAllowed)));
    assert!(matches!(world.rings("CA2", ANN, InboundPolicy::Disabled, 1).await, Opened::Refused(Refusal::Disabled)));
    assert!(matches!(
        world.rings("CA3", "anonymous", InboundPolicy::Open, 1).await,
        Opened::Refused(Refusal::NotANumber)
    ));
    assert!(matches!(world.rings("CA4", BOB, InboundPolicy::Pairing, 1).await, Opened::Stranger(_)));
    world.says(ANN, "STOP", at(2)).await;
    assert!(matches!(world.rings("CA5", ANN, InboundPolicy::Allowlist, 3).await, Opened::Open(_)));
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
        let (provider_id, caller) = (id.to_owned(), Some(number(ANN)));
        let call = IncomingCall { provider_id, caller, is_attested, to: LINE.to_owned() };
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
        let Opened::Open(step) = rings(&format!("CA{number}"), false, 1).await else {
            panic!("locked out at {number}")
        };
        let wrong = enters(&step, false, 2).await;
        assert_eq!(wrong.locks_out, number + 1 == MAX_WRONG_PINS, "{number}");
        // A repeated request is not a second try.
        enters(&step, false, 2).await;
        open.push(wrong);
    }
    assert!(matches!(rings("CB1", false, 3).await, Opened::Unproven));
    assert!(matches!(rings("CB2", true, 3).await, Opened::Open(_)));
    // Even the right PIN does not count on an earlier call.
    let late = enters(&open[0], true, 3).await;
    assert!(!document(&late).unwrap().spoken().any(|words| words.as_str() == "Hello."));
    let notices = world.store.notices(at(3)).await.unwrap();
    assert_eq!(notices.iter().filter(|notice| notice.name == "wrong-pins").count(), 1);
    let a_day_later = at(2) + WRONG_PINS_FOR;
    let (provider_id, caller) = ("CB3".to_owned(), Some(number(ANN)));
    let call = IncomingCall { provider_id, caller, is_attested: false, to: LINE.to_owned() };
    assert!(matches!(world.store.open_call(call, rules(), work(), a_day_later).await.unwrap(), Opened::Open(_)));
}

#[tokio::test]
async fn a_restored_store_ends_the_calls_of_the_backup_and_opens_none_before_it_has_caught_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let rings = async |store: &SqliteStore, id: &str| {
        let (provider_id, caller) = (id.to_owned(), Some(number(ANN)));
        let call = IncomingCall { provider_id, caller, is_attested: false, to: LINE.to_owned() };
        store.open_call(call, rules(InboundPolicy::Open), work(), at(1)).await.unwrap()
    };
    let store = SqliteStore::open(&path("store"), Mode::Gateway).unwrap();
    store.claim_line(sender(LINE), at(0)).await.unwrap();
    let Opened::Open(step) = rings(&store, "CA1").await else { panic!("not admitted") };
    let (token, heard) = (step.token.clone(), Some(Heard::Speech("Hello.".into(), None)));
    let request = CallDocumentRequest { token, provider_id: "CA1".into(), heard, is_pin: false, answered_by: None };
    store.request_document(request, work(), at(2)).await.unwrap();
    drop(Journal::open(&path("journal")).unwrap());
    back_up(&path("store"), &path("journal"), &path("backup"), at(3)).await.unwrap();

    let backup = SqliteStore::open(&path("backup"), Mode::Gateway).unwrap();
    let call = backup.call(step.call).await.unwrap().unwrap();
    assert_eq!((call.entry.state, call.turns[0].outcome), (CallState::Ending, Some(CallTurnOutcome::None)));
    assert!(matches!(rings(&backup, "CA2").await, Opened::Busy));
    let due = backup.take_due_call(work_of(LeaseHolder("gateway-2".to_owned())), at(100)).await.unwrap();
    assert!(matches!(due, Next::Taken(DueCall::End(id, Some(_), 0)) if id == step.call), "{due:?}");
    backup.close_call(step.call, at(101)).await.unwrap();
    backup.caught_up().await.unwrap();
    let Opened::Open(next) = rings(&backup, "CA2").await else { panic!("not admitted") };
    assert!(next.call.0 > step.call.0 + 1000, "the number of a call is used again");
    assert_eq!(store.call(step.call).await.unwrap().unwrap().entry.state, CallState::Open);
}

#[tokio::test]
async fn a_call_too_many_is_busy_until_another_is_over() {
    let world = World::new().await;
    let first = world.answered("CA1", 1).await;
    world.answered("CA2", 1).await;
    assert!(matches!(world.rings("CA3", ANN, InboundPolicy::Allowlist, 1).await, Opened::Busy));
    let over = world.change(first.call, Event::Status(CallStatus::Completed), 2).await;
    assert!(over.is_over);
    world.answered("CA3", 3).await;
}

#[tokio::test]
async fn a_stranger_who_calls_gets_one_code_by_sms_and_hears_the_same_again() {
    let world = World::new().await;
    let challenge =
        |code: &str| Challenge { code: code.parse().unwrap(), parts: parts(&["your code"]), replies_per_day: Some(1) };
    let call = |key: &'static str, code: &'static str, from: &'static str| {
        let (store, line) = (world.store.clone(), world.line);
        async move { store.challenge_caller(line, &number(from), key, challenge(code), at(1)).await.unwrap() }
    };
    assert_eq!(call("call-CA1", "AAAAAAAA", BOB).await, "AAAAAAAA".parse().ok());
    assert_eq!(call("call-CA2", "BBBBBBBB", BOB).await, "AAAAAAAA".parse().ok());
    assert_eq!(call("call-CA3", "CCCCCCCC", ANN).await, None, "the budget is spent");
    assert_eq!(world.start(at(2)).await.to, number(BOB));
    world.store.approve(Who::Code("AAAAAAAA".parse().unwrap()), parts(&["ok"]), None, at(3)).await.unwrap();
    assert!(matches!(world.rings("CA4", BOB, InboundPolicy::Pairing, 4).await, Opened::Open(_)));
}

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
    let world = world.restarted();
    let other = LeaseHolder("gateway-2".to_owned());
    world.store.free_calls(&other, at(2)).await.unwrap();
    let ringing = || Event::Status(CallStatus::InProgress);
    let step = world.store.change_call(call.call, ringing(), work_of(other.clone()), at(2)).await.unwrap();
    assert_eq!(step.asked.iter().map(words_of).collect::<Vec<_>>(), ["hello"]);
    assert_eq!(step.actions, [Action::LimitTime(300)]);
    let step = world.store.change_call(call.call, ringing(), work_of(other.clone()), at(2)).await.unwrap();
    assert!(step.asked.is_empty() && step.actions.is_empty() && world.due(other, 2).await.is_none(), "once");
}

#[tokio::test]
async fn a_question_of_a_finished_call_goes_to_the_gateway_that_did_not_ask_it() {
    let world = World::new().await;
    let call = world.answered("CA1", 0).await;
    world.requested(&call, Some("hello"), 1).await;
    let world = world.restarted();
    let second = LeaseHolder("gateway-2".to_owned());
    world.store.free_calls(&second, at(2)).await.unwrap();
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
async fn the_control_line_is_not_in_the_transcript() {
    let world = World::new().await;
    let call = world.answered("CA1", 0).await;
    world.requested(&call, Some("goodbye"), 1).await;
    world.change(call.call, Event::Answer { turn: 1, text: "Bye!\nend call".into() }, 2).await;
    let turns = world.store.call(call.call).await.unwrap().unwrap().turns;
    assert_eq!(turns[0].answer, Some(Words::from("Bye!")));
}

#[tokio::test]
async fn a_missed_call_is_texted_once_but_not_one_that_may_have_reached_us() {
    let world = World::new().await;
    let missed = async |provider_id: &str, began: i64| {
        let caller = Some(number(ANN));
        let call =
            IncomingCall { provider_id: provider_id.to_owned(), caller, is_attested: false, to: LINE.to_owned() };
        let mut rules = rules(InboundPolicy::Open);
        rules.plan.missed_call_text = Some("I missed you.".into());
        world.store.call_missed(call, at(began), rules, work(), at(100)).await.unwrap();
        world.parts_idle(at(100)).await.is_none()
    };
    let stored = world.answered("CA1", 10).await;
    world.change(stored.call, Event::Status(CallStatus::Completed), 11).await;
    assert!(missed("CA1", 10).await, "it is stored");
    while !world.store.purge(&number(ANN), 10, at(12)).await.unwrap().is_done {}
    assert!(missed("CA1", 10).await, "it was purged");
    world.store.approve(Who::Number(number(ANN)), Vec::new(), None, at(20)).await.unwrap();
    assert!(missed("CA2", 19).await, "its caller was a stranger");
    missed("CA3", 21).await;
    missed("CA3", 21).await;
    assert_eq!(world.start(at(101)).await.text, "I missed you.");
    assert_eq!(world.parts_idle(at(102)).await, None);
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
async fn an_answer_after_a_purge_is_not_texted() {
    let world = World::new().await;
    let call = world.answered("CA1", 0).await;
    world.requested(&call, Some("what time is it"), 1).await;
    world.store.purge(&number(ANN), 10, at(2)).await.unwrap();
    for event in [Event::Status(CallStatus::Completed), Event::Answer { turn: 1, text: "It is noon.".into() }] {
        world.change(call.call, event, 3).await;
    }
    assert_eq!(world.parts_idle(at(4)).await, None);
}
