//! The machine's clock is set back, and nothing waits for the old time.

use telephony_domain::pace::{Pace, Pacing};
use telephony_domain::policy::InboundPolicy;
use telephony_domain::reconcile::{DoubtStep as Then, SearchResult};
use telephony_domain::retry::{Disposition, TurnFate};
use telephony_store::{LONGEST_WAIT, Next};

use super::world::{ANN, BOB, RETRY, World, at, rules, send_failure, texts, turn_failure};

/// Much more than any delay.
const DAY: i64 = 86_400;

/// More than the delay of a retry, less than the longest wait.
const MINUTES: i64 = 300;

/// Both cases: a clock that is wrong by a lot, and one that is wrong by a little.
const STEPS: [i64; 2] = [DAY, MINUTES];

/// Returns the remaining wait after a clock was set back by `step`.
fn later(step: i64) -> telephony_domain::time::Timestamp {
    if step > 600 { at(0) } else { at(0) + LONGEST_WAIT }
}

#[tokio::test]
async fn waiting_messages_are_answered_after_a_clock_set_back() {
    for step in STEPS {
        let world = World::new().await;
        world.accept(world.text(ANN, "hello"), rules(InboundPolicy::Open, 2), at(step)).await;
        assert_eq!(texts(&world.lease(later(step)).await), ["hello"]);
    }
}

#[tokio::test]
async fn a_new_text_joins_older_waiting_ones() {
    let world = World::new().await;
    world.accept(world.text(ANN, "before"), rules(InboundPolicy::Open, 2), at(MINUTES)).await;
    world.accept(world.text(ANN, "after"), rules(InboundPolicy::Open, 2), at(0)).await;
    assert_eq!(texts(&world.lease(at(2)).await), ["before", "after"]);
}

#[tokio::test]
async fn the_turn_of_a_dead_process_is_taken_over() {
    for step in STEPS {
        let world = World::new().await;
        world.says(ANN, "hello", at(step)).await;
        let dead = world.lease(at(step)).await;
        assert_eq!(world.lease(later(step)).await.lease.turn, dead.lease.turn);
    }
}

#[tokio::test]
async fn a_living_process_keeps_its_turn_by_renewing_it() {
    let world = World::new().await;
    world.says(ANN, "hello", at(DAY)).await;
    let turn = world.lease(at(DAY)).await;
    world.store.renew_turn(&turn.lease, at(0)).await.unwrap();
    assert_eq!(world.turns_idle(at(1)).await, Some(at(30)));
    world.answer(&turn, "hi", at(2)).await.unwrap();
}

#[tokio::test]
async fn a_failing_turn_is_parked_in_time() {
    let world = World::new().await;
    world.says(ANN, "hello", at(DAY)).await;
    let mut turn = world.lease(at(DAY)).await;
    world.store.fail_turn(&turn.lease, turn_failure(RETRY), at(DAY)).await.unwrap();
    for now in [0, 300] {
        turn = world.lease(at(now)).await;
        let fate = world.store.fail_turn(&turn.lease, turn_failure(RETRY), at(now)).await.unwrap();
        assert!(matches!(fate, TurnFate::RetryAt(_)));
    }
    turn = world.lease(at(700)).await;
    let fate = world.store.fail_turn(&turn.lease, turn_failure(RETRY), at(700)).await.unwrap();
    assert!(matches!(fate, TurnFate::ParkedUntil(_)), "{fate:?}");
}

#[tokio::test]
async fn parts_are_sent_after_a_clock_set_back() {
    for step in STEPS {
        let world = World::new().await;
        world.send("a", ANN, &["hello"], at(step)).await;
        assert_eq!(world.start(later(step)).await.text, "hello");
    }
}

#[tokio::test]
async fn a_part_put_off_by_the_old_clock_does_not_wait_behind_one_put_off_by_the_new() {
    let world = World::new().await;
    world.send("a", ANN, &["old"], at(DAY)).await;
    world.send("b", BOB, &["new"], at(0)).await;
    let new = world.start(at(0)).await;
    assert_eq!(new.text, "new");
    world.store.part_failed(new.lease, send_failure(RETRY), 0.0, at(0)).await.unwrap();
    assert_eq!(world.start(at(0)).await.text, "old");
}

#[tokio::test]
async fn a_busy_line_is_free_again() {
    let world = World::new().await;
    let pacing = Pacing::Fixed(Pace::new(1.0).unwrap());
    world.send("a", ANN, &["1"], at(DAY)).await;
    world.send("b", BOB, &["2"], at(DAY)).await;
    assert!(matches!(world.next_part(pacing, at(DAY)).await, Next::Taken(_)));
    assert!(matches!(world.next_part(pacing, at(0)).await, Next::Taken(_)));
    world.send("c", "+15550001111", &["3"], at(0)).await;
    assert!(matches!(world.next_part(pacing, at(0)).await, Next::Idle(Some(due)) if due == at(1)));
}

#[tokio::test]
async fn doubts_are_raised_and_reconciled() {
    for step in STEPS {
        let world = World::new().await;
        world.send("a", ANN, &["1"], at(step)).await;
        world.start(at(step)).await;
        assert_eq!(world.doubt_overdue(at(0)).await, 1);
        assert!(world.doubtful(at(0)).await.attempted <= at(0), "the list is searched from then on");
    }
    for step in STEPS {
        let world = World::new().await;
        world.send("a", ANN, &["1"], at(step)).await;
        let part = world.start(at(step)).await;
        world.store.part_failed(part.lease, send_failure(Disposition::Unknown), 0.0, at(step)).await.unwrap();
        world.doubtful(later(step)).await;
    }
}

#[tokio::test]
async fn a_doubt_is_resolved_before_the_clock_catches_up() {
    let world = World::new().await;
    world.send("a", ANN, &["1"], at(DAY)).await;
    let lease = world.lose(at(DAY)).await.lease;
    assert_eq!(world.doubtful(at(0)).await.attempted, at(0), "the list is searched from here on");
    let look = async |now| world.store.not_found(lease, SearchResult::Absent, now).await.unwrap();
    let second = at(15);
    assert_eq!(look(at(0)).await, Then::LookAgainAt(second));
    assert_eq!(world.doubtful(second).await.attempted, at(0), "and not from ever later");
    assert_eq!(look(second).await, Then::SendAgain);
}
