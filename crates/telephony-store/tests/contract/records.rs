//! Deletion of personal data: one contact's on the operator's command, and all data by age.

use telephony_domain::consent::Wish;
use telephony_domain::delivery::Status;
use telephony_domain::message::{Arrival, Media};
use telephony_domain::notice::Notice;
use telephony_domain::policy::InboundPolicy;
use telephony_domain::retry::Disposition;
use telephony_store::StoreError;
use telephony_store::contacts::Who;
use telephony_store::history::Filter;
use telephony_store::inbox::Accepted;
use telephony_store::outbox::PartState;
use telephony_store::records::RecordCounts;

use super::world::{ANN, BOB, World, arrival, at, number, open_to_all, parts, receipt, report, rules, turn_failure};

/// Longer ago than any retention period in these tests.
const MUCH_LATER: i64 = 1_000_000;

impl World {
    /// Repeats the purge until it is done and returns the number of deleted messages.
    async fn purge(&self, contact: &str, now: i64) -> usize {
        let mut messages = 0;
        loop {
            let purged = self.store.purge(&number(contact), 2, at(now)).await.unwrap();
            messages += purged.messages;
            if purged.is_done {
                return messages;
            }
        }
    }

    async fn holdings(&self, contact: &str) -> RecordCounts {
        self.store.holdings(&number(contact)).await.unwrap()
    }

    /// Repeats the expiry until nothing is left to delete.
    async fn expire(&self, before: i64) {
        while self.store.expire(at(before), 2, at(MUCH_LATER)).await.unwrap() > 0 {}
    }

    async fn listed(&self) -> Vec<String> {
        let all = Filter { limit: 100, ..Filter::default() };
        let messages = self.store.messages(all).await.unwrap();
        messages.into_iter().map(|entry| entry.text).collect()
    }

    /// Stores a question and its delivered answer.
    async fn exchanged(&self, from: &str, n: i64) {
        self.says(from, &format!("question {n}"), at(n)).await;
        let turn = self.lease(at(n)).await;
        self.answer(&turn, &format!("answer {n}"), at(n)).await.unwrap();
        self.hand_over(&format!("SM-{from}-{n}"), at(n)).await;
        self.store.report("twilio", report(&format!("SM-{from}-{n}"), None, Status::Delivered), at(n)).await.unwrap();
    }
}

#[tokio::test]
async fn a_purge_deletes_only_one_contact() {
    let world = World::new().await;
    for n in 1..=5 {
        world.exchanged(ANN, n).await;
    }
    world.exchanged(BOB, 6).await;
    world.store.approve(Who::Number(number(ANN)), parts(&["approved"]), Some(world.line), at(7)).await.unwrap();
    let elsewhere = Arrival { to: "+15550003333".into(), ..world.text(ANN, "wrong number") };
    world.accept(elsewhere, open_to_all(), at(7)).await;
    let held = RecordCounts { inbound: 6, outbound: 6, is_approved: true, ..RecordCounts::default() };
    assert_eq!(world.holdings(ANN).await, held);
    assert_eq!(world.purge(ANN, 8).await, 12);
    assert_eq!(world.holdings(ANN).await, RecordCounts::default());
    assert_eq!(world.listed().await, ["answer 6", "question 6"]);
    assert_eq!(world.parts_idle(at(9)).await, None, "the approval was not sent any more");
    assert_eq!(world.purge(ANN, 10).await, 0);
    assert!(world.store.record_of(&number(ANN)).await.unwrap().messages.is_empty());
}

#[tokio::test]
async fn a_purge_masks_the_number_in_notices() {
    let world = World::new().await;
    world.says(ANN, "dead", at(1)).await;
    let dead = world.lease(at(1)).await;
    world.store.fail_turn(&dead.lease, turn_failure(Disposition::GiveUp), at(1)).await.unwrap();
    let notice_text = async || world.store.notices(at(2)).await.unwrap().remove(0).text("Twilio");
    assert!(notice_text().await.contains(ANN));
    world.purge(ANN, 2).await;
    let text = notice_text().await;
    assert!(text.starts_with(&format!("Gave up on a message from {} (", number(ANN).masked())), "{text}");
    assert!(!text.contains(ANN), "{text}");
}

#[tokio::test]
async fn a_purge_masks_the_number_in_the_names_of_notices() {
    let world = World::new().await;
    for contact in [ANN, BOB] {
        let notice = Notice::OptedOutByChannel { contact: contact.to_owned(), channel: "messenger".to_owned() };
        world.store.raise_notice(notice, at(1)).await.unwrap();
    }
    world.purge(ANN, 2).await;
    let names = world.notices(at(3)).await;
    assert_eq!((names.len(), names.iter().any(|name| name.contains(ANN))), (2, false), "{names:?}");
    assert!(names.iter().any(|name| name.contains(BOB)), "{names:?}");
}

#[tokio::test]
async fn a_purge_keeps_the_opt_out_and_the_block() {
    let world = World::new().await;
    world.says(ANN, "hello", at(1)).await;
    world.says(ANN, "STOP", at(2)).await;
    world.store.reject(Who::Number(number(ANN)), true, at(3)).await.unwrap();
    assert_eq!(world.purge(ANN, 4).await, 2);
    assert_eq!(
        world.holdings(ANN).await,
        RecordCounts { is_opted_out: true, is_blocked: true, ..RecordCounts::default() }
    );
    let standing = world.store.standing(world.line, &number(ANN)).await.unwrap();
    assert!(standing.is_opted_out && standing.is_blocked);
    let history = world.store.consent_history(Some(number(ANN))).await.unwrap();
    assert_eq!(history[0].wish, Wish::OptOut);
}

