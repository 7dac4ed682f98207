//! A line accepts no more messages than it can send in time.

use telephony_domain::message::{MediaToken, MessageDraft, OutboundMedia, PartDraft, ServedFile};
use telephony_domain::pace::{Pace, Pacing};
use telephony_domain::policy::InboundPolicy;
use telephony_domain::retry::Disposition;
use telephony_store::attachments::{FileName, LOOSE_FOR};
use telephony_store::contacts::{Challenge, Challenged};
use telephony_store::inbox::TurnEnd;
use telephony_store::{Next, StoreError};

use super::world::{
    ANN, BOB, LINE, World, at, draft, number, parts, receipt, rules, send_failure, sender, terms, texts,
};
use telephony_domain::delivery::Status;

/// Ten hours at one segment per hour: ten segments.
fn slow() -> Pacing {
    Pacing::Fixed(Pace::new(1.0 / 3600.0).unwrap())
}

fn of_segments(key: &str, to: &str, segments: u32) -> MessageDraft {
    MessageDraft { parts: vec![PartDraft { text: "long".to_owned(), segments }], ..draft(key, to, &[]) }
}

async fn waiting(world: &World) -> u32 {
    world.store.queues(terms(slow()), at(0)).await.unwrap()[0].segments
}

#[tokio::test]
async fn a_draft_that_would_wait_over_ten_hours_is_rejected() {
    let world = World::new().await;
    world.store.bound_queues(terms(slow())).await.unwrap();
    world.store.enqueue(world.line, of_segments("a", ANN, 7), at(0)).await.unwrap();
    let full = world.store.enqueue(world.line, of_segments("b", BOB, 4), at(0)).await;
    assert_eq!(full, Err(StoreError::QueueFull { waiting: 7, most: 10 }));
    world.store.enqueue(world.line, of_segments("b", BOB, 3), at(0)).await.unwrap();
    let again = world.store.enqueue(world.line, of_segments("a", ANN, 7), at(0)).await.unwrap();
    assert!(!again.is_new, "a repeated key takes no check_capacity");
    let check_capacity =
        async |segments| world.store.check_capacity(sender(LINE), number(BOB), segments, terms(slow())).await;
    assert_eq!(check_capacity(1).await, Err(StoreError::QueueFull { waiting: 10, most: 10 }));
    world.hand_over("SM1", at(0)).await;
    assert_eq!(
        (check_capacity(7).await, check_capacity(8).await),
        (Ok(()), Err(StoreError::QueueFull { waiting: 3, most: 10 }))
    );
    world.store.enqueue(world.line, of_segments("c", BOB, 7), at(0)).await.unwrap();
    world.store.bound_queues(terms(Pacing::Unlimited)).await.unwrap();
    world.store.enqueue(world.line, of_segments("d", BOB, 100), at(0)).await.unwrap();
}

/// Fills a line, so that the answer to Bob's turn does not fit at 1 s.
async fn fill_and_keep(world: &World, answer: MessageDraft) {
    world.store.bound_queues(terms(slow())).await.unwrap();
    world.store.enqueue(world.line, of_segments("a", ANN, 10), at(0)).await.unwrap();
    world.says(BOB, "hello", at(0)).await;
    let turn = world.lease(at(0)).await;
    world.store.finish_turn(&turn.lease, TurnEnd::Answered(vec![answer]), at(1)).await.unwrap();
    assert_eq!(waiting(world).await, 10);
}

#[tokio::test]
async fn an_answer_is_kept_until_its_line_has_capacity_without_asking_again() {
    let world = World::new().await;
    fill_and_keep(&world, draft("answer", BOB, &["hi"])).await;
    let world = world.restarted();
    assert_eq!(world.notices(at(1)).await, ["queue-full-1"]);
    world.says(BOB, "are you there?", at(2)).await;
    for hours in 0..30 {
        let due = world.turns_idle(at(3600 * hours + 2)).await.unwrap();
        assert!(due <= at(3600 * hours + 62), "the gateway looks at it soon, and no later text goes before it");
    }
    assert_eq!(world.store.failed_turns().await.unwrap(), [], "nothing has failed");
    world.hand_over("SM1", at(110_000)).await;
    let next = world.lease(at(110_001)).await;
    assert_eq!(texts(&next), ["are you there?"]);
    assert_eq!(world.hand_over("SM2", at(110_001)).await.text, "hi");
    assert_eq!(world.parts_idle(at(110_001)).await, None);
    assert_eq!(world.notices(at(110_001)).await, [""; 0], "there is check_capacity again");
}

