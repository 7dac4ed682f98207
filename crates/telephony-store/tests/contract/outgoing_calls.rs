//! Calls that we place: refused by the rules, dialed at most once, and found again or given up with a notice.

use telephony_domain::call::Event;
use telephony_domain::call::plan::{CallPlan, CallPurpose, Dialing, MachineRule};
use telephony_domain::call::report::CallStatus;
use telephony_domain::dialing::{DialingRules, NotDialed};
use telephony_domain::id::CallId;
use telephony_domain::money::{Currency, Price};
use telephony_domain::reconcile::SearchResult;
use telephony_store::calls::{CallDetail, CallState, CallWork, DueCall, Requested};
use telephony_store::contacts::Who;
use telephony_store::history::Speaker;
use telephony_store::outgoing_calls::{CallDraft, CallToDial, DialState, OutgoingRules, Placed};
use telephony_store::{LeaseHolder, Next};

use super::calls::{document, work};
use super::world::{ANN, BOB, LINE, World, at, gateway, number, seconds, sender};

fn notify(message: &str) -> CallPurpose {
    let dialing = Dialing { ring: seconds(30), machine: MachineRule::Off };
    CallPurpose::Notify { message: message.into(), dialing }
}

fn draft(key: &str, to: &str) -> CallDraft {
    let plan = CallPlan {
        purpose: notify("The parcel is here."),
        greeting: "".into(),
        max_duration: seconds(300),
        filler_after: seconds(2),
        answer_within: seconds(25),
        fillers: Vec::new(),
        summary: None,
        missed_call_text: None,
    };
    let task = Some("Say that the parcel is here.".into());
    CallDraft { key: key.to_owned(), from: number(LINE), to: number(to), plan, task, keys: Some("12#".to_owned()) }
}

fn rules() -> OutgoingRules {
    let dialing = DialingRules { countries: None, calls_per_hour: None, minutes_per_day: None, quiet_hours: None };
    OutgoingRules { dialing, most_calls: 5 }
}

impl World {
    async fn place(&self, key: &str, to: &str, now: i64) -> Placed {
        self.store.place_call(draft(key, to), rules(), at(now)).await.unwrap()
    }

    async fn waiting(&self, key: &str, to: &str, now: i64) -> CallId {
        match self.place(key, to, now).await {
            Placed::Waiting(call) => call,
            other => panic!("not placed: {other:?}"),
        }
    }

    async fn dial(&self, now: i64) -> CallToDial {
        match self.due(gateway(), now).await {
            Some(DueCall::Dial(dial)) => *dial,
            other => panic!("nothing to dial: {other:?}"),
        }
    }

    async fn detail(&self, call: CallId) -> CallDetail {
        self.store.call(call).await.unwrap().unwrap()
    }

    async fn dialing(&self, call: CallId) -> (DialState, Option<String>) {
        let outgoing = self.detail(call).await.outgoing.unwrap();
        (outgoing.state, outgoing.failure)
    }

    async fn notice_texts(&self, now: i64) -> Vec<String> {
        self.store.notices(at(now)).await.unwrap().into_iter().map(|notice| notice.text("Twilio")).collect()
    }

    /// Returns true if a call counts against the limit of one call per hour.
    async fn is_counted(&self, now: i64) -> bool {
        let dialing = DialingRules { calls_per_hour: Some(1), ..rules().dialing };
        let rules = OutgoingRules { dialing, ..rules() };
        let refusal = self.store.call_refusal(&number(LINE), &number("+15550009999"), rules, at(now)).await.unwrap();
        refusal == Some(NotDialed::CallsPerHour { most: 1 })
    }

    async fn not_found(&self, call: CallId, finding: SearchResult, now: i64) {
        self.store.call_not_found(call, finding, &gateway(), at(now)).await.unwrap();
    }
}

