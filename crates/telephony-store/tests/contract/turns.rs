//! Turns fail, lose their leases and are retried.

use telephony_domain::policy::Refusal;
use telephony_domain::retry::{Disposition, TurnFate};
use telephony_store::inbox::{Apology, LEASE, TurnEnd, TurnFailure};
use telephony_store::outbox::PartState;
use telephony_store::{LeaseHolder, Next, StoreError};

use super::world::{ANN, BOB, RETRY, World, at, draft, gateway, number, texts, turn_failure};

#[tokio::test]
async fn an_answer_without_the_lease_is_dropped() {
    let world = World::new().await;
    world.says(ANN, "hello", at(1)).await;
    let slow = world.lease(at(1)).await;
    world.says(ANN, "still there?", at(5)).await;
    let next = world.lease(at(32)).await;
    assert_eq!((next.lease.turn, next.attempt), (slow.lease.turn, 2));
    assert_eq!(texts(&next), ["hello"], "the same messages as before");
    assert_eq!(world.answer(&slow, "late", at(33)).await, Err(StoreError::LeaseLost));
    assert_eq!(world.store.renew_turn(&slow.lease, at(33)).await, Err(StoreError::LeaseLost));
    let failed = world.store.fail_turn(&slow.lease, turn_failure(RETRY), at(33)).await;
    assert_eq!(failed, Err(StoreError::LeaseLost));
    assert_eq!(world.parts_idle(at(33)).await, None);
    world.answer(&next, "in time", at(34)).await.unwrap();
    assert_eq!(world.start(at(34)).await.text, "in time");
    assert_eq!(world.answer(&next, "twice", at(35)).await, Err(StoreError::LeaseLost));
}

#[tokio::test]
async fn a_lease_that_is_renewed_does_not_expire() {
    let world = World::new().await;
    world.says(ANN, "hello", at(0)).await;
    let turn = world.lease(at(0)).await;
    for second in [10, 20, 30, 40] {
        world.store.renew_turn(&turn.lease, at(second)).await.unwrap();
        assert_eq!(world.turns_idle(at(second)).await, Some(at(second) + LEASE));
    }
    world.answer(&turn, "hi", at(69)).await.unwrap();
}

#[tokio::test]
async fn a_shutdown_returns_the_turn_without_an_attempt() {
    let world = World::new().await;
    world.says(ANN, "hello", at(1)).await;
    let turn = world.lease(at(1)).await;
    world.store.hand_back_turn(&turn.lease, at(2)).await.unwrap();
    assert_eq!(world.store.hand_back_turn(&turn.lease, at(2)).await, Err(StoreError::LeaseLost));
    let again = world.lease(at(2)).await;
    assert_eq!((again.lease.turn, again.attempt), (turn.lease.turn, 1));
    assert!(again.lease.fence > turn.lease.fence);
}

#[tokio::test]
async fn the_next_gateway_frees_the_turns_of_the_dead_one() {
    let world = World::new().await;
    world.says(ANN, "hello", at(1)).await;
    world.says(BOB, "hello", at(1)).await;
    let dead = world.lease(at(1)).await;
    let next = LeaseHolder("gateway-2".to_owned());
    let Next::Taken(own) = world.next_turn_for(&next, true, at(2)).await else { panic!("nothing due") };
    assert_eq!(world.store.free_turns(&next, at(3)).await.unwrap(), 1);
    assert_eq!(world.answer(&dead, "from beyond", at(3)).await, Err(StoreError::LeaseLost));
    assert_eq!(world.lease(at(3)).await.lease.turn, dead.lease.turn);
    world.answer(&own, "alive", at(4)).await.unwrap();
}

