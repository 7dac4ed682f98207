//! Gaps in which messages may have been missed: their lines and start times.

use telephony_domain::line::Sender;
use telephony_domain::message::Arrival;
use telephony_store::lines::LOOK_BACK;

use super::world::{ANN, LINE, World, arrival, at, open_to_all, seconds};

async fn gaps(world: &World, now: i64) -> Vec<(String, i64)> {
    let gaps = world.store.gaps(at(now)).await.unwrap();
    gaps.into_iter().map(|gap| (gap.number, (gap.since.0 - at(0).0) / 1000)).collect()
}

async fn close(world: &World, now: i64) {
    for gap in world.store.gaps(at(now)).await.unwrap() {
        world.store.gap_closed(&gap, at(now)).await.unwrap();
    }
}

#[tokio::test]
async fn a_look_that_began_before_a_gap_was_widened_does_not_close_it() {
    let world = World::new().await;
    gaps(&world, 0).await;
    close(&world, 50_000).await;
    let narrow = world.store.gaps(at(60_000)).await.unwrap();
    world.store.widen_gaps(at(20_000)).await.unwrap();
    world.store.widen_gaps(at(40_000)).await.unwrap();
    let back = i64::try_from(LOOK_BACK.as_secs()).unwrap();
    assert_eq!(gaps(&world, 60_000).await, [(LINE.to_owned(), 20_000 - back)]);
    world.store.gap_closed(&narrow[0], at(60_000)).await.unwrap();
    assert_eq!(gaps(&world, 60_000).await, [(LINE.to_owned(), 20_000 - back)]);
    close(&world, 60_000).await;
    assert_eq!(gaps(&world, 60_000).await, [(LINE.to_owned(), 60_000 - back)]);
}

#[tokio::test]
async fn nothing_older_than_the_first_look_is_fetched() {
    let world = World::new().await;
    assert_eq!(gaps(&world, 1000).await, [(LINE.to_owned(), 1000)]);
    close(&world, 1100).await;
    assert_eq!(gaps(&world, 1200).await, [(LINE.to_owned(), 1000)], "a look back would go further");
}

#[tokio::test]
async fn a_look_begins_where_the_last_complete_one_ended_and_a_little_before() {
    let world = World::new().await;
    gaps(&world, 0).await;
    assert_eq!(gaps(&world, 90_000).await, [(LINE.to_owned(), 0)], "the last look was not completed");
    close(&world, 90_000).await;
    let world = world.restarted();
    let back = i64::try_from(LOOK_BACK.as_secs()).unwrap();
    assert_eq!(gaps(&world, 200_000).await, [(LINE.to_owned(), 90_000 - back)]);
    assert_eq!(gaps(&world, 80_000).await, [(LINE.to_owned(), 80_000 - back)], "the clock was set back");
}

#[tokio::test]
async fn a_clock_ahead_at_the_first_start_does_not_prevent_looks() {
    let world = World::new().await;
    gaps(&world, 900_000).await;
    assert_eq!(gaps(&world, 1000).await, [(LINE.to_owned(), 1000)]);
    assert_eq!(gaps(&world, 1200).await, [(LINE.to_owned(), 1000)]);
}

#[tokio::test]
async fn numbers_of_a_service_are_searched_after_their_first_message() {
    let world = World::new().await;
    let service = Sender { number: None, messaging_service: Some("MG1".to_owned()) };
    world.store.claim_line("twilio", service, at(0)).await.unwrap();
    let pool = Arrival {
        messaging_service: Some("MG1".to_owned()),
        to: "+15550003333".to_owned(),
        ..arrival("SM1", ANN, "hello")
    };
    let foreign = Arrival { to: "+15550004444".to_owned(), ..arrival("SM2", ANN, "hello") };
    for text in [pool, foreign] {
        world.accept(text, open_to_all(), at(1)).await;
    }
    let now = at(0) + seconds(10);
    let numbers = world.store.gaps(now).await.unwrap().into_iter().map(|gap| gap.number);
    assert_eq!(numbers.collect::<Vec<_>>(), [LINE, "+15550003333"]);
}
