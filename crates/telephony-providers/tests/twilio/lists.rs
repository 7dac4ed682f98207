//! Lists and look-ups of messages: those sent, those received, and their prices.

use serde_json::{Value, json};
use telephony_domain::delivery::Status;
use telephony_domain::time::{Clock, SystemClock, Timestamp};
use telephony_providers::provider::Provider;

use crate::messages::{CREATED_AT, contact, message, ok};
use crate::stand_in::{ACCOUNT, Api, Reaction};

fn page(messages: &[Value], next: &str) -> Reaction {
    let next = format!("/2010-04-01/Accounts/AC1/Messages.json?Page={next}");
    ok(200, json!({"messages": messages, "next_page_uri": next}))
}

/// Returns an outbound message created and sent at these times within one minute.
fn sent(sid: &str, created: u32, sent: u32) -> Value {
    let mut message = message(sid, "outbound-api", &format!("Sun, 22 Nov 2026 06:32:{created:02} +0000"));
    message["date_sent"] = json!(format!("Sun, 22 Nov 2026 06:32:{sent:02} +0000"));
    message
}

async fn recent(api: &Api, since: Timestamp) -> Vec<String> {
    let listed = api.twilio().recent(&contact(), since).await.unwrap();
    listed.into_iter().map(|message| message.provider_id).collect()
}

#[tokio::test]
async fn recent_messages_are_read_up_to_the_given_age() {
    let first = [
        message("SM5", "outbound-reply", "Sun, 22 Nov 2026 06:33:02 +0000"),
        message("SM4", "inbound", "Sun, 22 Nov 2026 06:33:01 +0000"),
    ];
    let second = [message("SM3", "outbound-api", "Sun, 22 Nov 2026 06:33:00 +0000"), sent("SM2", 59, 59)];
    let old = |next| page(&[sent("SM1", 1, 1)], next);
    let api = Api::start([page(&first, "1"), page(&second, "2"), old("3"), old("4")]).await;
    // Half a second later: SM3 may have been created after it.
    let listed = api.twilio().recent(&contact(), Timestamp(CREATED_AT.0 + 500)).await.unwrap();
    let sids: Vec<_> = listed.iter().map(|message| message.provider_id.as_str()).collect();
    assert_eq!(sids, ["SM5", "SM3"]);
    assert_eq!((listed[1].created, listed[1].text.as_str(), listed[1].price.as_ref()), (CREATED_AT, "Hello", None));
    let heads: Vec<_> = api.asked().into_iter().map(|asked| asked.head).collect();
    assert_eq!(heads.len(), 4, "two pages with nothing new end it");
    assert!(heads[0].starts_with(&format!("GET /2010-04-01/Accounts/{ACCOUNT}/Messages.json?To=%2B15550005678&")));
    assert!(heads[1].starts_with("GET /2010-04-01/Accounts/AC1/Messages.json?Page=1 "));
}

#[tokio::test]
async fn an_older_message_sent_later_hides_no_others() {
    let since = Timestamp(CREATED_AT.0 - 30_000);
    let late = |sid| sent(sid, 1, 59);
    let api = Api::start([
        page(&[late("SM9"), sent("SM8", 40, 58)], "1"),
        page(&[late("SM7"), late("SM6")], "2"),
        page(&[late("SM5"), sent("SM4", 41, 45)], "3"),
        page(&[sent("SM3", 1, 20)], "4"),
        page(&[sent("SM2", 1, 10)], "5"),
    ])
    .await;
    assert_eq!(recent(&api, since).await, ["SM4", "SM8"], "the last that was created is the first");
}

#[tokio::test]
async fn unsent_messages_hide_no_others() {
    let failed = |next| page(&[message("SM9", "outbound-api", "Sun, 22 Nov 2026 06:00:00 +0000")], next);
    let last = json!({"messages": [sent("SM1", 40, 41)], "next_page_uri": null});
    let api = Api::start([failed("1"), failed("2"), failed("3"), ok(200, last)]).await;
    assert_eq!(recent(&api, Timestamp(CREATED_AT.0 - 30_000)).await, ["SM1"]);
}

#[tokio::test]
async fn an_incomplete_list_is_an_error() {
    let page = json!({"messages": [message("SM1", "outbound-api", "some day")], "next_page_uri": null});
    let api = Api::start([ok(200, page)]).await;
    assert!(api.twilio().recent(&contact(), CREATED_AT).await.is_err());
    let page = json!({
        "messages": [message("SM1", "outbound-api", "Sun, 22 Nov 2026 06:33:00 +0000")],
        "next_page_uri": "/2010-04-01/next",
    });
    let api = Api::start([ok(200, page), Reaction::Hangs]).await;
    assert!(api.twilio().recent(&contact(), CREATED_AT).await.is_err());
    let page = json!({"messages": [], "next_page_uri": "http://127.0.0.1:1/elsewhere"});
    let api = Api::start([ok(200, page)]).await;
    assert!(api.twilio().recent(&contact(), CREATED_AT).await.is_err());
    assert_eq!(api.asked().len(), 1);
}