#[tokio::test]
async fn a_call_is_dialed_once_however_often_it_is_requested() {
    let world = World::new().await;
    let call = world.waiting("k", ANN, 1).await;
    assert_eq!(world.place("k", ANN, 2).await, Placed::Known(call));
    let dial = world.dial(2).await;
    assert_eq!((dial.call, dial.from, dial.to, dial.keys.as_deref()), (call, number(LINE), number(ANN), Some("12#")));
    assert!(world.due(gateway(), 3).await.is_none());
    assert_eq!(world.dialing(call).await, (DialState::Dialing, None));
    assert!(world.store.call_dialed(call, "CA1", &gateway(), at(3)).await.unwrap());
    assert_eq!(world.place("k", ANN, 3).await, Placed::Known(call));
    assert_eq!(world.dialing(call).await, (DialState::Dialed, None));
    let Requested::Step(step) = world.request("CA1", &dial.token, None, 4).await else { panic!("no document") };
    assert!(document(&step).unwrap().spoken().any(|words| words.as_str() == "The parcel is here."));
    world.store.change_call(call, Event::Status(CallStatus::Completed), work(), at(9)).await.unwrap();
    assert_eq!(world.place("k", ANN, 10).await, Placed::Known(call));
    let spoken = world.store.spoken(step_conversation(&world).await, 20).await.unwrap();
    assert_eq!(spoken.len(), 1);
    assert_eq!((spoken[0].by, spoken[0].text.as_str()), (Speaker::Operator, "The parcel is here."));
}

#[tokio::test]
async fn a_key_belongs_to_one_call_with_its_words() {
    let world = World::new().await;
    let call = world.waiting("k", ANN, 1).await;
    let taken = Placed::KeyTaken(call, number(ANN));
    assert_eq!(world.place("k", BOB, 2).await, taken, "another number");
    let same = draft("k", ANN);
    let plan = CallPlan { purpose: notify("It was stolen."), ..same.plan.clone() };
    for (other, what) in [
        (CallDraft { plan, ..same.clone() }, "another message"),
        (CallDraft { task: Some("Ask who took it.".into()), ..same.clone() }, "another task"),
        (CallDraft { keys: None, ..same.clone() }, "other keys"),
        (CallDraft { from: number("+15550009999"), ..same.clone() }, "from another number"),
    ] {
        assert_eq!(world.store.place_call(other, rules(), at(2)).await.unwrap(), taken, "{what}");
    }
    assert_eq!(world.store.place_call(same, rules(), at(2)).await.unwrap(), Placed::Known(call));
}

#[tokio::test]
async fn the_last_minutes_of_the_day_limit_a_call() {
    let world = World::new().await;
    let dialing = DialingRules { minutes_per_day: Some(6), ..rules().dialing };
    let rules = || OutgoingRules { dialing: dialing.clone(), ..rules() };
    for (key, to, duration) in [("k1", ANN, 300), ("k2", BOB, 60)] {
        let placed = world.store.place_call(draft(key, to), rules(), at(1)).await.unwrap();
        assert!(matches!(placed, Placed::Waiting(_)), "{placed:?}");
        assert_eq!(world.dial(1).await.plan.max_duration, seconds(duration), "{key}");
    }
    let third = world.store.place_call(draft("k3", "+15550003333"), rules(), at(1)).await.unwrap();
    assert_eq!(third, Placed::Refused(NotDialed::MinutesPerDay { most: 6 }));
}

#[tokio::test]
async fn a_gateway_takes_only_calls_of_its_provider() {
    let world = World::new().await;
    let other = "+15550007777";
    world.store.claim_line("other", sender(other), at(0)).await.unwrap();
    let rules = || OutgoingRules { most_calls: 1, ..rules() };
    let elsewhere = CallDraft { from: number(other), ..draft("k1", ANN) };
    let placed = world.store.place_call(elsewhere, rules(), at(1)).await.unwrap();
    assert!(matches!(placed, Placed::Waiting(_)), "{placed:?}");
    assert!(matches!(world.store.take_due_call(work(), at(2)).await.unwrap(), Next::Idle(None)));
    // Nor does it take one of the sessions.
    let placed = world.store.place_call(draft("k2", BOB), rules(), at(2)).await.unwrap();
    assert!(matches!(placed, Placed::Waiting(_)), "{placed:?}");
    assert_eq!(world.dial(2).await.to, number(BOB));
    let by_other = CallWork { provider: "other", ..work() };
    let Next::Taken(DueCall::Dial(dial)) = world.store.take_due_call(by_other, at(3)).await.unwrap() else {
        panic!("not dialed")
    };
    assert_eq!((dial.from, dial.to), (number(other), number(ANN)));
}

/// Returns the only conversation.
async fn step_conversation(world: &World) -> telephony_domain::id::ConversationId {
    world.says(ANN, "Thanks!", at(11)).await;
    world.lease(at(11)).await.conversation
}

