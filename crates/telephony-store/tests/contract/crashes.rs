//! The program is killed at any moment; everything reported as stored is there after a restart.

use telephony_domain::retry::TurnFate;
use telephony_store::inbox::Accepted;
use telephony_store::outbox::PartState;
use telephony_store::{LeaseHolder, StoreError};

use super::world::{ANN, BOB, RETRY, World, arrival, at, gateway, number, open_to_all, parts, texts, turn_failure};

fn next_gateway() -> LeaseHolder {
    LeaseHolder("gateway-2".to_owned())
}

#[tokio::test]
async fn a_crash_after_an_arrival() {
    let world = World::new().await;
    world.accept(arrival("SM1", ANN, "hello"), open_to_all(), at(1)).await;
    let world = world.restarted();
    assert_eq!(world.accept(arrival("SM1", ANN, "hello"), open_to_all(), at(2)).await, Accepted::Repeat);
    assert_eq!(texts(&world.lease(at(2)).await), ["hello"]);
}

#[tokio::test]
async fn a_crash_during_a_turn() {
    let world = World::new().await;
    world.says(ANN, "hello", at(1)).await;
    let lost = world.lease(at(1)).await;
    world.says(ANN, "are you there?", at(2)).await;
    let world = world.restarted();
    assert_eq!(world.store.free_turns(&next_gateway(), at(3)).await.unwrap(), 1);
    let turn = world.lease(at(3)).await;
    assert_eq!((turn.lease.turn, turn.attempt), (lost.lease.turn, 2));
    assert_eq!(texts(&turn), ["hello"]);
    world.answer(&turn, "hi", at(4)).await.unwrap();
    assert_eq!(world.answer(&lost, "hi", at(4)).await, Err(StoreError::LeaseLost));
    assert_eq!(texts(&world.lease(at(4)).await), ["are you there?"]);
}

#[tokio::test]
async fn a_crash_between_two_attempts() {
    let world = World::new().await;
    world.says(ANN, "hello", at(1)).await;
    let turn = world.lease(at(1)).await;
    let fate = world.store.fail_turn(&turn.lease, turn_failure(RETRY), at(1)).await.unwrap();
    let world = world.restarted();
    assert_eq!(fate, TurnFate::RetryAt(at(2)));
    assert_eq!(world.turns_idle(at(1)).await, Some(at(2)));
    assert_eq!(world.lease(at(2)).await.attempt, 2);
}

#[tokio::test]
async fn a_crash_after_the_answer_was_stored() {
    let world = World::new().await;
    world.says(ANN, "hello", at(1)).await;
    let turn = world.lease(at(1)).await;
    world.answer(&turn, "hi", at(2)).await.unwrap();
    let world = world.restarted();
    assert_eq!(world.store.free_turns(&next_gateway(), at(3)).await.unwrap(), 0);
    assert_eq!(world.turns_idle(at(100)).await, None);
    assert_eq!(world.hand_over("SM1", at(3)).await.text, "hi");
}

#[tokio::test]
async fn a_crash_while_a_part_is_sent() {
    let world = World::new().await;
    let message = world.send("a", ANN, &["1", "2"], at(1)).await;
    world.start(at(1)).await;
    let world = world.restarted();
    assert_eq!(world.parts_idle(at(2)).await, None);
    assert_eq!(world.store.take_over_attempts(&next_gateway(), at(2)).await.unwrap(), 1);
    assert_eq!(world.states(message).await, [PartState::Unknown, PartState::Queued]);
    assert_eq!(world.doubtful(at(2)).await.text, "1");
}

#[tokio::test]
async fn a_crash_after_an_approval() {
    let world = World::new().await;
    let who = |text| telephony_store::contacts::Who::Number(number(text));
    world.store.approve(who(ANN), parts(&["approved"]), Some(world.line), at(1)).await.unwrap();
    world.store.reject(who(BOB), true, at(1)).await.unwrap();
    world.says(ANN, "STOP", at(2)).await;
    let world = world.restarted();
    let ann = world.store.standing(world.line, &number(ANN)).await.unwrap();
    assert_eq!((ann.is_approved, ann.is_blocked, ann.is_opted_out), (true, false, true));
    assert!(world.store.standing(world.line, &number(BOB)).await.unwrap().is_blocked);
    assert_eq!(world.store.take_over_attempts(&gateway(), at(3)).await.unwrap(), 0);
}
