//! The operator's limits are never exceeded, and held messages are not lost.

mod any_order;
mod shown;

use telephony_domain::delivery::Status;
use telephony_domain::limit::{DAY, Limits, MOMENT};
use telephony_domain::message::{MessageDraft, MessagePurpose, PartDraft};
use telephony_domain::reconcile::SearchResult;
use telephony_domain::retry::Disposition;
use telephony_domain::time::Timestamp;
use telephony_store::outbox::PartState::{Canceled, Failed, Ready, Starting};
use telephony_store::outbox::StartedPart;
use telephony_store::{LONGEST_WAIT, Next};

use super::world::{ANN, BOB, RETRY, World, at, draft, receipt, seconds, send_failure};

fn per_day(segments: u32) -> Limits {
    Limits { segments_per_day: Some(segments), ..Limits::default() }
}

fn per_contact(segments: u32) -> Limits {
    Limits { segments_per_contact_per_day: Some(segments), ..Limits::default() }
}

pub fn replies(number: u32) -> Limits {
    Limits { replies_per_contact_per_30s: Some(number), ..Limits::default() }
}

pub async fn taken(world: &World, limits: Limits, now: Timestamp) -> StartedPart {
    match world.start_within(limits, now).await {
        Next::Taken(part) => part,
        Next::Idle(due) => panic!("nothing may leave before {due:?}"),
    }
}

pub async fn held(world: &World, limits: Limits, now: Timestamp) -> Option<Timestamp> {
    match world.start_within(limits, now).await {
        Next::Idle(due) => due,
        Next::Taken(part) => panic!("{part:?} leaves over the limit"),
    }
}

pub async fn sent(world: &World, part: &StartedPart, now: Timestamp) {
    let id = format!("SM-{}", part.correlation_id);
    world.store.part_sent(part.lease, receipt(&id, Status::Queued), now).await.unwrap();
}

#[tokio::test]
async fn messages_beyond_the_daily_limit_wait_a_day() {
    let world = World::new().await;
    world.send("a", ANN, &["1", "2"], at(0)).await;
    let waiting = world.send("b", BOB, &["3"], at(0)).await;
    for now in [0, 100] {
        let part = taken(&world, per_day(2), at(now)).await;
        sent(&world, &part, at(now)).await;
    }
    assert_eq!(held(&world, per_day(2), at(200)).await, Some(at(0) + DAY));
    assert_eq!(held(&world, per_day(2), at(300)).await, Some(at(0) + DAY));
    let progress = world.store.progress(waiting).await.unwrap();
    assert_eq!(progress.parts[0].next_attempt, Some(at(0) + DAY));
    assert_eq!(progress.parts[0].reason.as_deref(), Some("limits.segmentsPerDay is reached"));
    assert_eq!(world.notices(at(300)).await, ["limit-segmentsPerDay"]);
    let world = world.restarted();
    assert!(held(&world, per_day(2), at(0) + DAY - seconds(1)).await.is_some());
    assert_eq!(taken(&world, per_day(2), at(0) + DAY).await.text, "3");
    assert_eq!(held(&world, per_day(2), at(0) + DAY).await, None);
    assert_eq!(world.notices(at(0) + DAY).await, [""; 0], "it holds no longer");
}

#[tokio::test]
async fn a_lifted_limit_releases_waiting_parts() {
    let world = World::new().await;
    world.send("a", ANN, &["1", "2"], at(0)).await;
    let part = taken(&world, per_contact(1), at(0)).await;
    sent(&world, &part, at(0)).await;
    assert_eq!(held(&world, per_contact(1), at(1)).await, Some(at(1) + LONGEST_WAIT));
    assert_eq!(taken(&world, Limits::default(), at(1) + LONGEST_WAIT).await.text, "2");
}

#[tokio::test]
async fn a_contacts_limit_does_not_delay_others() {
    let world = World::new().await;
    world.send("a", ANN, &["1", "2"], at(0)).await;
    sent(&world, &taken(&world, per_contact(1), at(2)).await, at(2)).await;
    world.send("b", BOB, &["3"], at(3)).await;
    assert_eq!(taken(&world, per_contact(1), at(3)).await.text, "3");
    assert_eq!(world.notices(at(3)).await, ["limit-segmentsPerContactPerDay"]);
}

#[tokio::test]
async fn a_small_part_does_not_overtake_a_large_one_that_waits_for_the_day() {
    let world = World::new().await;
    let large = MessageDraft { parts: vec![PartDraft { text: "large".into(), segments: 3 }], ..draft("a", ANN, &[]) };
    world.send("first", BOB, &["1"], at(0)).await;
    sent(&world, &taken(&world, per_day(3), at(0)).await, at(0)).await;
    world.store.enqueue(world.line, large, at(1)).await.unwrap();
    world.send("small", BOB, &["2"], at(2)).await;
    assert_eq!(held(&world, per_day(3), at(3)).await, Some(at(0) + DAY));
    assert_eq!(taken(&world, per_day(3), at(0) + DAY).await.text, "large");
}

#[tokio::test]
async fn a_part_larger_than_a_limit_fails() {
    let world = World::new().await;
    let parts = vec![PartDraft { text: "large".into(), segments: 3 }, PartDraft { text: "rest".into(), segments: 1 }];
    let large = MessageDraft { parts, ..draft("a", ANN, &[]) };
    let large = world.store.enqueue(world.line, large, at(0)).await.unwrap().message;
    world.send("b", ANN, &["next"], at(0)).await;
    assert_eq!(taken(&world, per_contact(2), at(0)).await.text, "next");
    assert_eq!(world.states(large).await, [Failed, Canceled]);
    let reason = world.store.progress(large).await.unwrap().parts[0].reason.clone().unwrap();
    assert!(reason.contains("limits.segmentsPerContactPerDay is 2"), "{reason}");
}

