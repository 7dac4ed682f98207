//! A bot that keeps answering the assistant is recognized and paused.

use telephony_domain::reply_loop::PAUSE;
use telephony_domain::time::Timestamp;
use telephony_store::Next;

use super::limits::{held, replies, sent, taken};
use super::world::{ANN, World, at, seconds, texts};

#[tokio::test]
async fn two_machines_that_answer_each_other_are_paused() {
    let world = World::new().await;
    let (mut now, mut paused) = (at(0), false);
    for _ in 0..40 {
        world.says(ANN, "beep", now).await;
        let Next::Taken(turn) = world.next_turn(now).await else {
            paused = true;
            break;
        };
        world.answer(&turn, "boop", now).await.unwrap();
        let part = loop {
            match world.start_within(replies(3), now).await {
                Next::Taken(part) => break part,
                Next::Idle(due) => now = due.unwrap(),
            }
        };
        sent(&world, &part, now).await;
        now = now + seconds(1);
    }
    assert!(paused);
    assert_eq!(held(&world, replies(3), now).await, None);
    assert_eq!(world.notices(now).await, ["paused-1"]);
    let over = now + PAUSE;
    let summary = world.store.summary(now).await.unwrap();
    assert_eq!((summary.waiting, summary.queued), (1, 0));
    world.says(ANN, "beep beep", now + seconds(60)).await;
    world.turns_idle(over - seconds(60)).await;
    let world = world.restarted();
    assert_eq!(texts(&world.lease(over).await), ["beep", "beep beep"]);
    assert_eq!(world.notices(over).await, [""; 0]);
}

/// Ann's bot answers each of our answers after this many seconds. Returns the number of exchanges until it is paused,
/// and the time.
async fn reply_loop(world: &World, pause: u64) -> (u32, Timestamp) {
    let mut now = at(0);
    for exchanges in 0..200 {
        world.says(ANN, "beep", now).await;
        let Next::Taken(turn) = world.next_turn(now).await else { return (exchanges, now) };
        world.answer(&turn, "boop", now + seconds(1)).await.unwrap();
        sent(world, &taken(world, replies(12), now + seconds(2)).await, now + seconds(2)).await;
        now = now + seconds(2 + pause);
    }
    panic!("they go on for ever");
}

#[tokio::test]
async fn slow_machines_are_paused_with_one_notice() {
    for (pause, expected) in [(5, 31), (40, 91)] {
        let world = World::new().await;
        let (exchanges, now) = reply_loop(&world, pause).await;
        assert_eq!(exchanges, expected);
        let notices = world.store.notices(now).await.unwrap();
        assert_eq!(notices.iter().map(|notice| notice.name.as_str()).collect::<Vec<_>>(), ["paused-1"]);
        assert!(
            notices[0].text("Twilio").contains(&format!("conversation {ANN} --resume")),
            "{}",
            notices[0].text("Twilio")
        );
        assert!(
            notices[0].text("Twilio").ends_with(&format!("REJECT {ANN} BLOCK ends it")),
            "{}",
            notices[0].text("Twilio")
        );
        let waiting = world.lease(now + PAUSE).await;
        world.answer(&waiting, "still boop", now + PAUSE).await.unwrap();
        assert_eq!(world.notices(now + PAUSE).await, [""; 0], "it begins anew");
    }
}

#[tokio::test]
async fn a_person_who_pauses_is_not_a_machine() {
    let world = World::new().await;
    let mut now = at(0);
    for exchange in 0..200 {
        world.says(ANN, "and?", now).await;
        let turn = world.lease(now).await;
        world.answer(&turn, "well", now).await.unwrap();
        sent(&world, &taken(&world, replies(12), now).await, now).await;
        now = now + seconds(if exchange % 25 == 0 { 61 } else { 8 });
    }
    assert_eq!(world.notices(now).await, [""; 0]);
}
