//! Limits under events in any order, in two processes, and over restarts.

use proptest::prelude::*;
use telephony_domain::delivery::Status;
use telephony_domain::limit::{DAY, Limits, MOMENT};
use telephony_domain::message::{MessageDraft, PartDraft};
use telephony_domain::reconcile::SearchResult;
use telephony_domain::retry::Disposition;
use telephony_domain::time::Timestamp;
use telephony_store::Next;
use telephony_store::outbox::StartedPart;

use crate::contract::world::{RETRY, World, at, draft, receipt, seconds, send_failure};

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
                    .enqueue(world.line, MessageDraft { parts, ..draft(&number.to_string(), to, &[]) }, now)
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
                    let then = world.store.not_found(doubt.lease, SearchResult::Absent, now).await.unwrap();
                    let is_absent = then == telephony_domain::reconcile::DoubtStep::SendAgain;
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
