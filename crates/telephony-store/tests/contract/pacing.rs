//! Messages leave at exactly the line's pace, neither faster nor slower.

use std::collections::HashMap;
use std::time::Duration;

use proptest::prelude::*;
use telephony_domain::delivery::Status;
use telephony_domain::id::LineId;
use telephony_domain::message::{MessageDraft, PartDraft};
use telephony_domain::pace::{Pace, Pacing};
use telephony_domain::time::Timestamp;
use telephony_store::Next;

use super::world::{World, at, draft, gateway, receipt, sender, terms};

const CONTACTS: [&str; 3] = ["+15550000001", "+15550000002", "+15550000003"];
const SECOND_LINE: &str = "+15550001235";

/// A message: its line, its recipient, and the segments of each part.
type Message = (usize, usize, Vec<u32>);

fn message() -> impl Strategy<Value = Message> {
    (0usize..2, 0usize..CONTACTS.len(), prop::collection::vec(1u32..11, 1..4))
}

async fn enqueue(world: &World, lines: [LineId; 2], messages: &[Message]) {
    for (n, (line, contact, segments)) in messages.iter().enumerate() {
        let part = |segments: &u32| PartDraft { text: format!("{n}"), segments: *segments };
        let parts = segments.iter().map(part).collect();
        let draft = MessageDraft { parts, ..draft(&format!("{n}"), CONTACTS[*contact], &["x"]) };
        world.store.enqueue(lines[*line], draft, at(0)).await.unwrap();
    }
}

/// Sends everything as soon as it may leave, several parts at a time. Returns the times and names by line, in order of
/// departure.
async fn send_all(world: &World, pacing: Pacing, at_a_time: usize) -> HashMap<String, Vec<(Timestamp, String)>> {
    let (mut now, mut left, mut count) = (at(0), HashMap::<String, Vec<(Timestamp, String)>>::new(), 0);
    loop {
        match world.store.start_parts(&gateway(), terms(pacing), None, at_a_time, None, now).await.unwrap() {
            Next::Taken(parts) => {
                for part in parts {
                    count += 1;
                    let key = (now, format!("{} {}", part.to, part.text));
                    left.entry(part.from.number.unwrap().to_string()).or_default().push(key);
                    world
                        .store
                        .part_sent(part.lease, receipt(&format!("SM{count}"), Status::Queued), now)
                        .await
                        .unwrap();
                }
            }
            Next::Idle(Some(due)) => {
                assert!(due > now, "asked for at once again and again");
                now = due;
            }
            Next::Idle(None) => return left,
        }
    }
}

/// Returns the time for `segments` at a pace of `segments_in` per `seconds`, computed independently: in whole
/// milliseconds, rounded up.
fn time_of(segments: u32, (segments_in, seconds): (u32, u32)) -> Duration {
    let needed = u64::from(segments) * u64::from(seconds) * 1000;
    Duration::from_millis(needed.div_ceil(u64::from(segments_in)))
}

async fn keeps_the_pace(messages: Vec<Message>, rate: (u32, u32), at_a_time: usize) {
    let world = World::new().await;
    let second = world.store.claim_line("twilio", sender(SECOND_LINE), at(0)).await.unwrap();
    enqueue(&world, [world.line, second], &messages).await;
    let pace = Pacing::Fixed(Pace::new(f64::from(rate.0) / f64::from(rate.1)).unwrap());
    let left = send_all(&world, pace, at_a_time).await;
    for (number, from) in [super::world::LINE, SECOND_LINE].into_iter().enumerate() {
        let expected: Vec<&Message> = messages.iter().filter(|(line, ..)| *line == number).collect();
        let left = left.get(from).cloned().unwrap_or_default();
        assert_eq!(left.len(), expected.iter().map(|(_, _, parts)| parts.len()).sum::<usize>(), "none starves");
        // Sequential: each part leaves exactly when the previous one has used up its time.
        let mut segments: HashMap<String, Vec<u32>> = HashMap::new();
        for (n, (line, contact, parts)) in messages.iter().enumerate() {
            if *line == number {
                segments.insert(format!("{} {n}", CONTACTS[*contact]), parts.iter().rev().copied().collect());
            }
        }
        let mut free = at(0);
        for (time, what) in &left {
            assert_eq!(*time, free, "{what}");
            let taken = segments.get_mut(what).unwrap().pop().unwrap();
            free = free + time_of(taken, rate);
        }
        in_order(&left);
    }
}

/// Checks that each contact's messages left in order.
fn in_order(left: &[(Timestamp, String)]) {
    let mut last: HashMap<&str, usize> = HashMap::new();
    for (_, what) in left {
        let (contact, message) = what.split_once(' ').unwrap();
        let message = message.parse().unwrap();
        let before = last.insert(contact, message).unwrap_or(0);
        assert!(before <= message, "{contact} reads {message} after {before}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_line_exceeds_its_pace_or_idles_with_work(
        messages in prop::collection::vec(message(), 1..12),
        rate in prop_oneof![Just((1, 1)), Just((3, 1)), (1u32..1000, 1u32..10)],
        at_a_time in 1usize..8,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(keeps_the_pace(messages, rate, at_a_time));
    }
}
