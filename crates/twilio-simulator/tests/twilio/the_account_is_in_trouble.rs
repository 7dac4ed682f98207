//! Account problems that an operator's checks find at Twilio: a suspended account, overridden numbers, a missing
//! product, old alerts.

use std::time::Duration;

use serde_json::{Value, json};
use twilio_simulator::{
    AccountSettings, AccountStatus, AccountType, AlertRecord, ApiKey, DEFAULT_NUMBER, Number, NumberCapabilities,
    Service, SimulatorConfig,
};

use crate::desk::{Desk, PHONE, control, instant};
use crate::receiver::Receiver;

const SERVICE: &str = "MG0123456789abcdef0123456789abcdef";

#[tokio::test]
async fn a_suspended_account_can_only_read_itself() {
    let mut us = Receiver::open().await;
    let desk = Desk::open().await;
    desk.twilio.set_sms_url(DEFAULT_NUMBER, &us.url("/in")).unwrap();
    desk.twilio.set_account(AccountSettings { status: AccountStatus::Suspended, ..AccountSettings::default() });
    assert_eq!(desk.get(&desk.account(".json")).await.text("status"), "suspended");
    let refused = desk.send("Hello").await;
    assert_eq!((refused.status, refused.json["code"].as_u64()), (401, Some(20005)));
    assert_eq!(desk.get("/v1/Alerts").await.status, 401);
    assert_eq!(desk.twilio.text(PHONE, DEFAULT_NUMBER, "Hello").await.unwrap().attempts, 0);
    assert!(us.pending().is_none());
}

#[tokio::test]
async fn a_trial_account_shows_its_type_balance_and_verified_numbers() {
    let account = AccountSettings {
        account_type: AccountType::Trial,
        balance: "0.05".to_owned(),
        verified_numbers: vec![PHONE.to_owned()],
        ..AccountSettings::default()
    };
    let desk = Desk::with(SimulatorConfig { account, ..instant() }).await;
    assert_eq!(desk.get(&desk.account(".json")).await.text("type"), "Trial");
    assert_eq!(desk.get(&desk.account("/Balance.json")).await.text("balance"), "0.05");
    let verified = desk.get(&desk.account("/OutgoingCallerIds.json")).await;
    assert_eq!(verified.json["outgoing_caller_ids"][0]["phone_number"], PHONE);
}