#[tokio::test]
async fn a_request_that_the_rules_forbid_is_refused_before_anything_is_stored() {
    let world = World::new().await;
    let refusal = async |to: &str, rules: OutgoingRules, now: i64| {
        let asked = world.store.call_refusal(&number(LINE), &number(to), rules.clone(), at(now)).await.unwrap();
        match world.store.place_call(draft("refused", to), rules, at(now)).await.unwrap() {
            Placed::Refused(refusal) => {
                assert_eq!(asked.as_ref(), Some(&refusal));
                refusal
            }
            other => panic!("placed: {other:?}"),
        }
    };
    let premium = refusal("+19005550100", rules(), 1).await;
    assert!(matches!(premium, NotDialed::Special(_)), "{premium:?}");
    world.says(ANN, "STOP", at(1)).await;
    assert_eq!(refusal(ANN, rules(), 2).await, NotDialed::OptedOut);
    world.store.reject(Who::Number(number(BOB)), true, at(2)).await.unwrap();
    assert_eq!(refusal(BOB, rules(), 2).await, NotDialed::Blocked);
    assert!(world.store.calls(None, 10).await.unwrap().is_empty());
    let other = CallDraft { from: number(BOB), ..draft("x", ANN) };
    let foreign = NotDialed::NotOurs(number(BOB));
    let asked = world.store.call_refusal(&number(BOB), &number(ANN), rules(), at(2)).await.unwrap();
    assert_eq!(asked.as_ref(), Some(&foreign));
    assert_eq!(world.store.place_call(other, rules(), at(2)).await.unwrap(), Placed::Refused(foreign));

    let open = world.waiting("open", "+15550007777", 3).await;
    assert_eq!(refusal("+15550007777", rules(), 3).await, NotDialed::OnCall(open));
    let one = OutgoingRules { most_calls: 1, ..rules() };
    assert_eq!(refusal("+15550008888", one, 3).await, NotDialed::AllBusy { most: 1 });
    let hourly = OutgoingRules { dialing: DialingRules { calls_per_hour: Some(1), ..rules().dialing }, ..rules() };
    assert_eq!(refusal("+15550008888", hourly.clone(), 4).await, NotDialed::CallsPerHour { most: 1 });
    // An open call counts with its longest duration.
    let daily =
        |most| OutgoingRules { dialing: DialingRules { minutes_per_day: Some(most), ..rules().dialing }, ..rules() };
    assert_eq!(refusal("+15550008888", daily(5), 4).await, NotDialed::MinutesPerDay { most: 5 });
    world.dial(4).await;
    world.store.call_not_dialed(open, "Twilio refused it".to_owned(), &gateway(), at(5)).await.unwrap();
    assert_eq!(world.dialing(open).await, (DialState::NotDialed, Some("Twilio refused it".to_owned())));
    assert_eq!(world.state(open).await, CallState::Over);
    for (key, rules) in [("hourly", hourly), ("daily", daily(5))] {
        let placed = world.store.place_call(draft(key, "+15550008888"), rules, at(6)).await.unwrap();
        assert!(matches!(placed, Placed::Waiting(_)), "a call that was not dialed counts: {placed:?}");
        world.dial(6).await;
        let call = match placed {
            Placed::Waiting(call) => call,
            _ => unreachable!(),
        };
        world.store.call_not_dialed(call, "no".to_owned(), &gateway(), at(6)).await.unwrap();
    }
}

#[tokio::test]
async fn an_ended_call_counts_with_its_minutes_even_after_a_purge() {
    let world = World::new().await;
    let call = world.waiting("k", ANN, 1).await;
    world.dial(1).await;
    assert!(world.store.call_dialed(call, "CA1", &gateway(), at(2)).await.unwrap());
    for (status, now) in [(CallStatus::InProgress, 10), (CallStatus::Completed, 75)] {
        world.store.change_call(call, Event::Status(status), work(), at(now)).await.unwrap();
    }
    let refusal = async |most: u32, now: i64| {
        let dialing = DialingRules { minutes_per_day: Some(most), ..rules().dialing };
        let rules = OutgoingRules { dialing, ..rules() };
        world.store.call_refusal(&number(LINE), &number(BOB), rules, at(now)).await.unwrap()
    };
    for is_purged in [false, true] {
        if is_purged {
            while !world.store.purge(&number(ANN), 10, at(80)).await.unwrap().is_done {}
            assert!(world.store.calls(None, 10).await.unwrap().is_empty());
        }
        assert_eq!(refusal(2, 90).await, Some(NotDialed::MinutesPerDay { most: 2 }), "{is_purged}");
        assert_eq!(refusal(3, 90).await, None, "{is_purged}");
        assert_eq!((world.is_counted(90).await, world.is_counted(3601).await), (true, false), "{is_purged}");
        assert_eq!(refusal(2, 24 * 3600 + 1).await, None, "{is_purged}");
    }
}