#[tokio::test]
async fn a_part_above_a_lowered_limit_fails_and_no_longer_waits() {
    let world = World::new().await;
    world.send("a", ANN, &["1"], at(0)).await;
    sent(&world, &taken(&world, per_day(3), at(0)).await, at(0)).await;
    let parts = vec![PartDraft { text: "large".into(), segments: 3 }];
    let large = MessageDraft { parts, ..draft("b", BOB, &[]) };
    let large = world.store.enqueue(world.line, large, at(1)).await.unwrap().message;
    assert!(held(&world, per_day(3), at(1)).await.is_some());
    assert_eq!(world.notices(at(1)).await, ["limit-segmentsPerDay"]);
    assert_eq!(held(&world, per_day(2), at(2)).await, None);
    let part = world.store.progress(large).await.unwrap().parts[0].clone();
    assert_eq!((part.state, part.waits_for), (Failed, None));
    assert!(world.notices(at(2)).await.is_empty());
}

#[tokio::test]
async fn unsent_parts_are_not_charged() {
    let world = World::new().await;
    let message = world.send("a", ANN, &["1"], at(0)).await;
    for (now, why) in [(0, RETRY), (200, Disposition::Unknown)] {
        let part = taken(&world, per_day(1), at(now)).await;
        world.store.part_failed(part.lease, send_failure(why), 0.0, at(now)).await.unwrap();
    }
    world.send("b", BOB, &["2"], at(300)).await;
    assert!(held(&world, per_day(1), at(300)).await.is_some(), "it may have been sent");
    for now in [300, 400] {
        let doubt = world.doubtful(at(now)).await;
        world.store.not_found(doubt.lease, SearchResult::Absent, at(now)).await.unwrap();
    }
    assert_eq!(world.states(message).await, [Ready]);
    let part = taken(&world, per_day(1), at(400)).await;
    let refused = send_failure(Disposition::GiveUp);
    if part.text == "1" {
        world.store.part_failed(part.lease, refused, 0.0, at(400)).await.unwrap();
        taken(&world, per_day(1), at(400)).await;
    }
}

#[tokio::test]
async fn a_part_found_sent_is_charged() {
    let world = World::new().await;
    world.send("a", ANN, &["1"], at(0)).await;
    let part = world.lose(at(0)).await;
    for now in [0, 20] {
        let doubt = world.doubtful(at(now)).await;
        world.store.not_found(doubt.lease, SearchResult::Absent, at(now)).await.unwrap();
    }
    let late = super::world::report("SM1", Some(&part.correlation_id), Status::Delivered);
    world.store.report("twilio", late, at(30)).await.unwrap();
    world.send("b", BOB, &["2"], at(40)).await;
    assert_eq!(held(&world, per_day(1), at(40)).await, Some(at(30) + DAY));
}

#[tokio::test]
async fn a_clock_set_back_keeps_charges_and_blocks_at_most_a_day() {
    let world = World::new().await;
    let far = at(0) + 300 * DAY;
    world.send("a", ANN, &["1"], far).await;
    sent(&world, &taken(&world, per_day(1), far).await, far).await;
    world.send("b", BOB, &["2"], at(0)).await;
    assert_eq!(held(&world, per_day(1), at(0)).await, Some(at(0) + DAY));
    world.send("c", BOB, &["3"], at(1)).await;
    sent(&world, &taken(&world, per_day(2), at(1)).await, at(1)).await;
    assert_eq!(taken(&world, per_day(2), at(1) + DAY).await.text, "3");
}

#[tokio::test]
async fn operator_texts_overtake_limited_parts() {
    let world = World::new().await;
    world.send("a", ANN, &["1"], at(0)).await;
    let part = taken(&world, per_day(1), at(0)).await;
    sent(&world, &part, at(0)).await;
    world.send("b", ANN, &["2"], at(0)).await;
    let order = MessageDraft { purpose: MessagePurpose::OperatorCommand, ..draft("c", ANN, &["told"]) };
    world.store.enqueue(world.line, order, at(0)).await.unwrap();
    let part = taken(&world, per_day(1), at(1)).await;
    assert_eq!(part.text, "told");
    assert_eq!(world.notices(at(1)).await, ["limit-segmentsPerDay"], "the other part waits still");
    sent(&world, &part, at(1)).await;
    assert_eq!(held(&world, per_day(1), at(2)).await, Some(at(1) + DAY));
}

#[tokio::test]
async fn operator_messages_are_charged_but_not_delayed() {
    let world = World::new().await;
    for key in ["a", "b", "c"] {
        let by_hand = MessageDraft { purpose: MessagePurpose::Send, ..draft(key, ANN, &["by hand"]) };
        world.store.enqueue(world.line, by_hand, at(0)).await.unwrap();
        sent(&world, &taken(&world, replies(2), at(0)).await, at(0)).await;
    }
    let reply = world.send("d", ANN, &["reply"], at(1)).await;
    assert_eq!(held(&world, replies(2), at(1)).await, Some(at(0) + MOMENT));
    assert_eq!(world.states(reply).await, [Ready]);
    taken(&world, replies(2), at(0) + MOMENT).await;
    assert_eq!(world.states(reply).await, [Starting]);
}
