//! Contents of requests on the phone page: everything except credentials.

use serde_json::{Value, json};
use twilio_simulator::{
    DEFAULT_NUMBER, ExchangeEvent, Fault, FaultExtent, InboundText, LogEntry, LogKind, SimulatorConfig,
};

use crate::desk::{Answer, Desk, PHONE, SOON, control_with, instant};
use crate::receiver::Receiver;

/// Starts a simulator whose token, unlike the default one, is not part of the account's SID.
async fn desk() -> Desk {
    Desk::with(SimulatorConfig { auth_token: "fedcba9876543210fedcba9876543210".to_owned(), ..instant() }).await
}

async fn detail(desk: &Desk, entry: &LogEntry) -> Value {
    let (status, detail) = control_with(desk, reqwest::Method::GET, &format!("/log/{}", entry.id), Value::Null).await;
    assert_eq!(status, 200, "{detail}");
    assert!(!detail.to_string().contains(desk.twilio.auth_token()), "{detail}");
    detail
}

fn get<'a>(pairs: &'a Value, name: &str) -> &'a str {
    let pairs = pairs.as_array().unwrap();
    let found = pairs.iter().find(|pair| pair[0] == name).unwrap_or_else(|| panic!("no {name} in {pairs:?}"));
    found[1].as_str().unwrap()
}

fn last(desk: &Desk, kind: LogKind) -> LogEntry {
    desk.twilio.log().into_iter().rfind(|entry| entry.kind == kind).unwrap()
}

#[tokio::test]
async fn a_webhook_shows_its_form_signature_and_signed_text() {
    let mut us = Receiver::open().await;
    let desk = desk().await;
    desk.twilio.set_sms_url(DEFAULT_NUMBER, &us.url("/in").replace("http://", "http://me:password@")).unwrap();
    us.answers(401, "text/plain", "Who are you?");
    us.answers(200, "text/xml", "<Response><!-- heard --></Response>");
    desk.twilio.text(PHONE, DEFAULT_NUMBER, "Grüße & more").await.unwrap();
    let (_, hook) = (us.next().await, us.next().await);
    let shown = detail(&desk, &last(&desk, LogKind::Webhook)).await;
    let asked = &shown["request"];
    assert_eq!(get(&asked["parameters"], "Body"), "Grüße & more");
    assert_eq!(get(&asked["headers"], "x-twilio-signature"), hook.header("X-Twilio-Signature"));
    assert_eq!(get(&asked["headers"], "authorization"), "Basic •••");
    let signed = asked["signed"].as_str().unwrap();
    assert!(signed.starts_with(&format!("{}AccountSid{}", us.url("/in"), desk.twilio.account_sid())), "{signed}");
    assert!(signed.contains("BodyGrüße & moreFrom+15550005678"), "{signed}");
    assert_eq!(shown["answer"]["body"], "<Response><!-- heard --></Response>");
    assert_eq!(get(&shown["answer"]["headers"], "content-type"), "text/xml");
    assert!(!shown.to_string().contains("password"));
}

#[tokio::test]
async fn an_api_request_shows_its_form_credentials_and_error_code() {
    let desk = desk().await;
    let refused: Answer = desk.send_with("Hello", &[("StatusCallback", "http://me:password@example.com/status")]).await;
    assert_eq!(refused.status, 201);
    desk.twilio.misbehave(Fault::Outage, FaultExtent::Next(1));
    desk.send("Anybody there?").await;
    let shown = detail(&desk, &last(&desk, LogKind::Rest)).await;
    assert_eq!(get(&shown["request"]["parameters"], "Body"), "Anybody there?");
    let who = format!("Basic {}:•••", desk.twilio.account_sid());
    assert_eq!(get(&shown["request"]["headers"], "authorization"), who);
    assert_eq!(shown["request"]["signed"], Value::Null);
    let body: Value = serde_json::from_str(shown["answer"]["body"].as_str().unwrap()).unwrap();
    assert_eq!((&body["code"], &body["status"]), (&json!(20503), &json!(503)));
    let first = desk.twilio.log().into_iter().find(|entry| entry.kind == LogKind::Rest).unwrap();
    let shown = detail(&desk, &first).await;
    assert_eq!(get(&shown["request"]["parameters"], "StatusCallback"), "http://•••@example.com/status");
    desk.get(&desk.account("/Messages.json?PageSize=1")).await;
    assert_eq!(get(&detail(&desk, &last(&desk, LogKind::Rest)).await["request"]["parameters"], "PageSize"), "1");
}

