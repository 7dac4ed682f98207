//! Messages leave part by part, once, at the line's pace.

use telephony_domain::id::{LineId, MessageId};
use telephony_domain::line::Sender;
use telephony_domain::message::{MessageDraft, PartDraft};
use telephony_domain::pace::{Pace, Pacing};
use telephony_domain::retry::{Disposition, PartFate};
use telephony_store::outbox::ExpectedStart;
use telephony_store::outbox::PartState::{Canceled, Failed, Queued, Ready, Sent, Starting};
use telephony_store::{Next, StoreError};

use super::world::{ANN, BOB, RETRY, World, at, draft, gateway, number, receipt, seconds, send_failure, sender, terms};
use telephony_domain::delivery::Status;

#[tokio::test]
async fn the_same_key_is_sent_once_even_with_another_text() {
    let world = World::new().await;
    let first = world.store.enqueue(world.line, draft("k", ANN, &["hi"]), at(1)).await.unwrap();
    let again = world.store.enqueue(world.line, draft("k", BOB, &["other"]), at(2)).await.unwrap();
    assert!(first.is_new && !again.is_new);
    assert_eq!(first.message, again.message);
    world.hand_over("SM1", at(3)).await;
    assert_eq!(world.parts_idle(at(3)).await, None);
}

#[tokio::test]
async fn a_rejected_draft_leaves_nothing_behind() {
    let world = World::new().await;
    assert!(world.store.enqueue(world.line, draft("k", ANN, &[]), at(1)).await.is_err());
    let nowhere = world.store.enqueue(LineId(99), draft("k", ANN, &["hi"]), at(1)).await;
    assert!(matches!(nowhere, Err(StoreError::NotFound(_))));
    assert!(world.store.enqueue(world.line, draft("k", ANN, &["hi"]), at(1)).await.unwrap().is_new);
    assert!(matches!(world.store.progress(MessageId(99)).await, Err(StoreError::NotFound(_))));
}

#[tokio::test]
async fn parts_of_a_conversation_are_sent_in_order() {
    let world = World::new().await;
    let two = world.send("a", ANN, &["1/2", "2/2"], at(1)).await;
    let next = world.send("b", ANN, &["next"], at(1)).await;
    let first = world.start(at(2)).await;
    assert_eq!((first.text.as_str(), first.message), ("1/2", two));
    assert_eq!(world.parts_idle(at(2)).await, None, "nothing overtakes a part that is being handed over");
    assert_eq!(world.states(two).await, [Starting, Queued]);
    world.store.part_sent(first.lease, receipt("SM1", Status::Queued), at(3)).await.unwrap();
    assert_eq!(world.states(two).await, [Sent, Ready]);
    assert_eq!(world.hand_over("SM2", at(3)).await.text, "2/2");
    assert_eq!(world.states(next).await, [Ready]);
    let last = world.hand_over("SM3", at(3)).await;
    assert_eq!((last.text.as_str(), last.to, last.from), ("next", number(ANN), sender(super::world::LINE)));
}

#[tokio::test]
async fn correlation_ids_are_unique() {
    let world = World::new().await;
    let mut seen = std::collections::HashSet::new();
    for i in 0..20 {
        world.send(&i.to_string(), ANN, &["1", "2"], at(1)).await;
    }
    for i in 0..40 {
        let part = world.hand_over(&format!("SM{i}"), at(2)).await;
        assert_eq!(part.correlation_id.len(), 32);
        assert!(seen.insert(part.correlation_id));
    }
}

#[tokio::test]
async fn attachments_go_with_the_first_part_only() {
    let world = World::new().await;
    let media = ["a", "b"]
        .map(|name| telephony_domain::message::OutboundMedia::Url(format!("https://example.com/{name}.png")))
        .to_vec();
    let pictures = MessageDraft { media: media.clone(), ..draft("k", ANN, &["1", "2"]) };
    world.store.enqueue(world.line, pictures, at(1)).await.unwrap();
    assert_eq!(world.hand_over("SM1", at(1)).await.media, media);
    assert!(world.hand_over("SM2", at(1)).await.media.is_empty());
}

