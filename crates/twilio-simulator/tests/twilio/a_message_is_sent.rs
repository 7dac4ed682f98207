use std::time::Duration;

use serde_json::json;
use twilio_simulator::{
    AccountSettings, AccountType, DeliveryOutcome, ExchangeEvent, MessageStatus, Service, SimulatorConfig,
};

use crate::desk::{Desk, PHONE, SOON, instant};
use crate::receiver::Receiver;

const SERVICE: &str = "MG0123456789abcdef0123456789abcdef";

/// Starts a simulator in which messages keep their first status.
async fn frozen() -> Desk {
    Desk::with(SimulatorConfig { step_delay: Duration::from_secs(3600), ..SimulatorConfig::default() }).await
}

#[tokio::test]
async fn the_answer_has_twilios_types() {
    let desk = frozen().await;
    let answer = desk.send("Hello").await;
    assert_eq!(answer.status, 201);
    let sid = answer.text("sid");
    assert!(sid.starts_with("SM") && sid.len() == 34);
    let expected = [
        ("account_sid", json!(desk.twilio.account_sid())),
        ("api_version", json!("2010-04-01")),
        ("body", json!("Hello")),
        ("date_sent", json!(null)),
        ("direction", json!("outbound-api")),
        ("error_code", json!(null)),
        ("error_message", json!(null)),
        ("from", json!(desk.twilio.number())),
        ("messaging_service_sid", json!(null)),
        ("num_media", json!("0")),
        ("num_segments", json!("1")),
        ("price", json!(null)),
        ("price_unit", json!("USD")),
        ("status", json!("queued")),
        ("to", json!(PHONE)),
        ("uri", json!(desk.account(&format!("/Messages/{sid}.json")))),
    ];
    for (field, value) in expected {
        assert_eq!(answer.json[field], value, "{field}");
    }
    assert!(answer.text("date_created").ends_with(" +0000"));
    assert!(answer.headers["twilio-request-id"].to_str().unwrap().starts_with("RQ"));
    assert_eq!(answer.headers["twilio-concurrent-requests"], "1");
}

#[tokio::test]
async fn every_step_is_reported_in_order_without_the_fragment() {
    let desk = Desk::open().await;
    let mut us = Receiver::open().await;
    let callback = us.url("/status?part=7#rc=2&rp=all");
    let answer = desk.send_with("Hello", &[("StatusCallback", &callback)]).await;
    assert_eq!(us.next().await.get("MessageStatus"), "sending");
    assert_eq!(us.next().await.get("MessageStatus"), "sent");
    let delivered = us.next().await;
    assert_eq!(delivered.target, "/status?part=7");
    let fields = [
        ("MessageSid", answer.text("sid")),
        ("SmsSid", answer.text("sid")),
        ("MessageStatus", "delivered"),
        ("SmsStatus", "delivered"),
        ("To", PHONE),
        ("From", desk.twilio.number()),
        ("AccountSid", desk.twilio.account_sid()),
        ("ApiVersion", "2010-04-01"),
    ];
    for (name, value) in fields {
        assert_eq!(delivered.get(name), value, "{name}");
    }
    assert_eq!(delivered.get("RawDlrDoneDate").len(), 10);
    assert_eq!(delivered.find("ErrorCode"), None);
    let fetched = desk.get(&desk.account(&format!("/Messages/{}.json", answer.text("sid")))).await;
    assert_eq!(fetched.text("status"), "delivered");
    assert_eq!(fetched.text("price"), "-0.00790");
    assert!(fetched.text("date_sent").ends_with(" +0000"));
}

#[tokio::test]
async fn a_message_that_fails_says_why() {
    let desk = Desk::open().await;
    let mut us = Receiver::open().await;
    let callback = us.url("/status");
    desk.twilio.set_outcome(PHONE, DeliveryOutcome::Undelivered(30003));
    desk.send_with("Hello", &[("StatusCallback", &callback)]).await;
    assert_eq!(us.statuses(2).await, ["sending", "sent"]);
    let last = us.next().await;
    assert_eq!((last.get("MessageStatus"), last.get("ErrorCode")), ("undelivered", "30003"));

    desk.twilio.reset();
    desk.twilio.set_outcome(PHONE, DeliveryOutcome::Failed(30007));
    let answer = desk.send_with("Hello", &[("StatusCallback", &callback)]).await;
    let only = us.next().await;
    assert_eq!((only.get("MessageStatus"), only.get("ErrorCode")), ("failed", "30007"));
    let fetched = desk.get(&desk.account(&format!("/Messages/{}.json", answer.text("sid")))).await;
    assert_eq!(fetched.json["error_code"], json!(30007));
}

#[tokio::test]
async fn a_service_has_no_sender_until_it_chose_one() {
    let service = Service::new(SERVICE, &[twilio_simulator::DEFAULT_NUMBER]);
    let mut us = Receiver::open().await;
    let service = Service { status_callback: Some(us.url("/of-the-service")), ..service };
    let desk = Desk::with(SimulatorConfig { services: vec![service], ..instant() }).await;
    let form = [("To", PHONE), ("MessagingServiceSid", SERVICE), ("Body", "Hello")];
    let answer = desk.post(&desk.account("/Messages.json"), &form).await;
    assert_eq!((answer.text("status"), answer.text("num_segments")), ("accepted", "0"));
    assert_eq!(answer.json["from"], json!(null));
    let queued = us.next().await;
    assert_eq!((queued.get("MessageStatus"), queued.get("MessagingServiceSid")), ("queued", SERVICE));
    assert_eq!(queued.get("From"), desk.twilio.number());
    assert_eq!(us.statuses(3).await, ["sending", "sent", "delivered"]);
    let message = desk.settled().await.remove(0);
    assert_eq!((message.from.as_deref(), message.num_segments), (Some(desk.twilio.number()), 1));
}

#[tokio::test]
async fn a_trial_account_puts_its_sentence_in_front() {
    let config = SimulatorConfig {
        account: AccountSettings {
            account_type: AccountType::Trial,
            verified_numbers: vec![PHONE.to_owned()],
            ..AccountSettings::default()
        },
        ..instant()
    };
    let desk = Desk::with(config).await;
    let answer = desk.send(&"a".repeat(130)).await;
    assert!(answer.text("body").starts_with("Sent from your Twilio trial account - a"));
    assert_eq!(answer.text("num_segments"), "2");
}

#[tokio::test]
async fn a_follower_sees_the_message_reach_the_phone() {
    let desk = Desk::open().await;
    let mut events = desk.twilio.subscribe();
    desk.send("Hello").await;
    let arrived = tokio::time::timeout(SOON, async {
        loop {
            if let ExchangeEvent::Message(message) = events.recv().await.unwrap()
                && message.status == MessageStatus::Delivered
            {
                return message;
            }
        }
    });
    let message = arrived.await.unwrap();
    assert_eq!((message.to.as_str(), message.body.as_str()), (PHONE, "Hello"));
}