#[tokio::test]
async fn an_unanswered_request_shows_the_reason() {
    let desk = desk().await;
    desk.twilio.set_sms_url(DEFAULT_NUMBER, "http://127.0.0.1:1/in").unwrap();
    desk.twilio.text(PHONE, DEFAULT_NUMBER, "Hello").await.unwrap();
    let shown = detail(&desk, &last(&desk, LogKind::Webhook)).await;
    assert_eq!(shown["answer"], Value::Null);
    assert!(shown["failure"].as_str().unwrap().starts_with("failed to connect: "), "{shown}");
    desk.twilio.misbehave(Fault::CutBeforeAccepting, FaultExtent::Next(1));
    desk.try_send("Hello", &[]).await.err().unwrap();
    let shown = detail(&desk, &last(&desk, LogKind::Rest)).await;
    assert_eq!(shown["failure"], "the connection was cut instead of an answer");
}

#[tokio::test]
async fn an_unanswered_request_is_reported_when_its_client_gives_up() {
    let desk = desk().await;
    let mut events = desk.twilio.subscribe();
    desk.twilio.misbehave(Fault::HangBeforeAccepting, FaultExtent::Next(1));
    let asked = desk.twilio.wait_for_log(|log| !log.is_empty(), SOON);
    tokio::select! {
        _ = desk.try_send("Hello", &[]) => panic!("an answer"),
        _ = asked => {}
    }
    let entry = async {
        loop {
            if let ExchangeEvent::Request(entry) = events.recv().await.unwrap() {
                return entry;
            }
        }
    };
    let entry = tokio::time::timeout(SOON, entry).await.unwrap();
    assert_eq!((entry.kind, entry.status), (LogKind::Rest, None));
}

#[tokio::test]
async fn a_file_is_kept_once_and_its_url_hidden() {
    let mut us = Receiver::open().await;
    let desk = desk().await;
    desk.twilio.set_sms_url(DEFAULT_NUMBER, &us.url("/in")).unwrap();
    desk.twilio.receive(InboundText::new(PHONE, DEFAULT_NUMBER, "").with_file("image/png", b"\x89PNG")).await.unwrap();
    let path = us.next().await.get("MediaUrl0").replace(desk.twilio.base_url(), "");
    // The client follows the redirect without the credentials.
    assert_eq!(desk.get(&path).await.status, 200);
    let shown = detail(&desk, &last(&desk, LogKind::Rest)).await;
    assert!(get(&shown["answer"]["headers"], "location").ends_with("&Signature=•••"), "{shown}");
    let shown = detail(&desk, &last(&desk, LogKind::Cdn)).await;
    assert_eq!(
        (get(&shown["answer"]["headers"], "content-type"), &shown["answer"]["body"]),
        ("image/png", &Value::Null)
    );
}

#[tokio::test]
async fn only_the_latest_requests_and_none_from_before_a_reset_are_kept() {
    let desk = desk().await;
    for _ in 0..401 {
        desk.get(&desk.account(".json")).await;
    }
    let log = desk.twilio.log();
    let ask = |entry: &LogEntry| {
        let path = format!("/log/{}", entry.id);
        let desk = &desk;
        async move { control_with(desk, reqwest::Method::GET, &path, Value::Null).await }
    };
    let error = json!({"error": "what it carried is kept of the latest 400 requests only"});
    assert_eq!(ask(&log[0]).await, (404, error));
    assert_eq!(ask(&log[1]).await.0, 200);
    desk.twilio.reset();
    assert_eq!(ask(&log[400]).await.0, 404);
    desk.get(&desk.account(".json")).await;
    assert_eq!(desk.twilio.log()[0].id, 401);
}

#[tokio::test]
async fn requests_show_their_name_and_phone() {
    let mut us = Receiver::open().await;
    let desk = desk().await;
    desk.twilio.set_sms_url(DEFAULT_NUMBER, &us.url("/in")).unwrap();
    desk.twilio
        .receive(InboundText::new(PHONE, DEFAULT_NUMBER, "Look").with_file("image/png", b"\x89PNG"))
        .await
        .unwrap();
    let path = us.next().await.get("MediaUrl0").replace(desk.twilio.base_url(), "");
    desk.get(&path).await;
    desk.send_with("Nice", &[("StatusCallback", &us.url("/status"))]).await;
    desk.get(&desk.account("/Messages.json?PageSize=1")).await;
    let delivered =
        |log: &[LogEntry]| log.iter().any(|entry| entry.event == "status: delivered" && entry.status.is_some());
    let log = desk.twilio.wait_for_log(delivered, SOON).await.unwrap();
    let named =
        |event: &str| log.iter().find(|entry| entry.event == event).unwrap_or_else(|| panic!("{event}: {log:#?}"));
    for event in ["text in", "send", "status: sent", "status: delivered"] {
        assert_eq!(named(event).phone.as_deref(), Some(PHONE), "{event}");
    }
    let fetched: Vec<LogKind> =
        log.iter().filter(|entry| entry.event == "fetch picture").map(|entry| entry.kind).collect();
    assert_eq!(fetched, [LogKind::Rest, LogKind::Cdn]);
    assert_eq!(named("list messages").phone, None);
}