#[tokio::test]
async fn a_busy_provider_blocks_only_its_conversation() {
    let world = World::new().await;
    let slow = world.send("a", ANN, &["1", "2"], at(1)).await;
    world.send("b", BOB, &["hello"], at(1)).await;
    let part = world.start(at(1)).await;
    let failure = send_failure(Disposition::Retry { after: Some(seconds(40)) });
    let fate = world.store.part_failed(part.lease, failure, 0.0, at(1)).await.unwrap();
    assert_eq!(fate, PartFate::RetryAt(at(41)));
    assert_eq!(world.states(slow).await, [Ready, Queued]);
    let progress = world.store.progress(slow).await.unwrap();
    assert_eq!((progress.parts[0].next_attempt, progress.parts[0].code), (Some(at(41)), Some(20_500)));
    assert_eq!(progress.parts[0].reason.as_deref(), Some("the provider is away"));
    assert_eq!(world.hand_over("SM1", at(2)).await.to, number(BOB));
    assert_eq!(world.parts_idle(at(2)).await, Some(at(41)));
    let again = world.start(at(41)).await;
    assert_eq!((again.lease.part, again.lease.attempt), (part.lease.part, 2));
    assert_eq!(again.correlation_id, part.correlation_id);
    let late = world.store.part_failed(part.lease, send_failure(RETRY), 0.0, at(42)).await;
    assert_eq!(late, Err(StoreError::LeaseLost));
}

#[tokio::test]
async fn sending_one_message_first_sends_those_ahead_of_it_only() {
    let world = World::new().await;
    world.send("other", BOB, &["not mine"], at(1)).await;
    world.send("a", ANN, &["kept back"], at(1)).await;
    let mine = world.send("b", ANN, &["mine"], at(2)).await;
    world.send("c", ANN, &["behind me"], at(2)).await;
    let mut left = Vec::new();
    for sid in ["SM1", "SM2"] {
        let Next::Taken(part) = world.next_part_of(mine, &gateway(), Pacing::Unlimited, at(3)).await else { break };
        left.push(part.text.clone());
        world.store.part_sent(part.lease, receipt(sid, Status::Queued), at(3)).await.unwrap();
    }
    assert_eq!(left, ["kept back", "mine"]);
    assert!(matches!(world.next_part_of(mine, &gateway(), Pacing::Unlimited, at(3)).await, Next::Idle(None)));
}

#[tokio::test]
async fn a_message_behind_one_that_failed_shows_its_reason() {
    let world = World::new().await;
    let ahead = world.send("a", ANN, &["1"], at(0)).await;
    let behind = world.send("b", ANN, &["2"], at(0)).await;
    let other = world.send("c", BOB, &["3"], at(0)).await;
    let reason = async |message| world.store.progress(message).await.unwrap().parts.remove(0).reason;
    assert_eq!(reason(behind).await, None);
    let part = world.start(at(0)).await;
    world.store.part_failed(part.lease, send_failure(RETRY), 0.0, at(0)).await.unwrap();
    assert!(reason(ahead).await.is_some());
    assert_eq!(reason(behind).await, reason(ahead).await);
    assert_eq!(reason(other).await, None);
    assert_eq!(world.states(behind).await, [Queued]);
}

#[tokio::test]
async fn a_requested_wait_of_a_week_is_cut_to_an_hour_within_a_day() {
    let world = World::new().await;
    let message = world.send("a", ANN, &["1"], at(0)).await;
    let part = world.start(at(0)).await;
    let failure = send_failure(Disposition::Retry { after: Some(seconds(7 * 86_400)) });
    let fate = world.store.part_failed(part.lease, failure, 0.0, at(0)).await.unwrap();
    assert_eq!(fate, PartFate::RetryAt(at(3600)));
    let waits = world.store.progress(message).await.unwrap().parts.remove(0);
    assert_eq!((waits.waits_for.as_deref(), waits.next_attempt), (Some("daily-cap"), Some(at(3600))));
    for now in [601, 1300] {
        world.parts_idle(at(now)).await;
    }
    let part = world.start(at(3600)).await;
    let failure = send_failure(Disposition::Retry { after: Some(seconds(3600)) });
    let fate = world.store.part_failed(part.lease, failure, 0.0, at(90_000)).await.unwrap();
    assert_eq!(fate, PartFate::RetryAt(at(93_600)), "a cap may last longer than a day");
    assert_eq!(world.start(at(30_000)).await.text, "1", "the clock was set back");
}