#[tokio::test]
async fn listed_messages_equal_their_webhooks() {
    let inbound = |sid: &str, status: &str, num_media: &str, service: Value| {
        let mut message = message(sid, "inbound", "Sun, 22 Nov 2026 06:33:00 +0000");
        message["from"] = json!("+15550005678");
        message["to"] = json!("+15550001234");
        message["status"] = json!(status);
        message["num_media"] = json!(num_media);
        message["messaging_service_sid"] = service;
        message
    };
    let page = json!({
        "messages": [
            inbound("SM4", "receiving", "1", json!(null)),
            inbound("MM3", "received", "1", json!("MG1")),
            message("SM2", "outbound-api", "Sun, 22 Nov 2026 06:33:00 +0000"),
            inbound("SM1", "received", "0", json!("")),
        ],
        "next_page_uri": null,
    });
    let media = json!({"media_list": [{"sid": "ME1", "content_type": "image/png", "uri": "/elsewhere/ME1.json"}]});
    let api = Api::start([ok(200, page), ok(200, media)]).await;
    let arrivals = api.twilio().received("+15550001234", CREATED_AT).await.unwrap();
    let ids: Vec<_> = arrivals.iter().map(|arrival| arrival.provider_id.as_str()).collect();
    assert_eq!(ids, ["MM3", "SM1"]);
    let picture = &arrivals[0];
    assert_eq!((picture.from.as_str(), picture.to.as_str()), ("+15550005678", "+15550001234"));
    assert_eq!((picture.messaging_service.as_deref(), picture.text.as_str()), (Some("MG1"), "Hello"));
    let url = format!("{}/2010-04-01/Accounts/{ACCOUNT}/Messages/MM3/Media/ME1", api.url());
    assert_eq!((picture.media[0].url.as_str(), picture.media[0].content_type.as_str()), (url.as_str(), "image/png"));
    assert_eq!((arrivals[1].messaging_service.as_deref(), arrivals[1].media.len()), (None, 0));
    assert_eq!(arrivals[1].provider_time, Some(CREATED_AT));
    assert!(api.asked()[0].head.contains("/Messages.json?To=%2B15550001234&"));
    assert!(api.asked()[1].head.contains("/Messages/MM3/Media.json "));
}

#[tokio::test]
async fn listed_messages_get_our_time_if_our_clock_is_ahead() {
    let mut inbound = message("SM1", "inbound", "Sun, 22 Nov 2020 06:33:00 +0000");
    inbound["status"] = json!("received");
    let page = json!({"messages": [inbound], "next_page_uri": null}).to_string();
    let api = Api::start([Reaction::Answer(200, "date: Sun, 22 Nov 2020 06:34:00 GMT\r\n", page)]).await;
    let now = SystemClock.now();
    let arrivals = api.twilio().received("+15550001234", Timestamp(now.0 - 120_000)).await.unwrap();
    let taken = arrivals[0].provider_time.unwrap();
    assert!(taken.0 >= now.0 - 60_000 && taken < SystemClock.now(), "a minute ago, and not years ago: {taken:?}");
}

#[tokio::test]
async fn a_deleted_picture_does_not_delay_its_text() {
    let mut inbound = message("MM1", "inbound", "Sun, 22 Nov 2026 06:33:00 +0000");
    inbound["status"] = json!("received");
    inbound["num_media"] = json!("1");
    let page = json!({"messages": [inbound], "next_page_uri": null});
    let gone = Reaction::Answer(404, "", r#"{"code":20404}"#.to_owned());
    let api = Api::start([ok(200, page), gone]).await;
    let arrivals = api.twilio().received("+15550001234", CREATED_AT).await.unwrap();
    assert_eq!((arrivals.len(), arrivals[0].media.len()), (1, 0));
}

#[tokio::test]
async fn a_delivered_message_has_its_price() {
    let mut delivered = message("SM1", "outbound-api", "Sun, 22 Nov 2026 06:33:00 +0000");
    delivered["status"] = json!("undelivered");
    delivered["error_code"] = json!(30003);
    delivered["price"] = json!("-0.00750");
    delivered["num_segments"] = json!("0");
    let api = Api::start([ok(200, delivered)]).await;
    let listed = api.twilio().fetch("SM1/../x").await.unwrap();
    assert_eq!((listed.status, listed.error_code, listed.segments), (Status::Undelivered, Some(30_003), None));
    assert_eq!(listed.price.map(|price| price.to_string()).as_deref(), Some("0.0075 USD"));
    assert!(api.asked()[0].head.contains("/Messages/SM1%2F%2E%2E%2Fx.json "));
}

#[tokio::test]
async fn prices_are_read_for_all_messages_since_a_time() {
    let priced = |sid: &str, direction: &str, price: Value| {
        let mut message = message(sid, direction, "Sun, 22 Nov 2026 06:33:00 +0000");
        message["price"] = price;
        message
    };
    let first = json!({
        "messages": [priced("SM3", "outbound-api", json!(null)), priced("SM2", "inbound", json!("-0.0075"))],
        "next_page_uri": "/2010-04-01/next",
    });
    let second = json!({"messages": [priced("SM1", "outbound-api", json!("-0.01580"))], "next_page_uri": null});
    let api = Api::start([ok(200, first), ok(200, second)]).await;
    let billed = api.twilio().billed(CREATED_AT).await.unwrap();
    let prices: Vec<_> = billed.iter().map(|billed| format!("{} {}", billed.provider_id, billed.price)).collect();
    assert_eq!(prices, ["SM2 0.0075 USD", "SM1 0.0158 USD"]);
    assert_eq!(billed[0].segments, Some(2));
    let filter = "/Messages.json?DateSent%3E=2026-11-22T06%3A33%3A00Z&PageSize=50 ";
    assert!(api.asked()[0].head.contains(filter), "{}", api.asked()[0].head);
}