#[tokio::test]
async fn a_call_before_a_clock_was_set_back_counts_for_an_hour() {
    let world = World::new().await;
    world.waiting("ahead", ANN, 1_000_000).await;
    world.waiting("now", BOB, 10).await;
    assert_eq!((world.is_counted(11).await, world.is_counted(3611).await), (true, false));
}

#[tokio::test]
async fn a_restart_dials_nothing() {
    let world = World::new().await;
    let waiting = world.waiting("waiting", ANN, 1).await;
    let dialing = world.waiting("dialing", BOB, 1).await;
    assert_eq!(world.dial(1).await.call, waiting);
    assert_eq!(world.dial(1).await.call, dialing);
    let late = world.waiting("late", "+15550007777", 1).await;
    let world = world.restarted();
    let other = LeaseHolder("gateway-2".to_owned());
    world.store.free_calls(&other, at(2)).await.unwrap();
    assert_eq!(world.dialing(late).await.0, DialState::NotDialed);
    assert!(world.notice_texts(2).await.iter().any(|text| text.contains(&format!("Call {late} was not placed"))));
    for expected in [waiting, dialing] {
        match world.due(other.clone(), 2).await {
            Some(DueCall::Find(doubtful)) => assert_eq!((doubtful.call, doubtful.dialed), (expected, at(1))),
            other => panic!("dialed again: {other:?}"),
        }
    }
    assert!(world.due(other, 2).await.is_none());
}

#[tokio::test]
async fn a_call_that_waits_too_long_is_not_dialed() {
    let world = World::new().await;
    let call = world.waiting("k", ANN, 1).await;
    assert!(world.due(gateway(), 61).await.is_none());
    assert_eq!(world.dialing(call).await.0, DialState::NotDialed);
    assert!(world.notice_texts(61).await[0].contains("was not placed"));
}

#[tokio::test]
async fn a_call_that_the_provider_refuses_raises_a_notice_with_the_reason() {
    let world = World::new().await;
    let call = world.waiting("k", ANN, 1).await;
    world.dial(1).await;
    world.store.call_not_dialed(call, "the number is not verified.".to_owned(), &gateway(), at(2)).await.unwrap();
    let expected =
        format!("Call {call} was not placed: the number is not verified. Place it again if you still want it.");
    assert_eq!(world.notice_texts(2).await, [expected]);
}

#[tokio::test]
async fn an_unknown_outcome_is_looked_up_and_never_dialed_again() {
    let world = World::new().await;
    let call = world.waiting("k", ANN, 1).await;
    let dial = world.dial(1).await;
    world.store.doubt_call(call, at(10)).await.unwrap();
    for now in [10, 20, 30] {
        let due = world.due(gateway(), now).await;
        assert!(matches!(due, Some(DueCall::Find(_))), "{now}: {due:?}");
        world.not_found(call, SearchResult::Absent, now).await;
        assert!(world.due(gateway(), now).await.is_none());
    }
    assert!(matches!(world.due(gateway(), 40).await, Some(DueCall::Find(_))));
    world.not_found(call, SearchResult::Absent, 40).await;
    assert_eq!((world.state(call).await, world.dialing(call).await.0), (CallState::Over, DialState::NotDialed));
    assert!(world.notice_texts(40).await[0].contains("was not placed"), "{:?}", world.notice_texts(40).await);
    assert!(world.due(gateway(), 9_999).await.is_none() && !world.is_counted(41).await);

    // It rings after all: it is hung up on, and ended at the provider.
    let Requested::Step(step) = world.request("CA1", &dial.token, None, 50).await else { panic!("no document") };
    assert_eq!(step.provider_id.as_deref(), Some("CA1"));
    assert_eq!(document(&step).unwrap().spoken().count(), 0);
    assert!(matches!(world.due(gateway(), 50).await, Some(DueCall::End(id, Some(_), 0)) if id == call));
    assert_eq!(world.dialing(call).await, (DialState::Dialed, None));
    assert!(world.is_counted(51).await);
    world.store.change_call(call, Event::Status(CallStatus::Completed), work(), at(52)).await.unwrap();
    let detail = world.detail(call).await;
    assert_eq!(detail.entry.status, Some(CallStatus::Completed));
    assert_eq!(detail.events, [(CallStatus::Completed, at(52))]);
    assert_eq!(world.store.unpriced_calls("twilio", 10, at(9_999)).await.unwrap(), ["CA1"]);
}

