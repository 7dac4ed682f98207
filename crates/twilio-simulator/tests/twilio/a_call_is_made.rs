use std::time::Duration;

use twilio_simulator::{CallStatus, DEFAULT_NUMBER, Number, SimulatorConfig};

use crate::desk::{Desk, PHONE, instant};
use crate::receiver::Receiver;

#[tokio::test]
async fn a_phone_calls_and_the_end_is_reported() {
    let mut us = Receiver::open().await;
    let number = Number::new(DEFAULT_NUMBER).voice_url(&us.url("/voice")).status_callback(&us.url("/status"));
    let config = SimulatorConfig { numbers: vec![number], call_length: Duration::ZERO, ..instant() };
    let desk = Desk::with(config).await;
    us.answers(200, "text/xml", "<Response><Say>Hello</Say></Response>");
    let delivery = desk.twilio.call(PHONE, DEFAULT_NUMBER).await.unwrap();
    assert_eq!((delivery.status, delivery.alert), (Some(200), None));
    assert!(delivery.body.contains("<Say>Hello</Say>"));
    let ringing = us.next().await;
    let fields = [
        ("CallSid", delivery.sid.as_str()),
        ("CallStatus", "ringing"),
        ("Direction", "inbound"),
        ("Caller", PHONE),
        ("Called", DEFAULT_NUMBER),
        ("CalledCountry", ""),
    ];
    for (name, value) in fields {
        assert_eq!(ringing.get(name), value, "{name}");
    }
    let completed = us.next().await;
    assert_eq!((completed.target.as_str(), completed.get("CallStatus")), ("/status", "completed"));
    assert_eq!((completed.get("CallDuration"), completed.get("SequenceNumber")), ("0", "0"));
}

#[tokio::test]
async fn a_call_that_is_placed_reports_each_event_that_was_asked_for() {
    let mut us = Receiver::open().await;
    let desk = Desk::with(SimulatorConfig { call_length: Duration::from_secs(3600), ..instant() }).await;
    let (url, callback) = (us.url("/voice"), us.url("/status"));
    let form = [
        ("To", PHONE),
        ("From", DEFAULT_NUMBER),
        ("Url", url.as_str()),
        ("StatusCallback", callback.as_str()),
        ("StatusCallbackEvent", "initiated"),
        ("StatusCallbackEvent", "answered"),
        ("StatusCallbackEvent", "completed"),
    ];
    let answer = desk.post(&desk.account("/Calls.json"), &form).await;
    assert_eq!((answer.status, answer.text("status")), (201, "queued"));
    assert_eq!(us.next().await.get("CallStatus"), "initiated");
    let fetch = us.next().await;
    assert_eq!((fetch.target.as_str(), fetch.get("Direction")), ("/voice", "outbound-api"));
    let answered = us.next().await;
    assert_eq!((answered.get("CallStatus"), answered.get("SequenceNumber")), ("in-progress", "1"));

    let path = desk.account(&format!("/Calls/{}.json", answer.text("sid")));
    assert_eq!(desk.get(&path).await.text("status"), "in-progress");
    let ended = desk.post(&path, &[("Status", "completed")]).await;
    assert_eq!((ended.text("status"), ended.text("duration")), ("completed", "0"));
    assert_eq!(us.next().await.get("CallStatus"), "completed");
    let again = desk.post(&path, &[("Status", "completed")]).await;
    assert_eq!((again.status, again.json["code"].as_u64()), (400, Some(21220)));
    assert_eq!(desk.twilio.calls()[0].status, CallStatus::Completed);
}

#[tokio::test]
async fn a_call_without_what_it_needs_is_refused() {
    let desk = Desk::open().await;
    let cases: [(&[(&str, &str)], u64); 5] = [
        (&[("From", DEFAULT_NUMBER), ("Twiml", "<Response/>")], 21201),
        (&[("To", PHONE), ("Twiml", "<Response/>")], 21213),
        (&[("To", PHONE), ("From", DEFAULT_NUMBER)], 21205),
        (&[("To", "5678"), ("From", DEFAULT_NUMBER), ("Twiml", "<Response/>")], 21217),
        (&[("To", PHONE), ("From", "+15559999999"), ("Twiml", "<Response/>")], 21210),
    ];
    for (form, code) in cases {
        let answer = desk.post(&desk.account("/Calls.json"), form).await;
        assert_eq!((answer.status, answer.json["code"].as_u64()), (400, Some(code)));
    }
    assert_eq!(desk.get(&desk.account("/Calls.json")).await.json["calls"].as_array().unwrap().len(), 0);
}