#[tokio::test]
async fn a_final_failure_cancels_the_rest_of_its_message_only() {
    let world = World::new().await;
    let broken = world.send("a", ANN, &["1", "2", "3"], at(1)).await;
    let next = world.send("b", ANN, &["next"], at(1)).await;
    world.hand_over("SM1", at(1)).await;
    let part = world.start(at(2)).await;
    let fate = world.store.part_failed(part.lease, send_failure(Disposition::GiveUp), 0.0, at(2)).await.unwrap();
    assert_eq!(fate, PartFate::Failed);
    assert_eq!(world.states(broken).await, [Sent, Failed, Canceled]);
    assert_eq!(world.start(at(2)).await.message, next);
}

#[tokio::test]
async fn a_command_leases_only_its_own_message_at_the_lines_pace() {
    let world = World::new().await;
    world.send("a", ANN, &["gateway's"], at(1)).await;
    let own = world.send("b", BOB, &["1", "2"], at(1)).await;
    let pacing = Pacing::Fixed(Pace::new(1.0).unwrap());
    let only = async |message, now| world.next_part_of(message, &gateway(), pacing, now).await;
    let Next::Taken(part) = only(own, at(1)).await else { panic!("nothing is due") };
    assert_eq!(part.text, "1");
    assert!(matches!(only(own, at(1)).await, Next::Idle(None)), "its second part waits for the first");
    world.store.part_sent(part.lease, receipt("SM1", Status::Queued), at(1)).await.unwrap();
    assert!(matches!(only(own, at(1)).await, Next::Idle(Some(due)) if due == at(2)), "the line is busy");
}

#[tokio::test]
async fn two_processes_share_the_pace_of_a_line() {
    let world = World::new().await;
    let other = world.beside();
    let three = PartDraft { text: "long".to_owned(), segments: 3 };
    for (i, contact) in [ANN, BOB, "+15550001111"].into_iter().enumerate() {
        let draft = MessageDraft { parts: vec![three.clone()], ..draft(&i.to_string(), contact, &[]) };
        world.store.enqueue(world.line, draft, at(1)).await.unwrap();
    }
    assert!(matches!(world.next_part(Pacing::ByLineKind, at(1)).await, Next::Taken(_)));
    for busy in [&world, &other] {
        assert!(matches!(busy.next_part(Pacing::ByLineKind, at(3)).await, Next::Idle(Some(due)) if due == at(4)));
    }
    assert!(matches!(other.next_part(Pacing::ByLineKind, at(4)).await, Next::Taken(_)));
    assert!(matches!(world.next_part(Pacing::ByLineKind, at(5)).await, Next::Idle(Some(due)) if due == at(7)));
    assert!(matches!(world.next_part(Pacing::Unlimited, at(5)).await, Next::Taken(_)));
}

#[tokio::test]
async fn lines_do_not_wait_for_each_other() {
    let world = World::new().await;
    let service = Sender { number: None, messaging_service: Some("MG1".to_owned()) };
    let other = world.store.claim_line("twilio", service.clone(), at(1)).await.unwrap();
    world.send("a", ANN, &["1"], at(1)).await;
    world.send("b", BOB, &["2"], at(1)).await;
    world.store.enqueue(other, draft("c", ANN, &["3"]), at(1)).await.unwrap();
    let mut texts = Vec::new();
    while let Next::Taken(part) = world.next_part(Pacing::ByLineKind, at(1)).await {
        texts.push((part.text, part.from));
    }
    assert_eq!(texts, [("1".to_owned(), sender(super::world::LINE)), ("3".to_owned(), service)]);
}

