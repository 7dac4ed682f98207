use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpListener;
use twilio_simulator::{DEFAULT_NUMBER, LogKind, MessageDirection, NotOurs, Number, SimulatorConfig, Unsent};

use crate::desk::{Desk, PHONE, SOON, instant};
use crate::receiver::Receiver;

async fn desk_for(us: &Receiver, path: &str) -> Desk {
    let numbers = vec![Number::new(DEFAULT_NUMBER).sms_url(&us.url(path))];
    Desk::with(SimulatorConfig { numbers, ..instant() }).await
}

#[tokio::test]
async fn the_webhook_is_signed_and_has_every_parameter() {
    let mut us = Receiver::open().await;
    let desk = desk_for(&us, "/in?x=1#rc=3").await;
    let delivery = desk.twilio.text(PHONE, DEFAULT_NUMBER, "Grüße & 😀\n").await.unwrap();
    assert_eq!((delivery.status, delivery.attempts, delivery.alert), (Some(200), 1, None));
    let hook = us.next().await;
    assert_eq!(hook.target, "/in?x=1");
    assert_eq!(hook.header("x-twilio-signature"), hook.signature(desk.twilio.auth_token(), &us.url("/in?x=1")));
    assert_eq!(hook.header("user-agent"), "TwilioProxy/1.1");
    assert_eq!(hook.header("content-type"), "application/x-www-form-urlencoded; charset=UTF-8");
    assert_eq!(hook.header("i-twilio-idempotency-token").len(), 36);
    let names = hook.names();
    for name in ["MessageSid", "SmsSid", "SmsMessageSid"] {
        assert_eq!(names[name], delivery.sid);
    }
    for name in ["FromCity", "FromState", "FromZip", "FromCountry", "ToCity", "ToState", "ToZip", "ToCountry"] {
        assert_eq!(names[name], "");
    }
    let fixed = [("Body", "Grüße & 😀\n"), ("NumMedia", "0"), ("NumSegments", "1"), ("SmsStatus", "received")];
    for (name, value) in fixed {
        assert_eq!(names[name], value);
    }
    assert_eq!((names["From"], names["To"]), (PHONE, DEFAULT_NUMBER));
    assert!(!names.contains_key("OptOutType"));
}

#[tokio::test]
async fn the_text_is_listed_as_received() {
    let desk = Desk::open().await;
    let delivery = desk.twilio.text(PHONE, DEFAULT_NUMBER, "Hello").await.unwrap();
    let fetched = desk.get(&desk.account(&format!("/Messages/{}.json", delivery.sid))).await;
    assert_eq!((fetched.text("direction"), fetched.text("status")), ("inbound", "received"));
    let unknown = desk.twilio.text(PHONE, "+15559999999", "Hello").await;
    assert_eq!(unknown.map(|_| ()).unwrap_err(), Unsent::NotOurs(NotOurs("+15559999999".to_owned())));
}

#[tokio::test]
async fn replies_in_the_answer_are_sent() {
    let us = Receiver::open().await;
    let desk = desk_for(&us, "/in").await;
    us.answers(200, "text/xml", "<Response><Message>one</Message><Message><Body>two</Body></Message></Response>");
    let delivery = desk.twilio.text(PHONE, DEFAULT_NUMBER, "Hello").await.unwrap();
    assert_eq!(delivery.replies.len(), 2);
    let messages = desk.settled().await;
    let replies: Vec<_> = messages.iter().filter(|m| m.direction == MessageDirection::OutboundReply).collect();
    assert_eq!(replies.iter().map(|m| m.body.as_str()).collect::<Vec<_>>(), ["one", "two"]);
    assert!(replies.iter().all(|m| m.to == PHONE && m.from.as_deref() == Some(DEFAULT_NUMBER)));
}

#[tokio::test]
async fn a_bad_answer_raises_an_alert_and_is_not_retried() {
    let us = Receiver::open().await;
    let desk = desk_for(&us, "/in").await;
    let cases = [
        (503, "text/xml", "<Response/>", 11200),
        (200, "text/xml", "<Response>", 12100),
        (200, "application/json", "{}", 12300),
    ];
    for (status, content_type, body, code) in cases {
        us.answers(status, content_type, body);
        let delivery = desk.twilio.text(PHONE, DEFAULT_NUMBER, "Hello").await.unwrap();
        assert_eq!((delivery.attempts, delivery.alert), (1, Some(code)));
        let alert = desk.twilio.alerts().pop().unwrap();
        assert_eq!((alert.error_code, &alert.resource_sid), (code, &delivery.sid));
    }
    let listed = desk.get("/v1/Alerts").await;
    assert_eq!(listed.json["alerts"][0]["error_code"], "12300");
    let url =
        listed.json["alerts"][0]["url"].as_str().unwrap().strip_prefix(desk.twilio.base_url()).unwrap().to_owned();
    assert_eq!(desk.get(&url).await.text("request_url"), us.url("/in"));
}

#[tokio::test]
async fn a_url_that_asks_for_retries_gets_them_with_the_same_token() {
    let mut us = Receiver::open().await;
    let desk = desk_for(&us, "/in#rc=2&rp=5xx,ct").await;
    us.answers(500, "text/xml", "");
    us.answers(502, "text/xml", "");
    let delivery = desk.twilio.text(PHONE, DEFAULT_NUMBER, "Hello").await.unwrap();
    assert_eq!((delivery.attempts, delivery.status, delivery.alert), (3, Some(200), None));
    let tokens: BTreeSet<String> = {
        let hooks = [us.next().await, us.next().await, us.next().await];
        hooks.iter().map(|hook| hook.header("i-twilio-idempotency-token").to_owned()).collect()
    };
    assert_eq!(tokens.len(), 1);
    let log = desk.twilio.log();
    let statuses: Vec<_> =
        log.iter().filter(|entry| entry.kind == LogKind::Webhook).map(|entry| entry.status).collect();
    assert_eq!(statuses, [Some(500), Some(502), Some(200)]);
}

