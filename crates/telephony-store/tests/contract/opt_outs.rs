//! A contact sends STOP at every possible moment.

use telephony_domain::consent::{Evidence, Wish};
use telephony_domain::delivery::Status;
use telephony_domain::id::LineId;
use telephony_domain::message::Arrival;
use telephony_domain::pace::Pacing;
use telephony_domain::policy::Refusal;
use telephony_domain::reconcile::{DoubtStep as Then, SearchResult};
use telephony_domain::retry::{Disposition, PartFate};
use telephony_store::contacts::Who;
use telephony_store::history::{EntryId, EntryState, MessageReference};
use telephony_store::inbox::Accepted;
use telephony_store::outbox::PartState::{self, Canceled, Failed, Sent, Starting};
use telephony_store::outbox::SendFailure;
use telephony_store::{Next, StoreError};

use super::world::{
    ANN, BOB, LINE, RETRY, World, at, draft, number, open_to_all, parts, receipt, send_failure, sender, terms, texts,
};

async fn state(world: &World, accepted: Accepted) -> EntryState {
    let (Accepted::Waiting(id) | Accepted::Refused(id, _)) = accepted else { panic!("{accepted:?} has no state") };
    let detail = world.store.message(MessageReference::Entry(EntryId::In(id))).await.unwrap().unwrap();
    detail.entry.standing
}

#[tokio::test]
async fn before_anything_is_said() {
    let world = World::new().await;
    world.says(ANN, "STOP", at(1)).await;
    let refused = world.store.enqueue(world.line, draft("k", ANN, &["hi"]), at(2)).await;
    assert_eq!(refused, Err(StoreError::OptedOut));
    let check_capacity =
        async |contact| world.store.check_capacity(sender(LINE), number(contact), 1, terms(Pacing::Unlimited)).await;
    assert_eq!((check_capacity(ANN).await, check_capacity(BOB).await), (Err(StoreError::OptedOut), Ok(())));
    world.says(ANN, "START", at(3)).await;
    assert!(world.store.enqueue(world.line, draft("k", ANN, &["hi"]), at(4)).await.unwrap().is_new);
}

#[tokio::test]
async fn while_messages_wait_for_a_turn() {
    let world = World::new().await;
    let before = world.says(ANN, "hello", at(1)).await;
    world.says(ANN, "STOP", at(2)).await;
    assert_eq!(world.turns_idle(at(3)).await, None);
    let why = Some(Refusal::OptedOut.as_str().to_owned());
    assert_eq!(state(&world, before).await, EntryState::In { state: "refused".to_owned(), why });
    world.says(ANN, "START", at(4)).await;
    world.says(ANN, "back again", at(5)).await;
    assert_eq!(texts(&world.lease(at(5)).await), ["back again"]);
}

#[tokio::test]
async fn while_the_agent_thinks() {
    let world = World::new().await;
    let question = world.says(ANN, "hello", at(1)).await;
    let turn = world.lease(at(1)).await;
    world.says(ANN, "STOP", at(2)).await;
    world.answer(&turn, "hi", at(3)).await.unwrap();
    assert_eq!(world.parts_idle(at(3)).await, None, "the answer is dropped");
    let why = Some(Refusal::OptedOut.as_str().to_owned());
    assert_eq!(state(&world, question).await, EntryState::In { state: "refused".to_owned(), why });
    assert_eq!(world.turns_idle(at(3)).await, None);
}

#[tokio::test]
async fn while_a_turn_is_tried_again() {
    let world = World::new().await;
    world.says(ANN, "hello", at(1)).await;
    let turn = world.lease(at(1)).await;
    world.store.fail_turn(&turn.lease, super::world::turn_failure(RETRY), at(1)).await.unwrap();
    world.says(ANN, "STOP", at(2)).await;
    assert!(world.lease(at(10)).await.standing.is_opted_out);
}

#[tokio::test]
async fn while_parts_wait_to_be_sent() {
    let world = World::new().await;
    let canceled = world.send("a", ANN, &["1", "2"], at(1)).await;
    let behind = world.send("b", ANN, &["3"], at(1)).await;
    let other = world.send("c", BOB, &["4"], at(1)).await;
    world.says(ANN, "STOP", at(2)).await;
    assert_eq!(world.states(canceled).await, [Canceled, Canceled]);
    assert_eq!(world.states(behind).await, [Canceled]);
    assert_eq!(world.start(at(2)).await.message, other);
    assert_eq!(world.parts_idle(at(2)).await, None);
}

#[tokio::test]
async fn while_a_part_is_handed_over() {
    let world = World::new().await;
    let message = world.send("a", ANN, &["1", "2"], at(1)).await;
    let part = world.start(at(1)).await;
    world.says(ANN, "STOP", at(2)).await;
    assert_eq!(world.states(message).await, [Starting, Canceled]);
    world.store.part_sent(part.lease, receipt("SM1", Status::Queued), at(3)).await.unwrap();
    assert_eq!(world.states(message).await, [Sent, Canceled]);
    assert_eq!(world.parts_idle(at(3)).await, None);
}

