//! The account's numbers, state and balance, and the messages that it keeps: listed by contact, and deleted.

use serde_json::{Value, json};
use telephony_providers::checks::{AccountState, Checks};
use telephony_providers::provider::{Deletion, MessagesWith, Provider, StoredMessage};

use crate::messages::{contact, message, ok, sender};
use crate::stand_in::{ACCOUNT, Api, Reaction};

#[tokio::test]
async fn a_number_is_ours_only_if_it_is_exactly_that_number() {
    let numbers = |number: &str| {
        let entry = json!({"sid": "PN1", "phone_number": number, "sms_url": "", "capabilities": {"sms": true}});
        ok(200, json!({"incoming_phone_numbers": [entry]}))
    };
    let api = Api::start([numbers("+15550001234"), numbers("+155500012345")]).await;
    let twilio = api.twilio();
    assert!(twilio.owns("+15550001234").await.unwrap());
    assert!(!twilio.owns("+15550001234").await.unwrap());
}

#[tokio::test]
async fn state_and_balance_are_read_and_a_call_is_ended() {
    let api = Api::start([
        ok(200, json!({"status": "active", "type": "Trial", "auth_token": "token"})),
        ok(200, json!({"account_sid": ACCOUNT, "balance": "0.05", "currency": "USD"})),
        ok(200, json!({"sid": "CA1", "status": "completed"})),
    ])
    .await;
    let twilio = api.twilio();
    let state = twilio.account_state().await.unwrap();
    assert_eq!(state, AccountState { is_active: true, is_trial: true, status: "active".to_owned() });
    let balance = twilio.rest().balance().await.unwrap();
    assert_eq!(balance.to_string(), "0.05 USD");
    twilio.rest().end_call("CA1").await.unwrap();
    let asked = api.asked();
    assert!(asked[0].head.starts_with(&format!("GET /2010-04-01/Accounts/{ACCOUNT}.json ")));
    assert!(asked[2].head.contains("/Calls/CA1.json ") && asked[2].body == "Status=completed");
}

#[tokio::test]
async fn a_message_is_deleted_with_its_attachments_and_a_missing_one_counts_as_deleted() {
    let gone = || Reaction::Answer(204, "", String::new());
    let missing = || ok(404, json!({"code": 20404, "message": "not found", "status": 404}));
    let media = |sids: &[&str]| {
        let files: Vec<Value> = sids.iter().map(|sid| json!({"sid": sid, "content_type": "image/png"})).collect();
        ok(200, json!({"media_list": files}))
    };
    let api = Api::start([media(&["ME1", "ME2"]), gone(), missing(), media(&[]), gone()]).await;
    assert_eq!(api.twilio().delete("MM1", true).await, Ok(Deletion::Gone));
    let asked: Vec<_> = api.asked().iter().map(|asked| asked.head.lines().next().unwrap().to_owned()).collect();
    let base = format!("/2010-04-01/Accounts/{ACCOUNT}/Messages/MM1");
    let expected = [
        format!("GET {base}/Media.json HTTP/1.1"),
        format!("DELETE {base}/Media/ME1.json HTTP/1.1"),
        format!("DELETE {base}/Media/ME2.json HTTP/1.1"),
        format!("GET {base}/Media.json HTTP/1.1"),
        format!("DELETE {base}.json HTTP/1.1"),
    ];
    assert_eq!(asked, expected);
    let api = Api::start([missing()]).await;
    assert_eq!(api.twilio().delete("SM1", false).await, Ok(Deletion::Gone));
}

#[tokio::test]
async fn a_message_in_transit_cannot_be_deleted_yet() {
    let api = Api::start([ok(409, json!({"code": 20009, "message": "still being sent", "status": 409}))]).await;
    assert_eq!(api.twilio().delete("SM1", false).await, Ok(Deletion::TooEarly));
    let api = Api::start([ok(401, json!({"code": 20003, "message": "no", "status": 401}))]).await;
    assert_eq!(api.twilio().delete("SM1", false).await.unwrap_err().code(), Some(20003));
}

#[tokio::test]
async fn messages_with_a_contact_are_listed_both_ways_up_to_the_limit() {
    let of = |sid: &str, ours: &str, num_media: &str| {
        let mut message = message(sid, "any", "Sun, 22 Nov 2026 06:33:00 +0000");
        (message["from"], message["to"]) = (json!(ours), json!(ours));
        message["num_media"] = json!(num_media);
        message["messaging_service_sid"] = json!(if sid == "SM3" { "MG1" } else { "" });
        message
    };
    let page = |messages: &[Value], next: Value| ok(200, json!({"messages": messages, "next_page_uri": next}));
    let pages = || {
        [
            page(&[of("MM1", "+15550001234", "1")], json!("/2010-04-01/Accounts/AC1/Messages.json?Page=1")),
            page(&[of("SM2", "+15550001234", "0")], json!(null)),
            page(&[of("SM3", "", "0")], json!("")),
        ]
    };
    let api = Api::start(pages()).await;
    let found = api.twilio().messages_with(&contact(), 2).await.unwrap();
    let letter = |sid: &str, is_from_contact, ours: Option<&str>, messaging_service: Option<&str>| StoredMessage {
        provider_id: sid.to_owned(),
        is_from_contact,
        ours: ours.map(str::to_owned),
        messaging_service: messaging_service.map(str::to_owned),
        has_media: sid == "MM1",
    };
    let ours = Some("+15550001234");
    let messages =
        [letter("MM1", true, ours, None), letter("SM2", true, ours, None), letter("SM3", false, None, Some("MG1"))];
    assert_eq!(found, MessagesWith { messages: messages.to_vec(), is_complete: true });
    let asked: Vec<_> = api.asked().iter().map(|asked| asked.head.lines().next().unwrap().to_owned()).collect();
    assert!(asked[0].contains("Messages.json?From=%2B15550005678&PageSize=50 "), "{asked:?}");
    assert!(asked[1].contains("Page=1 ") && asked[2].contains("?To=%2B15550005678&"), "{asked:?}");
    let [first, _, last] = pages();
    let api = Api::start([first, last]).await;
    let found = api.twilio().messages_with(&contact(), 1).await.unwrap();
    assert_eq!((found.messages.len(), found.is_complete), (2, false));
}

#[tokio::test]
async fn a_deleted_messaging_service_has_no_numbers() {
    let missing = json!({"code": 20404, "message": "The requested resource was not found", "status": 404});
    let api = Api::start([ok(404, missing)]).await;
    let numbers = api.twilio().numbers_of(&sender(Some("MG1"))).await;
    assert_eq!(numbers, Ok(vec!["+15550001234".to_owned()]));
}
