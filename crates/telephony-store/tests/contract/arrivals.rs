//! Messages arrive twice, all at once, without a sender, and for unknown numbers.

use std::collections::HashSet;
use std::sync::Arc;

use telephony_domain::keyword::Keyword;
use telephony_domain::message::Media;
use telephony_domain::policy::{InboundPolicy, Refusal};
use telephony_store::Next;
use telephony_store::inbox::Accepted;

use super::world::{ANN, BOB, World, arrival, at, number, open_to_all, rules, seconds, texts};

#[tokio::test]
async fn the_provider_delivers_a_message_twice() {
    let world = World::new().await;
    let text = arrival("SM1", ANN, "hello");
    assert!(matches!(world.accept(text.clone(), open_to_all(), at(1)).await, Accepted::Waiting(_)));
    assert_eq!(world.accept(text.clone(), open_to_all(), at(2)).await, Accepted::Repeat);
    let turn = world.lease(at(3)).await;
    assert_eq!(texts(&turn), ["hello"]);
    world.answer(&turn, "hi", at(4)).await.unwrap();
    assert_eq!(world.accept(text, open_to_all(), at(5)).await, Accepted::Repeat);
    assert_eq!(world.turns_idle(at(5)).await, None);
}

#[tokio::test]
async fn a_repeated_opt_out_does_not_undo_a_later_opt_in() {
    let world = World::new().await;
    world.accept(arrival("SM1", ANN, "STOP"), open_to_all(), at(1)).await;
    world.accept(arrival("SM2", ANN, "START"), open_to_all(), at(2)).await;
    assert_eq!(world.accept(arrival("SM1", ANN, "STOP"), open_to_all(), at(3)).await, Accepted::Repeat);
    assert!(!world.store.standing(world.line, &number(ANN)).await.unwrap().is_opted_out);
}

#[tokio::test]
async fn hundreds_of_simultaneous_arrivals_are_stored_once() {
    let world = World::new().await;
    let rules = Arc::new(open_to_all());
    let tasks: Vec<_> = (0..600)
        .map(|task| {
            let (store, rules) = (world.store.clone(), rules.clone());
            let contact = format!("+1555000{:04}", task % 40);
            let text = arrival(&format!("SM{}", task % 300), &contact, "hello");
            tokio::spawn(async move { store.accept("twilio", text, rules, at(1)).await.unwrap() })
        })
        .collect();
    let (mut ids, mut repeats) = (HashSet::new(), 0);
    for task in tasks {
        match task.await.unwrap() {
            Accepted::Waiting(id) => assert!(ids.insert(id), "two messages have the id {id}"),
            Accepted::Repeat => repeats += 1,
            other => panic!("unexpected: {other:?}"),
        }
    }
    assert_eq!((ids.len(), repeats), (300, 300));
    let mut leased = HashSet::new();
    while let Next::Taken(turn) = world.next_turn(at(2)).await {
        leased.extend(turn.messages.iter().map(|message| message.id));
    }
    assert_eq!(leased, ids);
}

#[tokio::test]
async fn texts_of_refused_senders_are_stored_as_finished() {
    let world = World::new().await;
    let refused = |accepted, refusal| assert!(matches!(accepted, Accepted::Refused(_, why) if why == refusal));
    refused(world.accept(world.text(ANN, "hi"), rules(InboundPolicy::Disabled, 0), at(1)).await, Refusal::Disabled);
    refused(world.accept(world.text(ANN, "hi"), rules(InboundPolicy::Allowlist, 0), at(1)).await, Refusal::NotAllowed);
    refused(world.says("72345", "hi", at(1)).await, Refusal::NotANumber);
    refused(world.says("BANK", "STOP", at(1)).await, Refusal::NotANumber);
    assert!(matches!(world.says(ANN, " \n", at(1)).await, Accepted::Empty(_)));
    assert_eq!(world.turns_idle(at(1)).await, None);
    let all = world.store.messages(telephony_store::history::Filter { limit: 10, ..Default::default() }).await.unwrap();
    assert_eq!(all.len(), 5);
}