#[tokio::test]
async fn while_a_part_is_handed_over_in_vain() {
    let world = World::new().await;
    let message = world.send("a", ANN, &["1"], at(1)).await;
    let part = world.start(at(1)).await;
    world.says(ANN, "STOP", at(2)).await;
    let fate = world.store.part_failed(part.lease, send_failure(RETRY), 0.0, at(3)).await.unwrap();
    assert_eq!(fate, PartFate::Failed);
    assert_eq!(world.states(message).await, [Canceled]);
    assert_eq!(world.parts_idle(at(1000)).await, None);
}

#[tokio::test]
async fn while_a_part_is_in_doubt() {
    let world = World::new().await;
    let message = world.send("a", ANN, &["1"], at(1)).await;
    let lease = world.lose(at(1)).await.lease;
    world.says(ANN, "STOP", at(2)).await;
    assert_eq!(world.states(message).await, [PartState::Unknown]);
    world.store.not_found(lease, SearchResult::Absent, at(3)).await.unwrap();
    let then = world.store.not_found(lease, SearchResult::Absent, at(30)).await.unwrap();
    assert_eq!(then, Then::Canceled, "it is known that it was not sent");
    assert_eq!(world.states(message).await, [Canceled]);
    assert_eq!(world.parts_idle(at(1000)).await, None);
}

#[tokio::test]
async fn at_the_provider_where_we_did_not_see_it() {
    let world = World::new().await;
    let message = world.send("a", ANN, &["1", "2"], at(1)).await;
    let behind = world.send("b", ANN, &["3"], at(1)).await;
    let part = world.start(at(1)).await;
    let failure = SendFailure { is_opt_out: true, code: Some(21_610), ..send_failure(Disposition::GiveUp) };
    assert_eq!(world.store.part_failed(part.lease, failure, 0.0, at(2)).await.unwrap(), PartFate::Failed);
    assert_eq!(world.states(message).await, [Failed, Canceled]);
    assert_eq!(world.states(behind).await, [Canceled]);
    assert_eq!(history(&world).await, [(Wish::OptOut, Evidence::Refusal, 2)]);
    let listed = world.store.message(MessageReference::Entry(EntryId::Out(behind))).await.unwrap().unwrap();
    let EntryState::Out { reason: Some(reason), .. } = listed.entry.standing else { panic!("no reason is listed") };
    assert!(reason.contains("opted out"), "{reason}");
    assert!(world.store.standing(world.line, &super::world::number(ANN)).await.unwrap().is_opted_out);
    assert!(matches!(world.says(ANN, "hello?", at(3)).await, Accepted::Refused(_, Refusal::OptedOut)));
}

#[tokio::test]
async fn on_one_line_only() {
    let world = World::new().await;
    let other = world.store.claim_line("twilio", super::world::sender("+15550003333"), at(0)).await.unwrap();
    world.says(ANN, "STOP", at(1)).await;
    assert!(world.store.enqueue(other, draft("k", ANN, &["hi"]), at(2)).await.unwrap().is_new);
    assert!(matches!(world.next_turn(at(2)).await, Next::Idle(None)));
    assert_eq!(world.hand_over("SM1", at(2)).await.text, "hi");
}

async fn history(world: &World) -> Vec<(Wish, Evidence, i64)> {
    let mut said = world.store.consent_history(Some(number(ANN))).await.unwrap();
    said.reverse();
    said.iter().map(|consent| (consent.wish, consent.evidence, (consent.at.0 - at(0).0) / 1000)).collect()
}

#[tokio::test]
async fn and_it_stays_on_record_who_said_what_and_how_we_know() {
    let world = World::new().await;
    world.says(ANN, "STOP", at(1)).await;
    world.says(ANN, "stop", at(2)).await;
    world.says(ANN, "START", at(3)).await;
    let in_french = Arrival { opt_out_type: Some("STOP".into()), ..world.text(ANN, "arrêt") };
    world.accept(in_french, open_to_all(), at(4)).await;
    let expected = [
        (Wish::OptOut, Evidence::Keyword, 1),
        (Wish::OptIn, Evidence::Keyword, 3),
        (Wish::OptOut, Evidence::Provider, 4),
    ];
    assert_eq!(history(&world).await, expected);
    let now = world.store.opt_outs().await.unwrap();
    let [only] = now.as_slice() else { panic!("{now:?}") };
    assert_eq!((only.line, only.evidence, only.at), (world.line, Evidence::Provider, at(4)));
    assert!(world.store.consent_history(Some(number(BOB))).await.unwrap().is_empty());
}

