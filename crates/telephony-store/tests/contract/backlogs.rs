//! Waiting times and spending.

use telephony_domain::limit::Limits;
use telephony_store::history::Backlog;

use super::world::{ANN, BOB, World, at};

const DAY: i64 = 24 * 60 * 60;

async fn backlog(world: &World, now: i64) -> Backlog {
    world.store.backlog(at(now)).await.unwrap()
}

#[tokio::test]
async fn a_new_line_has_an_empty_backlog() {
    let world = World::new().await;
    let empty = backlog(&world, 0).await;
    assert_eq!(
        empty.lines.iter().map(|line| (line.parts, line.segments, line.oldest)).collect::<Vec<_>>(),
        [(0, 0, None)]
    );
    assert_eq!(Backlog { lines: Vec::new(), ..empty }, Backlog::default());
}

#[tokio::test]
async fn the_oldest_waiting_message_counts_until_it_is_leased() {
    let world = World::new().await;
    world.says(ANN, "first", at(10)).await;
    world.says(BOB, "second", at(20)).await;
    assert_eq!(backlog(&world, 30).await.oldest_waiting, Some(at(10)));
    world.lease(at(30)).await;
    assert_eq!(backlog(&world, 30).await.oldest_waiting, Some(at(20)));
    world.lease(at(30)).await;
    assert_eq!(backlog(&world, 30).await.oldest_waiting, None);
}

#[tokio::test]
async fn a_backlog_counts_unsent_parts_and_spent_segments() {
    let world = World::new().await;
    world.send("a", ANN, &["1", "2"], at(10)).await;
    world.send("b", BOB, &["3"], at(20)).await;
    let waits = |backlog: Backlog| (backlog.lines[0].parts, backlog.lines[0].segments, backlog.lines[0].oldest);
    assert_eq!(waits(backlog(&world, 30).await), (3, 3, Some(at(10))));
    for provider_id in ["SM1", "SM2"] {
        world.hand_over(provider_id, at(30)).await;
    }
    let left = backlog(&world, 30).await;
    assert_eq!((left.spent_today, left.lines[0].parts), (2, 1));
    world.start_within(Limits::default(), at(40)).await;
    assert_eq!(waits(backlog(&world, 40).await), (0, 0, None));
    assert_eq!(backlog(&world, 30 + DAY).await.spent_today, 1, "what was sent a day ago no longer counts");
}