#[tokio::test]
async fn the_departure_of_a_message_is_forecast() {
    let world = World::new().await;
    let pacing = Pacing::Fixed(Pace::new(0.5).unwrap());
    world.send("a", ANN, &["1", "2"], at(1)).await;
    let last = world.send("b", BOB, &["3"], at(1)).await;
    let expected = async |message, pacing: Pacing| world.store.expected_start(message, terms(pacing), at(1)).await;
    assert_eq!(expected(last, pacing).await.unwrap(), ExpectedStart { at: at(5), waits_for: None });
    assert_eq!(expected(last, Pacing::Unlimited).await.unwrap().at, at(1));
    assert!(matches!(world.next_part(pacing, at(1)).await, Next::Taken(_)));
    assert_eq!(expected(last, pacing).await.unwrap().at, at(5), "2 s for each of those ahead");
    assert!(matches!(expected(MessageId(99), pacing).await, Err(StoreError::NotFound(_))));
}

#[tokio::test]
async fn a_part_retried_for_a_day_fails() {
    let world = World::new().await;
    let message = world.send("a", ANN, &["1"], at(0)).await;
    let fails = async |now| {
        let lease = world.start(at(now)).await.lease;
        world.store.part_failed(lease, send_failure(RETRY), 0.0, at(now)).await.unwrap()
    };
    for attempt in 0..29 {
        assert!(matches!(fails(2_900 * attempt).await, PartFate::RetryAt(_)));
    }
    assert_eq!(fails(86_400).await, PartFate::Failed);
    assert_eq!(world.states(message).await, [Failed]);
    let notices = world.store.notices(at(86_400)).await.unwrap();
    assert_eq!(notices[0].name, "given-up");
    assert!(
        notices[0].text("Twilio").contains(ANN) && notices[0].text("Twilio").contains("after 24 hours"),
        "{}",
        notices[0].text("Twilio")
    );
}

#[tokio::test]
async fn a_clock_set_ahead_by_days_fails_no_part() {
    let world = World::new().await;
    let message = world.send("a", ANN, &["1"], at(0)).await;
    for now in [0, 300_000, 600_000] {
        let lease = world.start(at(now)).await.lease;
        let fate = world.store.part_failed(lease, send_failure(RETRY), 0.0, at(now)).await.unwrap();
        assert!(matches!(fate, PartFate::RetryAt(_)), "{fate:?}");
    }
    assert_eq!(world.states(message).await, [Ready]);
}

#[tokio::test]
async fn a_part_waits_three_days_for_the_daily_cap_and_then_raises_a_notice() {
    let world = World::new().await;
    let message = world.send("a", ANN, &["1"], at(0)).await;
    let capped = send_failure(Disposition::Retry { after: Some(seconds(3600)) });
    for hour in 0..73 {
        let part = world.start(at(3600 * hour)).await;
        let fate = world.store.part_failed(part.lease, capped.clone(), 0.0, at(3600 * hour)).await.unwrap();
        assert_eq!(fate, PartFate::RetryAt(at(3600 * (hour + 1))), "after {hour} hours");
        assert_eq!(world.notices(at(3600 * hour)).await, ["limit-daily-cap"]);
    }
    let part = world.start(at(73 * 3600)).await;
    let fate = world.store.part_failed(part.lease, capped, 0.0, at(73 * 3600)).await.unwrap();
    assert_eq!((fate, world.states(message).await), (PartFate::Failed, vec![Failed]));
    assert_eq!(world.parts_idle(at(73 * 3600)).await, None);
    assert_eq!(world.notices(at(73 * 3600)).await, ["given-up"]);
}

#[tokio::test]
async fn several_parts_started_at_once_keep_to_the_pace_and_to_the_order() {
    let world = World::new().await;
    for contact in [ANN, BOB, "+15550001111"] {
        world.send(contact, contact, &["1", "2"], at(1)).await;
    }
    let started = async |pacing: Pacing, now| {
        world.store.start_parts(&gateway(), terms(pacing), None, 16, None, now).await.unwrap()
    };
    let Next::Taken(paced) = started(Pacing::ByLineKind, at(1)).await else { panic!("nothing is due") };
    assert_eq!(paced.len(), 1, "a segment a second");
    assert!(matches!(started(Pacing::ByLineKind, at(1)).await, Next::Idle(Some(due)) if due == at(2)));
    let Next::Taken(rest) = started(Pacing::Unlimited, at(2)).await else { panic!("nothing is due") };
    let texts: Vec<_> = rest.iter().map(|part| part.text.as_str()).collect();
    assert_eq!(texts, ["1", "1"], "second parts wait for the first ones");
}
