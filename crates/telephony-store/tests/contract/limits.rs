//! The operator's limits are never exceeded, and held messages are not lost.

use proptest::prelude::*;
use telephony_domain::delivery::Status;
use telephony_domain::id::MessageId;
use telephony_domain::limit::{DAY, Limits, MOMENT, Terms};
use telephony_domain::message::{Draft, PartDraft, Purpose};
use telephony_domain::pace::Pacing;
use telephony_domain::reconcile::Finding;
use telephony_domain::retry::Disposition;
use telephony_domain::time::Timestamp;
use telephony_store::contacts::Who;
use telephony_store::history::{EntryState, Filter};
use telephony_store::outbox::PartState::{Canceled, Failed, Ready, Starting};
use telephony_store::outbox::StartedPart;
use telephony_store::{LONGEST_WAIT, Next};

use super::world::{ANN, BOB, RETRY, World, at, draft, number, parts, receipt, seconds, send_failure, terms};

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
        "nobody has looked yet"
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
    let large = Draft { parts: vec![PartDraft { text: "large".into(), segments: 3 }], ..draft("a", ANN, &[]) };
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
    let large = Draft { parts, ..draft("a", ANN, &[]) };
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
    let large = Draft { parts, ..draft("b", BOB, &[]) };
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
        world.store.not_found(doubt.lease, Finding::Absent, at(now)).await.unwrap();
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
        world.store.not_found(doubt.lease, Finding::Absent, at(now)).await.unwrap();
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
async fn the_notice_about_an_approved_contact_suggests_rejecting() {
    let world = World::new().await;
    world.store.approve(Who::Number(number(ANN)), parts(&["hi"]), Some(world.line), at(0)).await.unwrap();
    sent(&world, &taken(&world, per_contact(1), at(0)).await, at(0)).await;
    world.send("a", ANN, &["1"], at(0)).await;
    held(&world, per_contact(1), at(0)).await;
    let text = &world.store.notices(at(0)).await.unwrap()[0].text;
    assert!(text.ends_with(&format!("`openclaw pairing reject telephony {ANN} --block` ends it")), "{text}");
}

#[tokio::test]
async fn operator_texts_overtake_limited_parts() {
    let world = World::new().await;
    world.send("a", ANN, &["1"], at(0)).await;
    let part = taken(&world, per_day(1), at(0)).await;
    sent(&world, &part, at(0)).await;
    world.send("b", ANN, &["2"], at(0)).await;
    let order = Draft { purpose: Purpose::OperatorCommand, ..draft("c", ANN, &["told"]) };
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
        let by_hand = Draft { purpose: Purpose::Send, ..draft(key, ANN, &["by hand"]) };
        world.store.enqueue(world.line, by_hand, at(0)).await.unwrap();
        sent(&world, &taken(&world, replies(2), at(0)).await, at(0)).await;
    }
    let reply = world.send("d", ANN, &["reply"], at(1)).await;
    assert_eq!(held(&world, replies(2), at(1)).await, Some(at(0) + MOMENT));
    assert_eq!(world.states(reply).await, [Ready]);
    taken(&world, replies(2), at(0) + MOMENT).await;
    assert_eq!(world.states(reply).await, [Starting]);
}

/// An event; its numbers choose among what exists.
#[derive(Debug, Clone)]
enum Event {
    Enqueue(usize, u32),
    Start,
    StartElsewhere,
    Sent(usize),
    Fails(usize, Disposition),
    IsAbsent,
    TimePasses(u64),
    Restart,
}

fn any_event() -> impl Strategy<Value = Event> {
    let why = prop_oneof![Just(RETRY), Just(Disposition::GiveUp), Just(Disposition::Unknown)];
    prop_oneof![
        4 => (0..3usize, 1..5u32).prop_map(|(contact, segments)| Event::Enqueue(contact, segments)),
        4 => Just(Event::Start),
        2 => Just(Event::StartElsewhere),
        4 => any::<usize>().prop_map(Event::Sent),
        2 => (any::<usize>(), why).prop_map(|(attempt, why)| Event::Fails(attempt, why)),
        2 => Just(Event::IsAbsent),
        2 => (1..40_000u64).prop_map(Event::TimePasses),
        1 => (1..40u64).prop_map(Event::TimePasses),
        1 => Just(Event::Restart),
    ]
}

/// An attempt as an outside observer sees it.
struct Seen {
    part: StartedPart,
    segments: u32,
    at: Timestamp,
    may_be_sent: bool,
}

const LIMITS: Limits =
    Limits { segments_per_day: Some(12), segments_per_contact_per_day: Some(8), replies_per_contact_per_30s: Some(2) };

fn check(seen: &[Seen], now: Timestamp) {
    let within = |window| seen.iter().filter(move |attempt| attempt.may_be_sent && now.since(attempt.at) < window);
    assert!(within(DAY).map(|attempt| attempt.segments).sum::<u32>() <= 12);
    for contact in ["+15550000001", "+15550000002", "+15550000003"] {
        let to = |attempt: &&Seen| attempt.part.to.as_str() == contact;
        assert!(within(DAY).filter(to).map(|attempt| attempt.segments).sum::<u32>() <= 8);
        assert!(within(MOMENT).filter(to).count() <= 2);
    }
}

async fn happens(world: World, events: Vec<Event>) {
    let (mut world, mut now, mut seen) = (world, at(0), Vec::<Seen>::new());
    let elsewhere = world.beside();
    for (number, event) in events.into_iter().enumerate() {
        match event {
            Event::Enqueue(contact, segments) => {
                let parts = vec![PartDraft { text: format!("{segments}"), segments }];
                let to = ["+15550000001", "+15550000002", "+15550000003"][contact];
                world
                    .store
                    .enqueue(world.line, Draft { parts, ..draft(&number.to_string(), to, &[]) }, now)
                    .await
                    .unwrap();
            }
            Event::Start | Event::StartElsewhere => {
                let there = if matches!(event, Event::Start) { &world } else { &elsewhere };
                if let Next::Taken(part) = there.start_within(LIMITS, now).await {
                    let segments = part.text.parse().unwrap();
                    seen.push(Seen { part, segments, at: now, may_be_sent: true });
                    check(&seen, now);
                }
            }
            Event::Sent(which) if !seen.is_empty() => {
                let which = which % seen.len();
                let id = format!("SM-{}", seen[which].part.correlation_id);
                if seen[which].may_be_sent {
                    world.store.part_sent(seen[which].part.lease, receipt(&id, Status::Queued), now).await.unwrap();
                }
            }
            Event::Fails(which, why) if !seen.is_empty() => {
                let which = which % seen.len();
                let failed = world.store.part_failed(seen[which].part.lease, send_failure(why), 0.0, now).await;
                seen[which].may_be_sent &= failed.is_err() || why == Disposition::Unknown;
            }
            Event::IsAbsent => {
                if let Next::Taken(doubt) = world.store.doubtful_part("twilio", now).await.unwrap() {
                    let then = world.store.not_found(doubt.lease, Finding::Absent, now).await.unwrap();
                    let is_absent = then == telephony_domain::reconcile::Next::SendAgain;
                    for attempt in seen.iter_mut().filter(|attempt| attempt.part.lease == doubt.lease) {
                        attempt.may_be_sent &= !is_absent;
                    }
                }
            }
            Event::TimePasses(time) => now = now + seconds(time),
            Event::Restart => world = world.restarted(),
            Event::Sent(_) | Event::Fails(..) => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_interleaving_and_no_restart_exceeds_a_limit(events in prop::collection::vec(any_event(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async { happens(World::new().await, events).await });
    }
}