#[tokio::test]
async fn a_failing_turn_holds_back_its_conversation_until_it_is_parked() {
    let world = World::new().await;
    world.says(ANN, "first", at(0)).await;
    let mut turn = world.lease(at(0)).await;
    let first = turn.lease.turn;
    world.says(ANN, "second", at(1)).await;
    let (mut now, mut attempts) = (at(0), 1);
    let parked_until = loop {
        match world.store.fail_turn(&turn.lease, turn_failure(RETRY), now).await.unwrap() {
            TurnFate::RetryAt(due) => {
                assert_eq!(world.turns_idle(now).await, Some(due), "nothing else of the conversation goes on");
                now = due;
                turn = world.lease(now).await;
                attempts += 1;
                assert_eq!((turn.lease.turn, turn.attempt), (first, attempts));
            }
            TurnFate::ParkedUntil(due) => break due,
            TurnFate::Dead => panic!("dead after {attempts} attempts"),
        }
    };
    assert!(now >= at(600));
    let second = world.lease(now).await;
    assert_eq!(texts(&second), ["second"]);
    world.store.renew_turn(&second.lease, parked_until - LEASE / 2).await.unwrap();
    assert!(matches!(world.next_turn(parked_until).await, Next::Idle(_)), "one turn at a time, parked or not");
    world.answer(&second, "ok", now).await.unwrap();
    assert_eq!(world.turns_idle(now).await, Some(parked_until));
    let listed = world.store.failed_turns().await.unwrap();
    assert_eq!((listed.len(), listed[0].turn, listed[0].is_dead), (1, first, false));
    assert_eq!((listed[0].received, listed[0].next_attempt), (at(0), Some(parked_until)));
    assert_eq!((listed[0].attempts, listed[0].contact.clone()), (attempts, number(ANN)));
    let again = world.lease(parked_until).await;
    assert_eq!(texts(&again), ["first"]);
    world.answer(&again, "at last", parked_until).await.unwrap();
    assert!(world.store.failed_turns().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_turn_dies_after_a_day_of_failures_and_not_by_a_clock_set_ahead() {
    let world = World::new().await;
    world.says(ANN, "hello", at(0)).await;
    for failures in 1..=30 {
        let now = at(100_000 * failures);
        let turn = world.lease(now).await;
        let fate = world.store.fail_turn(&turn.lease, turn_failure(RETRY), now).await.unwrap();
        assert_eq!(fate == TurnFate::Dead, failures == 30, "{failures}: {fate:?}");
    }
}

#[tokio::test]
async fn an_impossible_turn_dies_at_once_and_newer_ones_continue() {
    let world = World::new().await;
    world.says(ANN, "impossible", at(1)).await;
    let turn = world.lease(at(1)).await;
    world.says(ANN, "possible", at(2)).await;
    let fate = world.store.fail_turn(&turn.lease, turn_failure(Disposition::GiveUp), at(3)).await.unwrap();
    assert_eq!(fate, TurnFate::Dead);
    assert_eq!(texts(&world.lease(at(3)).await), ["possible"]);
    let listed = world.store.failed_turns().await.unwrap();
    assert!(listed[0].is_dead);
    assert_eq!((listed[0].reason.as_str(), listed[0].next_attempt), ("the agent is away", None));
}

#[tokio::test]
async fn a_revived_turn_starts_over() {
    let world = World::new().await;
    world.says(ANN, "hello", at(1)).await;
    let turn = world.lease(at(1)).await;
    let unknown = world.store.revive_turn(turn.lease.turn, at(1)).await;
    assert!(matches!(unknown, Err(StoreError::NotFound(_))), "it has not failed");
    world.store.fail_turn(&turn.lease, turn_failure(Disposition::GiveUp), at(1)).await.unwrap();
    assert_eq!(world.turns_idle(at(100_000)).await, None);
    world.store.revive_turn(turn.lease.turn, at(100_000)).await.unwrap();
    assert!(world.store.failed_turns().await.unwrap().is_empty());
    let again = world.lease(at(100_000)).await;
    assert_eq!((again.lease.turn, again.attempt), (turn.lease.turn, 1));
    let fate = world.store.fail_turn(&again.lease, turn_failure(RETRY), at(100_001)).await.unwrap();
    assert!(matches!(fate, TurnFate::RetryAt(_)), "{fate:?}");
}

#[tokio::test]
async fn the_apology_is_due_at_the_same_time_after_slow_and_fast_failures() {
    let world = World::new().await;
    for (contact, first_failure) in [(ANN, 120), (BOB, 1)] {
        world.says(contact, "hello", at(0)).await;
        let turn = world.lease(at(0)).await;
        for now in (20..first_failure).step_by(20) {
            world.store.renew_turn(&turn.lease, at(now)).await.unwrap();
        }
        let sorry = Some(Apology { text: "sorry".to_owned(), parts: draft("", contact, &["sorry"]).parts });
        let failure = TurnFailure { sorry, ..turn_failure(Disposition::GiveUp) };
        world.store.fail_turn(&turn.lease, failure, at(first_failure)).await.unwrap();
        assert_eq!(world.parts_idle(at(119)).await, Some(at(120)));
        assert_eq!(world.start(at(120)).await.text, "sorry");
    }
}

#[tokio::test]
async fn a_revived_turn_waits_for_the_running_one() {
    let world = World::new().await;
    world.says(ANN, "first", at(1)).await;
    let dead = world.lease(at(1)).await;
    world.store.fail_turn(&dead.lease, turn_failure(Disposition::GiveUp), at(1)).await.unwrap();
    world.says(ANN, "second", at(2)).await;
    let second = world.lease(at(2)).await;
    world.store.revive_turn(dead.lease.turn, at(3)).await.unwrap();
    assert!(matches!(world.next_turn(at(3)).await, Next::Idle(_)));
    world.answer(&second, "2", at(4)).await.unwrap();
    assert_eq!(texts(&world.lease(at(4)).await), ["first"]);
}

#[tokio::test]
async fn a_turn_that_crashes_every_process_dies() {
    let mut world = World::new().await;
    world.says(ANN, "poison", at(0)).await;
    let poison = world.lease(at(0)).await.lease.turn;
    world.says(ANN, "harmless", at(1)).await;
    let mut now = 0;
    loop {
        world = world.restarted();
        now += 60;
        world.store.free_turns(&LeaseHolder("gateway-next".to_owned()), at(now)).await.unwrap();
        let turn = world.lease(at(now)).await;
        if turn.lease.turn != poison {
            assert_eq!(texts(&turn), ["harmless"]);
            break;
        }
        assert!(now < 3600, "it is still tried after an hour");
    }
    assert_eq!(world.store.failed_turns().await.unwrap()[0].turn, poison);
}

#[tokio::test]
async fn a_silent_or_refused_turn_sends_nothing() {
    let world = World::new().await;
    for end in [TurnEnd::Answered(Vec::new()), TurnEnd::Refused(Refusal::NotAllowed)] {
        world.says(ANN, "hello", at(1)).await;
        let turn = world.lease(at(1)).await;
        world.store.finish_turn(&turn.lease, end, at(2)).await.unwrap();
    }
    assert_eq!(world.parts_idle(at(2)).await, None);
    assert_eq!(world.turns_idle(at(2)).await, None);
}

#[tokio::test]
async fn an_agent_may_have_sent_a_part_of_its_answer_before() {
    let world = World::new().await;
    world.says(ANN, "hello", at(1)).await;
    let turn = world.lease(at(1)).await;
    let early = world.send("turn-1-call-1", ANN, &["one moment"], at(2)).await;
    let drafts = vec![draft("turn-1-call-1", ANN, &["one moment"]), draft("turn-1", ANN, &["done"])];
    world.store.finish_turn(&turn.lease, TurnEnd::Answered(drafts), at(3)).await.unwrap();
    assert_eq!(world.states(early).await, [PartState::Ready]);
    assert_eq!(world.hand_over("SM1", at(3)).await.text, "one moment");
    assert_eq!(world.hand_over("SM2", at(3)).await.text, "done");
    assert_eq!(world.parts_idle(at(3)).await, None);
}

#[tokio::test]
async fn the_longest_waiting_conversation_is_next() {
    let world = World::new().await;
    world.says(ANN, "early", at(1)).await;
    world.says(BOB, "late", at(2)).await;
    world.says(ANN, "again", at(3)).await;
    assert_eq!(texts(&world.lease(at(4)).await), ["early", "again"], "more texts do not move them back");
    assert_eq!(world.lease(at(4)).await.contact, number(BOB));
}

#[tokio::test]
async fn turns_leased_together_belong_to_different_conversations() {
    let world = World::new().await;
    for contact in [ANN, BOB, "+15550001111"] {
        world.says(contact, "one", at(1)).await;
        world.says(contact, "two", at(1)).await;
    }
    let taken = async |limit| world.store.lease_turns(&gateway(), false, limit, at(2)).await.unwrap();
    let Next::Taken(two) = taken(2).await else { panic!("nothing due") };
    let Next::Taken(rest) = taken(50).await else { panic!("nothing due") };
    assert_eq!((two.len(), rest.len()), (2, 1), "never two of one conversation");
    assert!(two.iter().chain(&rest).all(|turn| texts(turn) == ["one"]));
    assert!(matches!(taken(50).await, Next::Idle(Some(due)) if due == at(2) + LEASE));
}

#[tokio::test]
async fn a_flood_becomes_several_turns_without_loss() {
    let world = World::new().await;
    let long = "x".repeat(1500);
    for n in 0..70 {
        let text = if n == 60 { long.repeat(20) } else { format!("{n}") };
        world.says(ANN, &text, at(n)).await;
    }
    let mut read = Vec::new();
    for turn in 0..4 {
        let turn = match world.next_turn(at(100 + turn)).await {
            Next::Taken(turn) => turn,
            Next::Idle(_) => break,
        };
        read.push(turn.messages.len());
        world.answer(&turn, "yes", at(100)).await.unwrap();
    }
    assert_eq!(read, [50, 10, 1, 9], "a text that is too long for any turn has one of its own");
    assert_eq!(world.store.summary(at(200)).await.unwrap().waiting, 0);
}

#[tokio::test]
async fn turns_that_wait_for_an_agent_go_on_when_it_is_back() {
    let world = World::new().await;
    let unreachable = || TurnFailure { is_unreachable: true, ..turn_failure(RETRY) };
    for (contact, failure) in [(ANN, unreachable()), (BOB, turn_failure(RETRY))] {
        world.says(contact, "hello", at(1)).await;
        let turn = world.lease(at(1)).await;
        assert!(!world.store.turns_wait_for_agent().await.unwrap() || contact == BOB);
        world.store.fail_turn(&turn.lease, failure, at(1)).await.unwrap();
    }
    assert!(world.store.turns_wait_for_agent().await.unwrap());
    assert_eq!(world.store.hasten_turns(at(1)).await.unwrap(), 1);
    assert_eq!(world.store.hasten_turns(at(1)).await.unwrap(), 0);
    let turn = world.lease(at(1)).await;
    assert_eq!((turn.contact.as_str(), turn.attempt), (ANN, 2));
    assert!(!world.store.turns_wait_for_agent().await.unwrap(), "it is being answered");
    world.store.fail_turn(&turn.lease, turn_failure(RETRY), at(1)).await.unwrap();
    assert_eq!(world.store.hasten_turns(at(1)).await.unwrap(), 0, "it was reached, and failed in another way");
}

#[tokio::test]
async fn an_agent_that_is_back_but_not_ready_is_asked_again_soon() {
    let world = World::new().await;
    world.says(ANN, "hello", at(0)).await;
    let mut now = 0;
    for _ in 0..8 {
        let turn = world.lease(at(now)).await;
        let unreachable = TurnFailure { is_unreachable: true, ..turn_failure(RETRY) };
        world.store.fail_turn(&turn.lease, unreachable, at(now)).await.unwrap();
        now += 180;
    }
    for wait in [1, 2, 4] {
        let turn = world.lease(at(now)).await;
        world.store.fail_turn(&turn.lease, turn_failure(RETRY), at(now)).await.unwrap();
        assert_eq!(world.turns_idle(at(now)).await, Some(at(now + wait)));
        now += wait;
    }
}