#[tokio::test]
async fn to_the_operator_who_enters_it_and_takes_it_back() {
    let world = World::new().await;
    let waiting = world.send("a", ANN, &["1"], at(1)).await;
    let record = async |wish, now| world.store.record_wish(world.line, &number(ANN), wish, at(now)).await.unwrap();
    assert!(record(Wish::OptOut, 2).await);
    assert!(!record(Wish::OptOut, 3).await);
    assert_eq!(world.states(waiting).await, [Canceled]);
    let refused = world.store.enqueue(world.line, draft("k", ANN, &["hi"]), at(4)).await;
    assert_eq!(refused, Err(StoreError::OptedOut));
    assert!(record(Wish::OptIn, 5).await);
    assert!(!record(Wish::OptIn, 6).await);
    world.store.enqueue(world.line, draft("k", ANN, &["hi"]), at(7)).await.unwrap();
    assert!(world.store.opt_outs().await.unwrap().is_empty());
    let expected = [(Wish::OptOut, Evidence::Operator, 2), (Wish::OptIn, Evidence::Operator, 5)];
    assert_eq!(history(&world).await, expected);
    let nowhere = world.store.record_wish(LineId(99), &number(ANN), Wish::OptOut, at(8)).await;
    assert!(matches!(nowhere, Err(StoreError::NotFound(_))));
}

#[tokio::test]
async fn then_an_approval_says_that_it_cannot_tell_them() {
    let world = World::new().await;
    world.says(ANN, "STOP", at(1)).await;
    let approval = parts(&["approved"]);
    let approved = world.store.approve(Who::Number(number(ANN)), approval, Some(world.line), at(2)).await.unwrap();
    assert!(approved.is_opted_out && approved.message.is_none(), "{approved:?}");
    assert_eq!(world.parts_idle(at(3)).await, None);
}

/// Stores a message that arrived at `came` but was found at the provider only at `now`.
async fn found(world: &World, text: &str, came: i64, now: i64) -> Accepted {
    let arrival = Arrival { provider_time: Some(at(came)), ..world.text(ANN, text) };
    world.accept(arrival, open_to_all(), at(now)).await
}

async fn is_opted_out(world: &World) -> bool {
    world.store.standing(world.line, &number(ANN)).await.unwrap().is_opted_out
}

async fn overtaken(world: &World) -> Vec<i64> {
    let said = world.store.consent_history(Some(number(ANN))).await.unwrap();
    let overtaken = said.iter().filter(|consent| consent.is_overtaken);
    overtaken.map(|consent| (consent.at.0 - at(0).0) / 1000).collect()
}

#[tokio::test]
async fn and_a_yes_from_before_is_found_that_ends_nothing() {
    let world = World::new().await;
    world.says(ANN, "STOP", at(100)).await;
    world.says(ANN, "STOP", at(300)).await;
    assert!(matches!(found(&world, "yes", 200, 900).await, Accepted::Keyword(..)));
    assert!(is_opted_out(&world).await, "they said STOP again since");
    let expected = [(Wish::OptOut, Evidence::Keyword, 100), (Wish::OptIn, Evidence::Keyword, 200)];
    assert_eq!(history(&world).await, expected);
    assert_eq!(overtaken(&world).await, [200]);
    let now = world.store.opt_outs().await.unwrap();
    assert_eq!(now.iter().map(|consent| consent.at).collect::<Vec<_>>(), [at(100)]);
    found(&world, "START", 400, 901).await;
    assert!(!is_opted_out(&world).await, "this they said after it");
}

#[tokio::test]
async fn before_a_start_and_the_stop_is_found_that_ends_nothing() {
    let world = World::new().await;
    world.says(ANN, "STOP", at(100)).await;
    world.says(ANN, "START", at(300)).await;
    let waiting = world.send("a", ANN, &["1"], at(301)).await;
    found(&world, "STOP", 200, 900).await;
    assert!(!is_opted_out(&world).await);
    assert_eq!(overtaken(&world).await, [200]);
    assert_eq!(world.states(waiting).await, [PartState::Ready]);
    found(&world, "STOP", 299, 901).await;
    assert!(is_opted_out(&world).await, "which came first is unknown");
    assert_eq!(world.states(waiting).await, [Canceled]);
}

#[tokio::test]
async fn unheard_and_then_start_which_was_taken_for_talk() {
    let world = World::new().await;
    assert!(matches!(world.says(ANN, "START", at(300)).await, Accepted::Waiting(_)));
    found(&world, "STOP", 200, 900).await;
    assert!(!is_opted_out(&world).await);
    let expected = [(Wish::OptOut, Evidence::Keyword, 200), (Wish::OptIn, Evidence::Keyword, 300)];
    assert_eq!(history(&world).await, expected);
    assert_eq!(texts(&world.lease(at(901)).await), ["START"]);
}

#[tokio::test]
async fn unheard_and_it_counts_from_when_it_was_said() {
    let world = World::new().await;
    world.says(ANN, "hello", at(100)).await;
    let waiting = world.send("a", ANN, &["1"], at(100)).await;
    let stop = found(&world, "STOP", 200, 9000).await;
    assert!(is_opted_out(&world).await);
    assert_eq!(world.states(waiting).await, [Canceled]);
    assert_eq!(history(&world).await, [(Wish::OptOut, Evidence::Keyword, 200)]);
    let Accepted::Keyword(id, _) = stop else { panic!("{stop:?}") };
    let detail = world.store.message(MessageReference::Entry(EntryId::In(id))).await.unwrap().unwrap();
    assert_eq!(detail.entry.time, at(200));
}