#[tokio::test]
async fn a_purge_while_the_agent_thinks_drops_the_answer() {
    let world = World::new().await;
    world.says(ANN, "hello", at(1)).await;
    let turn = world.lease(at(1)).await;
    world.says(ANN, "still there?", at(2)).await;
    world.purge(ANN, 3).await;
    assert_eq!(world.answer(&turn, "hi", at(4)).await, Err(StoreError::LeaseLost));
    world.says(ANN, "once more", at(5)).await;
    let next = world.lease(at(5)).await;
    assert_ne!(next.lease.turn, turn.lease.turn, "the holder of the old turn has no lease on the new one");
    assert_eq!(world.answer(&turn, "hi", at(6)).await, Err(StoreError::LeaseLost));
    world.answer(&next, "hello again", at(6)).await.unwrap();
}

#[tokio::test]
async fn a_purge_keeps_a_part_in_flight_until_its_outcome_is_known() {
    let world = World::new().await;
    let message = world.send("a", ANN, &["1", "2"], at(1)).await;
    world.send("b", ANN, &["3"], at(1)).await;
    let part = world.start(at(1)).await;
    assert_eq!(world.holdings(ANN).await.in_hand, 1);
    assert_eq!(world.purge(ANN, 2).await, 1);
    assert_eq!(world.holdings(ANN).await, RecordCounts { outbound: 1, in_hand: 1, ..RecordCounts::default() });
    world.store.part_sent(part.lease, receipt("SM1", Status::Delivered), at(3)).await.unwrap();
    assert_eq!(world.states(message).await, [PartState::Sent, PartState::Canceled]);
    assert_eq!(world.purge(ANN, 4).await, 1);
    assert_eq!(world.holdings(ANN).await, RecordCounts::default());
}

#[tokio::test]
async fn a_repeated_webhook_of_a_purged_message_is_not_new() {
    let world = World::new().await;
    world.accept(arrival("SM-again", ANN, "hello"), open_to_all(), at(1)).await;
    world.purge(ANN, 2).await;
    let again = async |now| world.accept(arrival("SM-again", ANN, "hello"), open_to_all(), at(now)).await;
    assert_eq!(again(3).await, Accepted::Repeat);
    assert_eq!(world.turns_idle(at(3)).await, None);
    let month = 31 * 24 * 60 * 60;
    let gaps = world.store.gaps(at(3)).await.unwrap();
    world.store.expire(at(0), 10, at(month)).await.unwrap();
    assert_eq!(again(month).await, Accepted::Repeat, "the number was not looked through since");
    world.store.gap_closed(&gaps[0], at(month)).await.unwrap();
    world.store.expire(at(0), 10, at(month)).await.unwrap();
    assert!(
        matches!(again(month).await, Accepted::Waiting(_)),
        "the gateway no longer looks for it, so it need not be known"
    );
}

#[tokio::test]
async fn an_export_contains_all_messages_and_decisions() {
    let world = World::new().await;
    world.exchanged(ANN, 1).await;
    world.exchanged(BOB, 1).await;
    let picture = Media { url: "https://example.com/1".into(), content_type: "image/png".into() };
    world.accept(Arrival { media: vec![picture], ..world.text(ANN, "look") }, open_to_all(), at(2)).await;
    world.store.approve(Who::Number(number(ANN)), parts(&["approved"]), Some(world.line), at(4)).await.unwrap();
    world.says(ANN, "STOP", at(5)).await;
    let record = world.store.record_of(&number(ANN)).await.unwrap();
    let said: Vec<_> = record.messages.iter().map(|detail| detail.entry.text.as_str()).collect();
    assert_eq!(said, ["question 1", "answer 1", "look", "approved", "STOP"]);
    assert_eq!(record.messages[2].media[0].url.as_deref(), Some("https://example.com/1"));
    assert_eq!(record.messages[1].parts[0].provider_id.as_deref(), Some(format!("SM-{ANN}-1").as_str()));
    assert_eq!((record.approved, record.blocked, record.consents.len()), (Some(at(4)), None, 1));
}

#[tokio::test]
async fn retention_deletes_finished_work_only() {
    let world = World::new().await;
    world.exchanged(ANN, 1).await;
    world.exchanged(ANN, 2).await;
    world.says(ANN, "dead", at(3)).await;
    let dead = world.lease(at(3)).await;
    world.store.fail_turn(&dead.lease, turn_failure(Disposition::GiveUp), at(3)).await.unwrap();
    world.send("on its way", ANN, &["on its way"], at(4)).await;
    world.hand_over("SM-way", at(4)).await;
    world.send("waits", BOB, &["waits"], at(4)).await;
    world.accept(world.text(BOB, "asks"), rules(InboundPolicy::Open, 0), at(5)).await;
    world.says(ANN, "fresh", at(900)).await;
    world.expire(100).await;
    assert_eq!(world.listed().await, ["fresh", "asks", "waits", "on its way"].map(str::to_owned));
    world.store.report("twilio", report("SM-way", None, Status::Delivered), at(950)).await.unwrap();
    world.expire(100).await;
    assert!(!world.listed().await.contains(&"on its way".to_owned()));
    assert_eq!(world.store.failed_turns().await.unwrap(), []);
    assert_eq!(world.start(at(960)).await.text, "waits");
    world.expire(1_000).await;
    assert!(world.listed().await.contains(&"fresh".to_owned()), "it waits for an answer");
}