#[tokio::test]
async fn a_picture_without_text_is_a_message() {
    let world = World::new().await;
    let media = vec![Media { url: "https://example.com/1".into(), content_type: "image/png".into() }];
    let picture = telephony_domain::message::Arrival { media: media.clone(), ..world.text(ANN, "") };
    assert!(matches!(world.accept(picture, open_to_all(), at(1)).await, Accepted::Waiting(_)));
    let kept = &world.lease(at(1)).await.messages[0].media;
    let found: Vec<_> = kept.iter().map(|media| (media.url.clone().unwrap(), media.content_type.clone())).collect();
    assert_eq!(found, media.into_iter().map(|media| (media.url, media.content_type)).collect::<Vec<_>>());
}

#[tokio::test]
async fn yes_is_talk_until_one_has_opted_out() {
    let world = World::new().await;
    assert!(matches!(world.says(ANN, "yes", at(1)).await, Accepted::Waiting(_)));
    assert!(matches!(world.says(ANN, "Stop", at(2)).await, Accepted::Keyword(_, Keyword::OptOut)));
    assert!(matches!(world.says(ANN, "hello?", at(3)).await, Accepted::Refused(_, Refusal::OptedOut)));
    assert!(matches!(world.says(ANN, "yes", at(4)).await, Accepted::Keyword(_, Keyword::OptIn)));
    assert!(matches!(world.says(ANN, "yes", at(5)).await, Accepted::Waiting(_)));
}

#[tokio::test]
async fn an_opt_out_counts_even_if_no_contact_is_admitted() {
    let world = World::new().await;
    let stop = world.accept(world.text(ANN, "STOP"), rules(InboundPolicy::Disabled, 0), at(1)).await;
    assert!(matches!(stop, Accepted::Keyword(_, Keyword::OptOut)));
    assert!(world.store.standing(world.line, &number(ANN)).await.unwrap().is_opted_out);
}

#[tokio::test]
async fn continuous_texts_are_merged_up_to_a_limit() {
    let world = World::new().await;
    for second in 0..10 {
        let text = world.text(ANN, &second.to_string());
        world.accept(text, rules(InboundPolicy::Open, 2), at(second)).await;
        let due = (second + 2).min(8).max(second);
        if due > second {
            assert_eq!(world.turns_idle(at(second)).await, Some(at(due)), "after {second} seconds");
        }
    }
    assert_eq!(world.lease(at(9)).await.messages.len(), 10);
}

#[tokio::test]
async fn texts_during_a_turn_wait_for_the_next() {
    let world = World::new().await;
    world.says(ANN, "one", at(1)).await;
    let first = world.lease(at(1)).await;
    world.says(ANN, "two", at(2)).await;
    assert_eq!(world.turns_idle(at(2)).await, Some(at(31)), "until the lease ends");
    world.says(BOB, "hello", at(2)).await;
    assert_eq!(world.lease(at(2)).await.contact, number(BOB), "another conversation goes on");
    world.answer(&first, "1", at(3)).await.unwrap();
    assert_eq!(texts(&world.lease(at(3)).await), ["two"]);
}

#[tokio::test]
async fn without_merging_each_text_is_a_turn() {
    let world = World::new().await;
    for text in ["one", "two", "three"] {
        world.says(ANN, text, at(1)).await;
    }
    for text in ["one", "two", "three"] {
        let Next::Taken(turn) = world.next_turn_for(&super::world::gateway(), false, at(2)).await else {
            panic!("nothing is due")
        };
        assert_eq!(texts(&turn), [text]);
        world.answer(&turn, "ok", at(2)).await.unwrap();
    }
    assert_eq!(world.turns_idle(at(2) + seconds(1)).await, None);
}