#[tokio::test]
async fn a_kept_answer_is_dropped_after_an_opt_out() {
    let world = World::new().await;
    fill_and_keep(&world, draft("answer", BOB, &["hi"])).await;
    world.says(BOB, "STOP", at(2)).await;
    world.hand_over("SM1", at(3)).await;
    assert_eq!(world.turns_idle(at(100)).await, None);
    assert_eq!(world.parts_idle(at(100)).await, None);
}

#[tokio::test]
async fn a_file_of_a_kept_answer_stays_until_it_is_unused() {
    for is_purged in [false, true] {
        let world = World::new().await;
        let name = FileName::new([1; 16], "image/png");
        world.store.keep_file(name.clone(), b"png".as_slice().into(), at(0)).await.unwrap();
        let file = OutboundMedia::File(ServedFile {
            name: name.as_str().to_owned(),
            content_type: "image/png".to_owned(),
            size: 3,
            token: MediaToken::from_random([7; 24]),
        });
        fill_and_keep(&world, MessageDraft { media: vec![file.clone()], ..draft("answer", BOB, &["look"]) }).await;
        world.turns_idle(at(62)).await;
        let later = at(0) + 2 * LOOSE_FOR;
        assert_eq!(world.store.remove_loose_files(later).await.unwrap(), 0);
        if is_purged {
            while !world.store.purge(&number(BOB), 10, later).await.unwrap().is_done {}
            assert_eq!(world.store.remove_loose_files(later).await.unwrap(), 1);
            assert!(!world.store.path_of(&name).exists());
        } else {
            world.hand_over("SM1", later).await;
            world.turns_idle(later).await;
            assert_eq!(world.start(later).await.media, [file]);
            assert_eq!(world.store.remove_loose_files(later).await.unwrap(), 0);
        }
    }
}

#[tokio::test]
async fn a_stranger_gets_the_code_once_the_line_has_capacity() {
    let world = World::new().await;
    world.store.bound_queues(terms(slow())).await.unwrap();
    world.store.enqueue(world.line, of_segments("a", ANN, 10), at(0)).await.unwrap();
    world.accept(world.text(BOB, "let me in"), rules(InboundPolicy::Pairing, 0), at(0)).await;
    let challenge = |code: &str| Challenge {
        code: code.repeat(8).parse().unwrap(),
        parts: parts(&["your code"]),
        replies_per_day: Some(1),
    };
    for now in [0, 60, 120] {
        let turn = world.lease(at(now)).await;
        let challenged = world.store.challenge(&turn.lease, challenge("A"), at(now)).await.unwrap();
        assert_eq!(challenged, Challenged::NoRoom);
    }
    assert_eq!(world.notices(at(121)).await, ["queue-full-1"]);
    world.hand_over("SM1", at(121)).await;
    let turn = world.lease(at(180)).await;
    assert_eq!(world.store.challenge(&turn.lease, challenge("B"), at(180)).await.unwrap(), Challenged::Asked);
    assert_eq!(world.hand_over("SM2", at(180)).await.text, "your code");
}

#[tokio::test]
async fn the_queue_count_is_right_after_every_outcome() {
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
async fn the_end_of_a_queue_is_forecast() {
    let world = World::new().await;
    let pacing = Pacing::Fixed(Pace::new(0.5).unwrap());
    world.send("a", ANN, &["1", "2"], at(0)).await;
    world.send("b", BOB, &["3"], at(0)).await;
    assert!(matches!(world.next_part(pacing, at(0)).await, Next::Taken(_)));
    let queue = async |pacing: Pacing| world.store.queues(terms(pacing), at(0)).await.unwrap().remove(0);
    let queued = queue(pacing).await;
    assert_eq!((queued.segments, queued.ends, queued.waits_for), (2, at(6), None));
    assert_eq!(queue(Pacing::Unlimited).await.ends, at(0));
}
