use serde_json::{Value, json};
use twilio_simulator::{DEFAULT_NUMBER, Number, SimulatorConfig};

use crate::desk::{Desk, PHONE, control_with, instant};
use crate::receiver::Receiver;

#[tokio::test]
async fn everything_is_available_over_http() {
    let mut us = Receiver::open().await;
    let number = Number::new(DEFAULT_NUMBER).sms_url(&us.url("/in")).voice_url(&us.url("/voice"));
    let desk = Desk::with(SimulatorConfig { numbers: vec![number], ..instant() }).await;
    let post = |path: &'static str, body: Value| control_with(&desk, reqwest::Method::POST, path, body);
    let get = |path: &'static str| control_with(&desk, reqwest::Method::GET, path, Value::Null);

    let text = json!({"from": PHONE, "to": DEFAULT_NUMBER, "body": "Hello", "parameters": [["WaId", "1"]]});
    let (status, delivery) = post("/inbound-message", text).await;
    assert_eq!((status, delivery["status"].as_u64()), (200, Some(200)));
    assert_eq!(us.next().await.get("WaId"), "1");
    let (_, call) = post("/inbound-call", json!({"from": PHONE, "to": DEFAULT_NUMBER})).await;
    assert_eq!(us.next().await.get("CallSid"), call["sid"]);
    assert_eq!(post("/inbound-message", json!({"from": PHONE, "to": "+1555"})).await.0, 404);

    let fault = json!({"fault": {"delay-answer": {"milliseconds": 1}}, "extent": {"percent": 10}});
    assert_eq!(post("/misbehave", fault).await.0, 204);
    assert_eq!(post("/misbehave", json!({"fault": "too-many-requests", "extent": "all"})).await.0, 204);
    assert_eq!(desk.send("Hello").await.status, 429);
    assert_eq!(control_with(&desk, reqwest::Method::DELETE, "/misbehave", Value::Null).await.0, 204);
    assert_eq!(post("/outcome", json!({"to": PHONE, "outcome": {"undelivered": 30005}})).await.0, 204);
    assert_eq!(desk.send("Hello").await.status, 201);
    assert_eq!(desk.settled().await[1].error_code, Some(30005));

    let (_, messages) = get("/messages").await;
    assert_eq!((&messages[0]["direction"], &messages[1]["status"]), (&json!("inbound"), &json!("undelivered")));
    let (_, log) = get("/log").await;
    let about = &messages[0]["sid"];
    let (at, took) = (&log[0]["at"], &log[0]["took"]);
    assert!(at.as_i64().unwrap() > 0 && took.as_i64().unwrap() >= 0);
    let first = json!({
        "id": 0, "kind": "webhook", "event": "text in", "phone": PHONE, "method": "POST", "target": us.url("/in"), "status": 200, "about": about, "at": at, "took": took,
    });
    assert_eq!(log[0], first);
    assert_eq!(get("/outcome").await.1, json!({PHONE: {"undelivered": 30005}}));
    let (_, account) = get("/account").await;
    assert_eq!((&account["numbers"], &account["hasOperator"]), (&json!([DEFAULT_NUMBER]), &json!(false)));

    assert_eq!(post("/reset", Value::Null).await.0, 204);
    assert_eq!(get("/messages").await.1, json!([]));
    assert_eq!(get("/log").await.1, json!([]));
}

#[tokio::test]
async fn a_page_in_a_browser_cannot_drive_it() {
    let desk = Desk::open().await;
    let url = format!("{}/_simulator/inbound-message", desk.twilio.base_url());
    let body = json!({"from": PHONE, "to": DEFAULT_NUMBER}).to_string();
    let request = desk.client.post(url).header("Content-Type", "text/plain").body(body);
    assert_eq!(request.send().await.unwrap().status().as_u16(), 415);
    assert!(desk.twilio.messages().is_empty());
}