#[tokio::test]
async fn a_list_that_cannot_be_read_leaves_the_outcome_unknown() {
    let world = World::new().await;
    let call = world.waiting("k", ANN, 1).await;
    world.dial(1).await;
    world.store.doubt_call(call, at(1)).await.unwrap();
    world.not_found(call, SearchResult::Unreachable, 600).await;
    assert_eq!(world.state(call).await, CallState::Open);
    world.not_found(call, SearchResult::Unreachable, 601).await;
    assert_eq!((world.state(call).await, world.dialing(call).await.0), (CallState::Over, DialState::NotDialed));
    assert!(world.notice_texts(601).await[0].contains("may have been placed"));
    assert!(world.is_counted(602).await);
}

#[tokio::test]
async fn the_first_sign_of_a_call_names_it_and_another_call_cannot() {
    let world = World::new().await;
    let report = async |id: &str, call: CallId, now: i64| {
        let event = Event::Status(CallStatus::Ringing);
        world.store.report_call(id, Some(call), event, work(), at(now)).await.unwrap()
    };
    let first = world.waiting("first", ANN, 1).await;
    world.dial(1).await;
    let second = world.waiting("second", BOB, 1).await;
    let dial = world.dial(1).await;
    // A status report comes before the answer to the request.
    assert_eq!(report("CA1", first, 2).await.map(|step| step.call), Some(first));
    assert!(world.store.call_dialed(first, "CA1", &gateway(), at(3)).await.unwrap());
    assert!(!world.store.call_dialed(first, "CA9", &gateway(), at(3)).await.unwrap());
    // The same call of the provider is not found for a second one.
    assert_eq!(report("CA1", second, 4).await.map(|step| step.call), Some(first));
    assert!(matches!(world.request("CA1", &dial.token, None, 4).await, Requested::ForeignCall));
    assert!(matches!(world.request("CA2", &dial.token, None, 5).await, Requested::Step(_)));
    assert!(matches!(world.request("CA3", &dial.token, None, 6).await, Requested::ForeignCall));
    assert_eq!(report("CA3", CallId(999), 6).await, None);
    assert_eq!(report("CA3", second, 6).await, None, "it has another id");
    assert_eq!(world.detail(second).await.entry.provider_id.as_deref(), Some("CA2"));
}

#[tokio::test]
async fn a_call_that_is_purged_while_it_is_dialed_ends_at_the_provider() {
    let world = World::new().await;
    let call = world.waiting("k", ANN, 1).await;
    world.dial(1).await;
    world.store.purge(&number(ANN), 10, at(2)).await.unwrap();
    assert!(world.store.call_dialed(call, "CA1", &gateway(), at(3)).await.unwrap());
    assert!(matches!(world.due(gateway(), 3).await, Some(DueCall::End(_, Some(id), _)) if id == "CA1"));
}

#[tokio::test]
async fn an_answered_call_is_priced_some_time_after_its_end_and_an_unanswered_one_never() {
    let world = World::new().await;
    let price = Price { amount: "-0.028".parse().unwrap(), currency: Currency::USD };
    for (key, to, id, statuses) in [
        ("spoken", ANN, "CA1", [CallStatus::InProgress, CallStatus::Completed]),
        ("busy", BOB, "CA2", [CallStatus::Ringing, CallStatus::Busy]),
    ] {
        let call = world.waiting(key, to, 1).await;
        world.dial(1).await;
        assert!(world.store.call_dialed(call, id, &gateway(), at(2)).await.unwrap());
        for (status, now) in statuses.into_iter().zip([10, 75]) {
            world.store.change_call(call, Event::Status(status), work(), at(now)).await.unwrap();
        }
    }
    let asked = async |now: i64| world.store.unpriced_calls("twilio", 10, at(now)).await.unwrap();
    assert!(asked(75 + 119).await.is_empty());
    assert_eq!(asked(75 + 120).await, ["CA1"]);
    assert!(asked(75 + 121).await.is_empty());
    world.store.note_call_price("twilio", "CA1", Some(seconds(66)), None).await.unwrap();
    assert_eq!(asked(75 + 15 * 60).await, ["CA1"]);
    world.store.note_call_price("twilio", "CA1", Some(seconds(66)), Some(price)).await.unwrap();
    assert!(asked(75 + 25 * 60 * 60).await.is_empty());
    let spent = world.store.call_spending(at(0)).await.unwrap();
    assert_eq!(spent.len(), 1);
    assert_eq!((spent[0].contact.clone(), spent[0].calls, spent[0].spoken), (number(ANN), 1, seconds(66)));
    assert_eq!((spent[0].is_inbound, spent[0].price), (false, Some(price)));
}
