use serde_json::{Value, json};
use twilio_simulator::{DEFAULT_NUMBER, Number, Service, SimulatorConfig};

use crate::desk::{Desk, PHONE, instant};
use crate::receiver::Receiver;

const SERVICE: &str = "MG0123456789abcdef0123456789abcdef";

async fn two_numbers_and_a_service() -> Desk {
    let numbers = vec![Number::new(DEFAULT_NUMBER), Number::new("+15550001235")];
    let services = vec![Service::new(SERVICE, &[DEFAULT_NUMBER])];
    Desk::with(SimulatorConfig { numbers, services, ..instant() }).await
}

#[tokio::test]
async fn numbers_are_listed_in_pages_and_by_number() {
    let desk = two_numbers_and_a_service().await;
    let first = desk.get(&desk.account("/IncomingPhoneNumbers.json?PageSize=1")).await;
    let second = desk.get(first.text("next_page_uri")).await;
    assert_eq!(first.json["incoming_phone_numbers"][0]["phone_number"], DEFAULT_NUMBER);
    assert_eq!(second.json["incoming_phone_numbers"][0]["phone_number"], "+15550001235");
    assert_eq!(second.json["next_page_uri"], Value::Null);
    let found = desk.get(&desk.account("/IncomingPhoneNumbers.json?PhoneNumber=%2B15550001235")).await;
    let found = found.json["incoming_phone_numbers"].as_array().unwrap().clone();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["capabilities"]["sms"], true);
    assert_eq!((&found[0]["sms_url"], &found[0]["sms_method"]), (&json!(""), &json!("POST")));
}

#[tokio::test]
async fn a_changed_sms_url_hears_the_next_text() {
    let desk = Desk::open().await;
    let mut us = Receiver::open().await;
    let list = desk.get(&desk.account("/IncomingPhoneNumbers.json")).await;
    let path = list.json["incoming_phone_numbers"][0]["uri"].as_str().unwrap().to_owned();
    let url = us.url("/new");
    let changed = desk.post(&path, &[("SmsUrl", &url), ("VoiceUrl", "")]).await;
    assert_eq!((changed.text("sms_url"), changed.text("voice_url")), (url.as_str(), ""));
    assert_eq!(desk.get(&path).await.text("sms_url"), url);
    desk.twilio.text(PHONE, DEFAULT_NUMBER, "Hello").await.unwrap();
    assert_eq!(us.next().await.target, "/new");
    let refused = desk.post(&path, &[("SmsUrl", "nonsense")]).await;
    assert_eq!((refused.status, refused.json["code"].as_u64()), (400, Some(21402)));
    assert_eq!(desk.get(&path).await.text("sms_url"), url);
}

#[tokio::test]
async fn a_number_set_to_get_asks_with_everything_in_a_signed_query() {
    let desk = Desk::open().await;
    let mut us = Receiver::open().await;
    let list = desk.get(&desk.account("/IncomingPhoneNumbers.json")).await;
    let path = list.json["incoming_phone_numbers"][0]["uri"].as_str().unwrap().to_owned();
    let url = us.url("/in?x=1");
    desk.post(&path, &[("SmsUrl", &url), ("SmsMethod", "GET")]).await;
    desk.twilio.text(PHONE, DEFAULT_NUMBER, "a b").await.unwrap();
    let hook = us.next().await;
    assert!(hook.target.starts_with("/in?x=1&") && hook.target.contains("&Body=a+b&"), "{}", hook.target);
    assert!(hook.form.is_empty());
    assert_eq!(hook.header("x-twilio-signature"), hook.signature(desk.twilio.auth_token(), &us.url(&hook.target)));
}

#[tokio::test]
async fn services_are_listed_fetched_and_changed() {
    let desk = two_numbers_and_a_service().await;
    let list = desk.get("/v1/Services").await;
    assert_eq!(list.json["services"][0]["sid"], SERVICE);
    assert_eq!(list.json["meta"]["key"], "services");
    assert_eq!(list.json["meta"]["next_page_url"], Value::Null);
    let numbers = desk.get(&format!("/v1/Services/{SERVICE}/PhoneNumbers")).await;
    assert_eq!(numbers.json["phone_numbers"][0]["phone_number"], DEFAULT_NUMBER);
    let form = [("InboundRequestUrl", "http://127.0.0.1:1/x"), ("UseInboundWebhookOnNumber", "false")];
    let changed = desk.post(&format!("/v1/Services/{SERVICE}"), &form).await;
    assert_eq!(changed.text("inbound_request_url"), "http://127.0.0.1:1/x");
    assert_eq!(changed.json["use_inbound_webhook_on_number"], false);
    assert_eq!(desk.get("/v1/Services/MGnone").await.status, 404);
}

#[tokio::test]
async fn a_service_without_any_url_drops_texts_silently() {
    let mut us = Receiver::open().await;
    let service = Service { use_inbound_webhook_on_number: false, ..Service::new(SERVICE, &[DEFAULT_NUMBER]) };
    let numbers = vec![Number::new(DEFAULT_NUMBER).sms_url(&us.url("/number"))];
    let desk = Desk::with(SimulatorConfig { numbers, services: vec![service], ..instant() }).await;
    let dropped = desk.twilio.text(PHONE, DEFAULT_NUMBER, "lost").await.unwrap();
    assert_eq!((dropped.attempts, dropped.alert), (0, None));
    let url = us.url("/service");
    desk.post(&format!("/v1/Services/{SERVICE}"), &[("InboundRequestUrl", &url)]).await;
    desk.twilio.text(PHONE, DEFAULT_NUMBER, "heard").await.unwrap();
    let heard = us.next().await;
    assert_eq!((heard.target.as_str(), heard.get("MessagingServiceSid")), ("/service", SERVICE));
    assert_eq!(desk.twilio.messages().len(), 2);
}
