//! Parts that wait for a limit, as operators see them: the reason, the expected time, and a notice.

use telephony_domain::id::MessageId;
use telephony_domain::limit::{DAY, Limits, Terms};
use telephony_domain::pace::Pacing;
use telephony_domain::retry::Disposition;
use telephony_domain::time::Timestamp;
use telephony_store::contacts::Who;
use telephony_store::history::{EntryState, Filter};

use super::{held, per_contact, per_day, sent, taken};
use crate::contract::world::{ANN, BOB, World, at, number, parts, seconds, send_failure, terms};

/// Returns the expected departure of a message and the reason for its wait.
async fn expected(world: &World, message: MessageId, limits: Limits, now: Timestamp) -> (Timestamp, Option<String>) {
    let terms = Terms { limits, ..terms(Pacing::Unlimited) };
    let expected = world.store.expected_start(message, terms, now).await.unwrap();
    (expected.at, expected.waits_for)
}

/// Returns the reason and the end of the wait for each part of a message.
async fn kept(world: &World, message: MessageId) -> Vec<(Option<String>, Option<Timestamp>)> {
    let parts = world.store.progress(message).await.unwrap().parts;
    assert!(parts.iter().all(|part| part.waits_for.is_some() == part.reason.is_some()), "{parts:?}");
    parts.into_iter().map(|part| (part.waits_for, part.next_attempt)).collect()
}

#[tokio::test]
async fn a_part_that_waits_for_the_day_shows_the_reason_and_the_time() {
    let world = World::new().await;
    world.send("a", BOB, &["1"], at(0)).await;
    sent(&world, &taken(&world, per_day(2), at(0)).await, at(0)).await;
    world.send("b", BOB, &["2"], at(100)).await;
    sent(&world, &taken(&world, per_day(2), at(100)).await, at(100)).await;
    let held_up = world.send("c", ANN, &["3", "4", "5"], at(200)).await;
    let key = Some("segmentsPerDay".to_owned());
    assert_eq!(
        expected(&world, held_up, per_day(2), at(200)).await,
        (at(0) + DAY, key.clone()),
        "no sender has looked yet"
    );
    held(&world, per_day(2), at(200)).await;
    let behind = world.send("d", BOB, &["6"], at(300)).await;
    let until = Some(at(0) + DAY);
    assert_eq!(kept(&world, held_up).await, vec![(key.clone(), until); 3]);
    assert_eq!(kept(&world, behind).await, [(key.clone(), until)]);
    assert_eq!(expected(&world, held_up, per_day(2), at(300)).await, (at(0) + DAY, key.clone()));
    // One the day after the first, one after the second, then each a day after the one before the last.
    assert_eq!(expected(&world, behind, per_day(2), at(300)).await, (at(100) + DAY + DAY, key.clone()));
    let queue = |limits| world.store.queues(Terms { limits, ..terms(Pacing::Unlimited) }, at(300));
    let queues = queue(per_day(2)).await.unwrap();
    assert_eq!((queues[0].segments, queues[0].ends, queues[0].waits_for.clone()), (4, at(100) + DAY + DAY, key));
    assert_eq!(queue(Limits::default()).await.unwrap()[0].ends, at(300));
    let list = world.store.messages(Filter { limit: 1, ..Filter::default() }).await.unwrap();
    let EntryState::Out { reason, .. } = &list[0].standing else { panic!("{list:?}") };
    assert_eq!(reason.as_deref(), Some("limits.segmentsPerDay is reached"));
}

#[tokio::test]
async fn only_parts_of_the_limited_contact_show_its_limit() {
    let world = World::new().await;
    world.send("a", ANN, &["1"], at(0)).await;
    sent(&world, &taken(&world, per_contact(1), at(0)).await, at(0)).await;
    let first = world.send("b", ANN, &["2"], at(1)).await;
    let other = world.send("c", BOB, &["3"], at(1)).await;
    let key = Some("segmentsPerContactPerDay".to_owned());
    assert_eq!(expected(&world, first, per_contact(1), at(1)).await, (at(0) + DAY, key.clone()));
    assert_eq!(taken(&world, per_contact(1), at(1)).await.text, "3");
    let behind = world.send("d", ANN, &["4"], at(2)).await;
    assert_eq!(kept(&world, behind).await, [(key.clone(), Some(at(0) + DAY))]);
    assert_eq!(expected(&world, behind, per_contact(1), at(2)).await, (at(0) + DAY + DAY, key));
    assert_eq!(kept(&world, other).await, [(None, None)]);
}

#[tokio::test]
async fn a_part_that_waits_for_the_daily_cap_shows_it() {
    let world = World::new().await;
    let first = world.send("a", ANN, &["1", "2"], at(0)).await;
    let hour = seconds(3600);
    for now in [at(0), at(0) + hour] {
        let part = taken(&world, Limits::default(), now).await;
        let capped = send_failure(Disposition::Retry { after: Some(hour) });
        world.store.part_failed(part.lease, capped, 0.0, now).await.unwrap();
    }
    let key = Some("daily-cap".to_owned());
    assert_eq!(kept(&world, first).await, vec![(key.clone(), Some(at(0) + hour + hour)); 2]);
    let other = world.send("b", BOB, &["3"], at(4000)).await;
    for message in [first, other] {
        assert_eq!(expected(&world, message, Limits::default(), at(4000)).await, (at(0) + DAY, key.clone()));
    }
    let terms = terms(Pacing::ByLineKind);
    let queues = world.store.queues(terms, at(4000)).await.unwrap();
    assert_eq!((queues[0].ends, queues[0].waits_for.clone()), (at(0) + DAY, key));
}

#[tokio::test]
async fn the_notice_about_an_approved_contact_suggests_rejecting() {
    let world = World::new().await;
    world.store.approve(Who::Number(number(ANN)), parts(&["hi"]), Some(world.line), at(0)).await.unwrap();
    sent(&world, &taken(&world, per_contact(1), at(0)).await, at(0)).await;
    world.send("a", ANN, &["1"], at(0)).await;
    held(&world, per_contact(1), at(0)).await;
    let text = &world.store.notices(at(0)).await.unwrap()[0].text("Twilio");
    assert!(text.ends_with(&format!("`openclaw pairing reject telephony {ANN} --block` ends it")), "{text}");
}
