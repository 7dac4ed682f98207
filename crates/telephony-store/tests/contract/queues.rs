//! A line never takes more than it can send in time.

use telephony_domain::message::{Draft, PartDraft};
use telephony_domain::pace::{Pace, Pacing};
use telephony_domain::retry::Disposition;
use telephony_store::inbox::TurnEnd;
use telephony_store::{Next, StoreError};

use super::world::{ANN, BOB, World, at, draft, receipt, send_failure};
use telephony_domain::delivery::Status;

/// Ten hours at one segment in an hour: ten segments.
fn slow() -> Pacing {
    Pacing::Fixed(Pace::new(1.0 / 3600.0).unwrap())
}

fn of_segments(key: &str, to: &str, segments: u32) -> Draft {
    Draft { parts: vec![PartDraft { text: "long".to_owned(), segments }], ..draft(key, to, &[]) }
}

async fn waiting(world: &World) -> u32 {
    world.store.queues(slow().into(), at(0)).await.unwrap()[0].segments
}

#[tokio::test]
async fn what_would_wait_for_more_than_ten_hours_is_refused_at_once() {
    let world = World::new().await;
    world.store.bound_queues(slow()).await.unwrap();
    world.store.enqueue(world.line, of_segments("a", ANN, 7), at(0)).await.unwrap();
    let full = world.store.enqueue(world.line, of_segments("b", BOB, 4), at(0)).await;
    assert_eq!(full, Err(StoreError::QueueFull { waiting: 7, most: 10 }));
    world.store.enqueue(world.line, of_segments("b", BOB, 3), at(0)).await.unwrap();
    let again = world.store.enqueue(world.line, of_segments("a", ANN, 7), at(0)).await.unwrap();
    assert!(!again.is_new, "a repeated key takes no room");
    world.hand_over("SM1", at(0)).await;
    world.store.enqueue(world.line, of_segments("c", BOB, 7), at(0)).await.unwrap();
    world.store.bound_queues(Pacing::Unlimited).await.unwrap();
    world.store.enqueue(world.line, of_segments("d", BOB, 100), at(0)).await.unwrap();
}

#[tokio::test]
async fn an_answer_that_finds_no_room_is_not_lost() {
    let world = World::new().await;
    world.store.bound_queues(slow()).await.unwrap();
    world.store.enqueue(world.line, of_segments("a", ANN, 10), at(0)).await.unwrap();
    world.says(BOB, "hello", at(0)).await;
    let turn = world.lease(at(0)).await;
    let answer = TurnEnd::Answered(vec![draft("answer", BOB, &["hi"])]);
    let full = world.store.finish_turn(&turn.lease, answer.clone(), at(1)).await;
    assert!(matches!(full, Err(StoreError::QueueFull { .. })));
    world.hand_over("SM1", at(1)).await;
    world.store.finish_turn(&turn.lease, answer, at(2)).await.unwrap();
    assert_eq!(world.start(at(2)).await.text, "hi");
}

#[tokio::test]
async fn whatever_becomes_of_parts_the_queue_is_counted_right() {
    let world = World::new().await;
    world.send("a", ANN, &["1", "2", "3"], at(0)).await;
    assert_eq!(waiting(&world).await, 3);
    let part = world.start(at(0)).await;
    assert_eq!(waiting(&world).await, 2);
    let again = send_failure(Disposition::Retry { after: None });
    world.store.part_failed(part.lease, again, 0.0, at(0)).await.unwrap();
    assert_eq!(waiting(&world).await, 3);
    let part = world.start(at(10)).await;
    world.store.part_sent(part.lease, receipt("SM1", Status::Queued), at(10)).await.unwrap();
    let part = world.start(at(10)).await;
    world.store.part_failed(part.lease, send_failure(Disposition::GiveUp), 0.0, at(10)).await.unwrap();
    assert_eq!(waiting(&world).await, 0, "the third was canceled with the second");
    world.send("b", ANN, &["1"], at(11)).await;
    world.says(ANN, "STOP", at(12)).await;
    assert_eq!(waiting(&world).await, 0);
}

#[tokio::test]
async fn one_can_say_when_a_queue_will_be_empty() {
    let world = World::new().await;
    let pacing = Pacing::Fixed(Pace::new(0.5).unwrap());
    world.send("a", ANN, &["1", "2"], at(0)).await;
    world.send("b", BOB, &["3"], at(0)).await;
    assert!(matches!(world.next_part(pacing, at(0)).await, Next::Taken(_)));
    let queue = async |pacing: Pacing| world.store.queues(pacing.into(), at(0)).await.unwrap().remove(0);
    let queued = queue(pacing).await;
    assert_eq!((queued.segments, queued.ends, queued.waits_for), (2, at(6), None));
    assert_eq!(queue(Pacing::Unlimited).await.ends, at(0));
}
