//! A number sends no faster than its kind allows, waiting messages get their turn, and a full queue accepts no more.

use std::time::Duration;

use serde_json::{Value, json};
use twilio_simulator::{
    AccountSettings, AccountStatus, DEFAULT_NUMBER, MessageRecord, MessageStatus, Number, QueuePacing, Service,
    SimulatorConfig,
};

use crate::desk::{Desk, PHONE, SOON, control, instant};

const SERVICE: &str = "MG0123456789abcdef0123456789abcdef";
const OTHER: &str = "+15550001235";
const TOLL_FREE: &str = "+18335550001";
const SHORT_CODE: &str = "55501";

/// Slow enough that a second message cannot leave during a test.
const CRAWL: QueuePacing = QueuePacing::SegmentsPerSecond(0.001);

async fn send(desk: &Desk, from: &str, to: &str, body: &str) -> Value {
    let field = if from.starts_with("MG") { "MessagingServiceSid" } else { "From" };
    let answer = desk.post(&desk.account("/Messages.json"), &[("To", to), (field, from), ("Body", body)]).await;
    answer.json
}

/// Waits until this many messages have left.
async fn left(desk: &Desk, count: usize) -> Vec<MessageRecord> {
    let is_there = |all: &[MessageRecord]| all.iter().filter(|m| m.status == MessageStatus::Delivered).count() >= count;
    desk.twilio.wait_for(is_there, SOON).await.unwrap()
}

#[tokio::test]
async fn the_second_message_waits_until_pacing_is_lifted() {
    let desk = Desk::with(SimulatorConfig { pacing: CRAWL, ..instant() }).await;
    for body in ["first", "second", "third"] {
        desk.send(body).await;
    }
    let messages = left(&desk, 1).await;
    assert_eq!(messages.iter().map(|m| m.status.as_str()).collect::<Vec<_>>(), ["delivered", "queued", "queued"]);
    assert_eq!(control(&desk, "/pacing", json!("lifted")).await.0, 204);
    left(&desk, 3).await;
}

#[tokio::test]
async fn numbers_do_not_wait_for_each_other() {
    let numbers = vec![Number::new(DEFAULT_NUMBER), Number::new(OTHER)];
    let desk = Desk::with(SimulatorConfig { numbers, pacing: CRAWL, ..instant() }).await;
    for from in [DEFAULT_NUMBER, DEFAULT_NUMBER, OTHER] {
        send(&desk, from, PHONE, "x").await;
    }
    let statuses: Vec<_> = left(&desk, 2).await.iter().map(|message| message.status.as_str()).collect();
    assert_eq!(statuses, ["delivered", "queued", "delivered"]);
}

#[tokio::test]
async fn each_kind_of_number_has_its_own_limit() {
    // 24 segments occupy a local number for 24 s, a toll-free number for 8 s and a short code for 0.24 s.
    let numbers = [DEFAULT_NUMBER, TOLL_FREE, SHORT_CODE].map(Number::new).to_vec();
    let config =
        SimulatorConfig { numbers, pacing: QueuePacing::AsTwilio, queue_limit: Duration::from_secs(12), ..instant() };
    let desk = Desk::with(config).await;
    let long = "ж".repeat(1600);
    for (from, taken) in [(DEFAULT_NUMBER, 1), (TOLL_FREE, 2), (SHORT_CODE, 12)] {
        for _ in 0..taken {
            assert_eq!(send(&desk, from, PHONE, &long).await["num_segments"], "24", "{from}");
        }
        let next = send(&desk, from, PHONE, &long).await;
        assert_eq!(next["code"] == 21611, from != SHORT_CODE, "{from}: {next}");
    }
}

#[tokio::test]
async fn a_service_reports_full_queues_later() {
    let services = vec![Service::new(SERVICE, &[DEFAULT_NUMBER])];
    let config = SimulatorConfig { services, pacing: CRAWL, queue_limit: Duration::from_secs(1), ..instant() };
    let desk = Desk::with(config).await;
    for _ in 0..2 {
        assert_eq!(send(&desk, SERVICE, PHONE, "x").await["status"], "accepted");
        desk.twilio.wait_for(|all| all.iter().all(|m| m.status != MessageStatus::Accepted), SOON).await.unwrap();
    }
    let failed = desk.reaches(MessageStatus::Failed).await;
    assert_eq!(failed.error_code, Some(30001));
}

#[tokio::test]
async fn a_service_distributes_new_phones_and_keeps_known_senders() {
    let numbers = vec![Number::new(DEFAULT_NUMBER), Number::new(OTHER)];
    let services = vec![Service::new(SERVICE, &[DEFAULT_NUMBER, OTHER])];
    let desk = Desk::with(SimulatorConfig { numbers, services, pacing: CRAWL, ..instant() }).await;
    for phone in ["+15550007001", "+15550007002", "+15550007001", "+15550007002"] {
        send(&desk, SERVICE, phone, "x").await;
        desk.twilio.wait_for(|all| all.iter().all(|m| m.from.is_some()), SOON).await.unwrap();
    }
    let senders: Vec<_> = desk.twilio.messages().into_iter().filter_map(|message| message.from).collect();
    assert_eq!(senders, [DEFAULT_NUMBER, OTHER, DEFAULT_NUMBER, OTHER]);
}

#[tokio::test]
async fn a_message_that_waits_longer_than_it_is_valid_fails() {
    let desk = Desk::with(SimulatorConfig { pacing: CRAWL, ..instant() }).await;
    desk.send("first").await;
    desk.send_with("second", &[("ValidityPeriod", "1")]).await;
    let failed = desk.reaches(MessageStatus::Failed).await;
    assert_eq!((failed.body.as_str(), failed.error_code), ("second", Some(30036)));
}

#[tokio::test]
async fn a_message_that_waits_while_the_account_is_suspended_fails() {
    let desk = Desk::with(SimulatorConfig { pacing: CRAWL, ..instant() }).await;
    desk.send("first").await;
    desk.send("second").await;
    left(&desk, 1).await;
    desk.twilio.set_account(AccountSettings { status: AccountStatus::Suspended, ..AccountSettings::default() });
    desk.twilio.set_pacing(QueuePacing::Lifted);
    let failed = desk.reaches(MessageStatus::Failed).await;
    assert_eq!((failed.body.as_str(), failed.error_code), ("second", Some(30002)));
}
