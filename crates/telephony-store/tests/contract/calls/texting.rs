//! Contacts who can be texted during and after a call, by what is stored at that moment.

use std::sync::Arc;

use telephony_domain::call::Event;
use telephony_domain::call::report::CallStatus;
use telephony_domain::call::script::Script;
use telephony_domain::delivery::{Status, StatusReport};
use telephony_domain::limit::{Limits, Terms};
use telephony_domain::pace::Pacing;
use telephony_domain::policy::InboundPolicy;
use telephony_domain::retry::Disposition;
use telephony_store::Next;
use telephony_store::calls::{CallOpening, CallRules, CallStep, CallTurnOutcome, CallWork, DueCall};
use telephony_store::contacts::{CallerChallenged, Challenge};
use telephony_store::outbox::SendFailure;

use super::super::world::{self, ANN, BOB, World, at, gateway, number, parts, send_failure, terms};
use super::{document, incoming, rules, work};

const LANDLINE: &str = "+442079460123";
const TOLL_FREE: &str = "+18005550100";

impl World {
    async fn called_by(&self, from: &str, now: i64) -> CallStep {
        match self.rings(&format!("CA-{from}"), from, InboundPolicy::Open, now).await {
            CallOpening::Open(step) => *step,
            other => panic!("not admitted: {other:?}"),
        }
    }

    /// Has a caller ask and hang up, and returns what becomes of the late answer.
    async fn late_answer(&self, call: &CallStep, work: &CallWork, now: i64) -> CallTurnOutcome {
        self.requested(call, Some("what time is it"), now).await;
        for event in [Event::Status(CallStatus::Completed), Event::Answer { turn: 1, text: "It is noon.".into() }] {
            self.store.change_call(call.call, event, work.clone(), at(now + 1)).await.unwrap();
        }
        let turns = self.store.call(call.call).await.unwrap().unwrap().turns;
        turns[0].outcome.unwrap()
    }

    /// Sends a text, which the provider accepts and then reports on.
    async fn sends_and_hears(&self, id: &str, status: Status, error_code: Option<u32>, now: i64) {
        self.send(id, ANN, &["Hello."], at(now)).await;
        let part = self.hand_over(id, at(now)).await;
        let report = StatusReport { error_code, ..world::report(id, Some(&part.correlation_id), status) };
        self.store.report("twilio", report, at(now)).await.unwrap();
    }
}

#[tokio::test]
async fn landlines_and_toll_free_numbers_are_not_texted() {
    let world = World::new().await;
    for (from, outcome) in
        [(ANN, CallTurnOutcome::Texted), (LANDLINE, CallTurnOutcome::Unheard), (TOLL_FREE, CallTurnOutcome::Unheard)]
    {
        let call = world.called_by(from, 1).await;
        assert_eq!(world.late_answer(&call, &work(), 2).await, outcome, "{from}");
    }
}

#[tokio::test]
async fn a_number_that_got_no_text_is_not_texted_until_one_is_delivered() {
    let world = World::new().await;
    world.send("refused", BOB, &["Hello."], at(1)).await;
    let part = world.start(at(1)).await;
    let refused = SendFailure { code: Some(21614), ..send_failure(Disposition::GiveUp) };
    world.store.part_failed(part.lease, refused, 0.0, at(1)).await.unwrap();
    let call = world.called_by(BOB, 2).await;
    assert_eq!(world.late_answer(&call, &work(), 3).await, CallTurnOutcome::Unheard, "refused at once");

    world.sends_and_hears("SM1", Status::Undelivered, Some(30006), 4).await;
    let call = world.called_by(ANN, 5).await;
    assert_eq!(world.late_answer(&call, &work(), 6).await, CallTurnOutcome::Unheard, "reported later");
    world.sends_and_hears("SM2", Status::Delivered, None, 7).await;
    let again = world.answered("CA2", 8).await;
    assert_eq!(world.late_answer(&again, &work(), 9).await, CallTurnOutcome::Texted, "the number is a mobile now");
}

#[tokio::test]
async fn a_stranger_and_a_contact_over_a_limit_are_not_texted() {
    let world = World::new().await;
    let pairing = CallWork { arrivals: Arc::new(world::rules(InboundPolicy::Pairing, 0)), ..work() };
    let call = world.called_by(BOB, 1).await;
    assert_eq!(world.late_answer(&call, &pairing, 2).await, CallTurnOutcome::Unheard, "a stranger");
    world.send("SM1", ANN, &["Hello."], at(3)).await;
    world.hand_over("SM1", at(3)).await;
    let limits = Limits { segments_per_contact_per_day: Some(1), ..Limits::default() };
    let capped = CallWork { terms: Terms { limits, ..terms(Pacing::Unlimited) }, ..work() };
    let call = world.called_by(ANN, 4).await;
    assert_eq!(world.late_answer(&call, &capped, 5).await, CallTurnOutcome::Unheard, "over the limit");
}

#[tokio::test]
async fn no_text_is_promised_to_a_caller_who_opted_out_during_the_call() {
    for (opts_out, is_promised) in [(false, true), (true, false)] {
        let world = World::new().await;
        let call = world.answered("CA1", 0).await;
        world.requested(&call, Some("what time is it"), 1).await;
        if opts_out {
            world.says(ANN, "STOP", at(2)).await;
        }
        let mut said = Vec::new();
        for now in 3..40 {
            let Some(DueCall::Fired(step)) = world.due(gateway(), now).await else { continue };
            let words = |script: &Script| script.spoken().map(|words| words.as_str().to_owned()).collect::<Vec<_>>();
            said.extend(document(&step).map(words).unwrap_or_default());
            world.requested(&step, None, now).await;
        }
        assert_eq!(said.iter().any(|words| words.contains("I will text you")), is_promised, "{said:?}");
    }
}

#[tokio::test]
async fn a_missed_call_is_answered_by_text_only_if_the_text_can_arrive() {
    for (from, is_texted) in [(ANN, true), (LANDLINE, false)] {
        let world = World::new().await;
        let mut rules = CallRules { most_calls: 0, ..rules(InboundPolicy::Open) };
        rules.plan.missed_call_text = Some("Sorry, I missed you.".into());
        let opened = world.store.open_call(incoming("CA1", from), rules, work(), at(1)).await.unwrap();
        assert!(matches!(opened, CallOpening::Busy));
        let next = world.next_part(Pacing::Unlimited, at(2)).await;
        assert_eq!(matches!(next, Next::Taken(_)), is_texted, "{from}");
    }
}

#[tokio::test]
async fn a_stranger_with_a_landline_hears_the_code_and_gets_no_text() {
    let world = World::new().await;
    let code = "AAAAAAAA".parse().unwrap();
    let challenge = Challenge { code, parts: parts(&["your code"]), replies_per_day: Some(1) };
    let caller = number(LANDLINE);
    let heard = world
        .store
        .challenge_caller(world.line, &caller, "CA1", challenge, terms(Pacing::Unlimited), at(1))
        .await
        .unwrap();
    assert!(matches!(heard, CallerChallenged::Code(_)));
    assert_eq!(world.parts_idle(at(2)).await, None);
}