#[tokio::test]
async fn a_closed_port_is_tried_twice_unless_the_url_says_otherwise() {
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let desk = Desk::open().await;
    for (fragment, attempts) in [("", 2), ("#rc=0", 1), ("#rc=3&rp=ct", 4), ("#rc=3&rp=5xx", 1)] {
        desk.twilio.set_sms_url(DEFAULT_NUMBER, &format!("http://{closed}/in{fragment}")).unwrap();
        let delivery = desk.twilio.text(PHONE, DEFAULT_NUMBER, "Hello").await.unwrap();
        assert_eq!((delivery.attempts, delivery.alert, delivery.status), (attempts, Some(11205), None), "{fragment}");
    }
}

#[tokio::test]
async fn a_missing_answer_times_out() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/in", silent.local_addr().unwrap());
    let config = SimulatorConfig { webhook_timeout: Duration::from_secs(1), ..instant() };
    let desk = Desk::with(config).await;
    desk.twilio.set_sms_url(DEFAULT_NUMBER, &url).unwrap();
    let delivery = desk.twilio.text(PHONE, DEFAULT_NUMBER, "Hello").await.unwrap();
    assert_eq!((delivery.attempts, delivery.alert), (1, Some(11200)));
}

#[tokio::test]
async fn the_fallback_gets_the_error_of_the_first_url() {
    let mut us = Receiver::open().await;
    let number = Number::new(DEFAULT_NUMBER).sms_url(&us.url("/in")).sms_fallback_url(&us.url("/fallback"));
    let desk = Desk::with(SimulatorConfig { numbers: vec![number], ..instant() }).await;
    us.answers(500, "text/xml", "");
    let delivery = desk.twilio.text(PHONE, DEFAULT_NUMBER, "Hello").await.unwrap();
    assert_eq!((delivery.status, delivery.alert), (Some(200), None));
    assert_eq!(us.next().await.target, "/in");
    let second = us.next().await;
    assert_eq!((second.target.as_str(), second.get("ErrorCode")), ("/fallback", "11200"));
    assert_eq!(second.get("ErrorUrl"), us.url("/in"));
    assert_eq!(second.get("MessageSid"), delivery.sid);
}

#[tokio::test]
async fn the_same_text_may_come_twice() {
    let mut us = Receiver::open().await;
    let desk = desk_for(&us, "/in").await;
    let delivery = desk.twilio.text(PHONE, DEFAULT_NUMBER, "Hello").await.unwrap();
    desk.twilio.redeliver(&delivery.sid).await.unwrap();
    let (first, second) = (us.next().await, us.next().await);
    assert_eq!(first.form, second.form);
    assert_eq!(first.header("i-twilio-idempotency-token"), second.header("i-twilio-idempotency-token"));
    assert_eq!(desk.twilio.messages().len(), 1);
    assert!(desk.twilio.redeliver("SMnone").await.is_err());
}

#[tokio::test]
async fn behind_a_tunnel_the_public_url_is_signed_and_the_private_one_called() {
    let mut us = Receiver::open().await;
    let private: SocketAddr = us.url("").strip_prefix("http://").unwrap().parse().unwrap();
    let desk = Desk::with(SimulatorConfig { tunnel_to: Some(private), ..instant() }).await;
    desk.twilio.set_sms_url(DEFAULT_NUMBER, "https://me:pw@Public.example.com:8443/in").unwrap();
    us.answers(401, "text/plain", "");
    desk.twilio.text(PHONE, DEFAULT_NUMBER, "Hello").await.unwrap();
    let (first, second) = (us.next().await, us.next().await);
    assert_eq!(first.header("host"), "Public.example.com:8443");
    assert!(!first.headers.contains_key("authorization"));
    assert_eq!(second.header("authorization"), "Basic bWU6cHc=");
    let expected = second.signature(desk.twilio.auth_token(), "https://Public.example.com:8443/in");
    assert_eq!(second.header("x-twilio-signature"), expected);
}

#[tokio::test]
async fn two_simulators_are_independent() {
    let (mut us, mut them) = (Receiver::open().await, Receiver::open().await);
    let (ours, theirs) = (desk_for(&us, "/ours").await, desk_for(&them, "/theirs").await);
    let (one, other) = tokio::join!(
        ours.twilio.text(PHONE, DEFAULT_NUMBER, "one"),
        theirs.twilio.text(PHONE, DEFAULT_NUMBER, "other")
    );
    assert_ne!(one.unwrap().sid, other.unwrap().sid);
    assert_eq!((us.next().await.get("Body"), them.next().await.get("Body")), ("one", "other"));
    assert!(us.pending().is_none() && them.pending().is_none());
    assert_eq!((ours.twilio.messages().len(), theirs.twilio.messages().len()), (1, 1));
}

#[tokio::test]
async fn a_stopped_simulator_frees_its_port() {
    let desk = Desk::open().await;
    let port = desk.twilio.address().port();
    desk.twilio.stop().await;
    let again = Desk::with(SimulatorConfig { port, ..instant() });
    assert_eq!(tokio::time::timeout(SOON, again).await.unwrap().twilio.address().port(), port);
}