#[tokio::test]
async fn a_standard_key_cannot_read_accounts_and_keys() {
    let key = ApiKey { sid: "SK0123456789abcdef0123456789abcdef".to_owned(), secret: "secret".to_owned() };
    let mut desk = Desk::with(SimulatorConfig { api_keys: vec![key.clone()], ..instant() }).await;
    assert_eq!(desk.get(&desk.account("/Keys.json")).await.json["keys"][0]["sid"], key.sid);
    desk.credentials = (key.sid, key.secret);
    for path in [desk.account(".json"), desk.account("/Keys.json"), "/2010-04-01/Accounts.json".to_owned()] {
        let refused = desk.get(&path).await;
        assert_eq!((refused.status, refused.json["code"].as_u64()), (401, Some(20003)), "{path}");
    }
    for path in [desk.account("/Balance.json"), desk.account("/IncomingPhoneNumbers.json?PageSize=1")] {
        assert_eq!(desk.get(&path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn an_application_or_trunk_takes_texts_and_calls_away_from_the_urls() {
    let mut us = Receiver::open().await;
    let number = || Number::new(DEFAULT_NUMBER).sms_url(&us.url("/sms")).voice_url(&us.url("/voice"));
    let plain = number();
    let overridden =
        [number().sms_application("AP1").voice_application("AP2"), number().trunk("TK1").sms_application("AP1")];
    for number in overridden {
        let desk = Desk::with(SimulatorConfig { numbers: vec![number], ..instant() }).await;
        assert_eq!(desk.twilio.text(PHONE, DEFAULT_NUMBER, "Hello").await.unwrap().attempts, 0);
        assert_eq!(desk.twilio.call(PHONE, DEFAULT_NUMBER).await.unwrap().attempts, 0);
    }
    assert!(us.pending().is_none());
    let desk = Desk::with(SimulatorConfig { numbers: vec![plain], ..instant() }).await;
    let listed = desk.get(&desk.account("/IncomingPhoneNumbers.json")).await.json["incoming_phone_numbers"][0].clone();
    for field in ["sms_application_sid", "voice_application_sid", "trunk_sid"] {
        assert_eq!(listed[field], "", "{field}");
    }
    let path = listed["uri"].as_str().unwrap();
    assert_eq!(desk.post(path, &[("SmsApplicationSid", "AP1")]).await.text("sms_application_sid"), "AP1");
    assert_eq!(desk.twilio.text(PHONE, DEFAULT_NUMBER, "Hello").await.unwrap().attempts, 0);
    desk.post(path, &[("SmsApplicationSid", "")]).await;
    desk.twilio.text(PHONE, DEFAULT_NUMBER, "Hello").await.unwrap();
    assert_eq!(us.next().await.target, "/sms");
}

#[tokio::test]
async fn a_voice_only_number_cannot_text() {
    let voice = NumberCapabilities { sms: false, mms: false, voice: true };
    let numbers = vec![Number::new(DEFAULT_NUMBER).capabilities(voice)];
    let desk = Desk::with(SimulatorConfig { numbers, ..instant() }).await;
    assert_eq!(desk.send("Hello").await.json["code"], 21606);
    let listed = desk.get(&desk.account("/IncomingPhoneNumbers.json")).await;
    let able = &listed.json["incoming_phone_numbers"][0]["capabilities"];
    assert_eq!((&able["sms"], &able["mms"], &able["voice"]), (&json!(false), &json!(false), &json!(true)));
}

#[tokio::test]
async fn a_disabled_product_is_not_found() {
    let desk = Desk::open().await;
    desk.twilio.set_missing(&["/v1/Alerts", "/Balance"]);
    for path in ["/v1/Alerts".to_owned(), "/v1/Alerts/NO1".to_owned(), desk.account("/Balance.json")] {
        let answer = desk.get(&path).await;
        assert_eq!((answer.status, answer.json["code"].as_u64()), (404, Some(20404)), "{path}");
    }
    assert_eq!(desk.get("/v1/Services").await.status, 200);
    desk.twilio.set_missing(&[]);
    assert_eq!(desk.get("/v1/Alerts").await.status, 200);
}

#[tokio::test]
async fn alerts_are_listed_by_day_and_shown_with_details() {
    let us = Receiver::open().await;
    let desk = Desk::open().await;
    let month = Duration::from_secs(20 * 24 * 60 * 60);
    let old = AlertRecord::new(11205, "unreachable", "https://example.com/in");
    desk.twilio.add_alert(AlertRecord { at: old.at - month, ..old });
    desk.twilio.set_sms_url(DEFAULT_NUMBER, &us.url("/in")).unwrap();
    us.answers(200, "text/plain", "not XML");
    desk.twilio.text(PHONE, DEFAULT_NUMBER, "Hello there").await.unwrap();
    let all = desk.get("/v1/Alerts").await;
    let codes: Vec<&Value> = all.json["alerts"].as_array().unwrap().iter().map(|alert| &alert["error_code"]).collect();
    assert_eq!(codes, ["12300", "11205"]);
    assert_eq!(all.json["alerts"][0].get("response_body"), None);
    let today = jiff::Timestamp::now().strftime("%F");
    let recent = desk.get(&format!("/v1/Alerts?StartDate={today}&LogLevel=error")).await;
    assert_eq!(recent.json["alerts"].as_array().unwrap().len(), 1);
    assert_eq!(desk.get("/v1/Alerts?LogLevel=warning").await.json["alerts"], json!([]));
    assert_eq!(desk.get("/v1/Alerts?StartDate=soon").await.status, 400);
    let sid = recent.json["alerts"][0]["sid"].as_str().unwrap().to_owned();
    let one = desk.get(&format!("/v1/Alerts/{sid}")).await;
    assert_eq!(one.text("response_body"), "not XML");
    assert!(one.text("request_variables").contains("Body=Hello+there"));
}

#[tokio::test]
async fn the_campaign_of_a_service_is_listed() {
    let service = Service { campaign_status: Some("FAILED".to_owned()), ..Service::new(SERVICE, &[DEFAULT_NUMBER]) };
    let desk = Desk::with(SimulatorConfig { services: vec![service], ..instant() }).await;
    let path = format!("/v1/Services/{SERVICE}");
    let campaigns = desk.get(&format!("{path}/Compliance/Usa2p")).await;
    let campaign = &campaigns.json["compliance"][0];
    assert_eq!((&campaign["campaign_status"], &campaign["errors"][0]["error_code"]), (&json!("FAILED"), &json!(30894)));
    assert_eq!(desk.get(&path).await.json["us_app_to_person_registered"], false);
    control(&desk, "/services", json!({"sid": SERVICE, "campaign": "VERIFIED"})).await;
    assert_eq!(desk.get(&path).await.json["us_app_to_person_registered"], true);
    let other = "MG00000000000000000000000000000002";
    control(&desk, "/services", json!({"sid": other, "numbers": [DEFAULT_NUMBER]})).await;
    let none = desk.get(&format!("/v1/Services/{other}/Compliance/Usa2p")).await;
    assert_eq!(none.json["compliance"], json!([]));
}

#[tokio::test]
async fn a_service_has_its_own_fallback() {
    let mut us = Receiver::open().await;
    let service = Service {
        inbound_request_url: Some(us.url("/service")),
        use_inbound_webhook_on_number: false,
        ..Service::new(SERVICE, &[DEFAULT_NUMBER])
    };
    let numbers = vec![Number::new(DEFAULT_NUMBER).sms_fallback_url(&us.url("/wrong"))];
    let desk = Desk::with(SimulatorConfig { numbers, services: vec![service], ..instant() }).await;
    let url = us.url("/fallback");
    assert_eq!(desk.post(&format!("/v1/Services/{SERVICE}"), &[("FallbackUrl", &url)]).await.text("fallback_url"), url);
    us.answers(500, "text/xml", "");
    desk.twilio.text(PHONE, DEFAULT_NUMBER, "Hello").await.unwrap();
    assert_eq!(us.next().await.target, "/service");
    assert_eq!(us.next().await.target, "/fallback");
}

#[tokio::test]
async fn the_account_is_configured_over_http() {
    let desk = Desk::open().await;
    let other = "+15550001299";
    let change = json!({"type": "Trial", "balance": "1.00", "verified": [PHONE]});
    assert_eq!(control(&desk, "/account", change).await.0, 204);
    assert_eq!(desk.get(&desk.account("/Balance.json")).await.text("balance"), "1.00");
    assert_eq!(desk.get(&desk.account(".json")).await.text("status"), "active");
    let number = json!({
        "number": other, "capabilities": {"mms": false}, "settings": {"SmsUrl": "http://127.0.0.1:1/x", "TrunkSid": "TK1"},
    });
    let (status, shown) = control(&desk, "/numbers", number).await;
    assert_eq!((status, &shown["trunk_sid"], &shown["capabilities"]["mms"]), (200, &json!("TK1"), &json!(false)));
    control(&desk, "/numbers", json!({"number": other, "settings": {"TrunkSid": ""}})).await;
    let found = desk.get(&desk.account("/IncomingPhoneNumbers.json?PhoneNumber=%2B15550001299")).await;
    let found = found.json["incoming_phone_numbers"].as_array().unwrap().clone();
    assert_eq!(
        (found.len(), &found[0]["trunk_sid"], &found[0]["sms_url"]),
        (1, &json!(""), &json!("http://127.0.0.1:1/x"))
    );
    let alert = json!({"code": 11200, "text": "HTTP 502", "url": "https://example.com/in", "about": "SM1"});
    let (_, added) = control(&desk, "/alerts", alert).await;
    assert_eq!(desk.get("/v1/Alerts").await.json["alerts"][0]["sid"], added["sid"]);
    assert_eq!(control(&desk, "/missing", json!(["/v1/Services"])).await.0, 204);
    assert_eq!(desk.get("/v1/Services").await.status, 404);
    assert_eq!(control(&desk, "/account", json!({"status": "closed"})).await.0, 204);
    assert_eq!(desk.get(&desk.account(".json")).await.text("status"), "closed");
}
