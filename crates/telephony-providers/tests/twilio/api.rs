//! Sending and lookups through Twilio's API, and the meaning of its errors.

use crate::stand_in::{ACCOUNT, Api, Reaction, account_at, twilio_at};
use secrecy::SecretString;
use serde_json::{Value, json};
use telephony_domain::delivery::Status;
use telephony_domain::line::Sender;
use telephony_domain::number::PhoneNumber;
use telephony_domain::retry::Disposition;
use telephony_domain::time::{Clock, SystemClock, Timestamp};
use telephony_providers::provider::{Deletion, MessagesWith, Outgoing, Provider, ProviderError, StoredMessage};
use telephony_providers::route::Routes;
use telephony_providers::twilio::Twilio;

/// 2026-11-22T06:33:00Z.
const NOON: Timestamp = Timestamp(1_795_329_180_000);

fn ok(status: u16, body: Value) -> Reaction {
    Reaction::Answer(status, "content-type: application/json\r\n", body.to_string())
}

fn message(sid: &str, direction: &str, date: &str) -> Value {
    json!({
        "sid": sid, "status": "queued", "direction": direction, "body": "Hello", "date_created": date,
        "date_sent": null, "num_segments": "2", "error_code": null, "price": null, "price_unit": "USD", "new": {},
    })
}

fn created() -> Reaction {
    ok(201, message("SM1", "outbound-api", "Sun, 22 Nov 2026 06:33:00 +0000"))
}

fn contact() -> PhoneNumber {
    "+15550005678".parse().unwrap()
}

fn sender(service: Option<&str>) -> Sender {
    Sender { number: "+15550001234".parse().ok(), messaging_service: service.map(str::to_owned) }
}

async fn send(twilio: &Twilio) -> Result<telephony_domain::delivery::Receipt, ProviderError> {
    let (from, to) = (sender(None), contact());
    let part =
        Outgoing { from: &from, to: &to, text: "Hello & goodbye", media: &[], correlation_id: "p1", status_url: None };
    twilio.send(part).await
}

async fn disposition_after(reaction: Reaction) -> Disposition {
    let api = Api::start([reaction]).await;
    let error = send(&api.twilio()).await.unwrap_err();
    assert_eq!(api.asked().len(), 1, "nothing may be repeated by itself");
    error.disposition()
}

#[tokio::test]
async fn a_message_leaves_with_all_that_twilio_needs() {
    let api = Api::start([created()]).await;
    let (from, to) = (sender(None), contact());
    let media = ["https://a.b/1.png".to_owned(), "https://a.b/2.png".to_owned()];
    let status_url = Some("https://a.b/telephony/status");
    let part = Outgoing { from: &from, to: &to, text: "Grüße", media: &media, correlation_id: "p1", status_url };
    let receipt = api.twilio().send(part).await.unwrap();
    assert_eq!((receipt.provider_id.as_str(), receipt.status, receipt.segments), ("SM1", Status::Queued, Some(2)));

    let asked = &api.asked()[0];
    let head = asked.head.to_ascii_lowercase();
    assert!(asked.head.starts_with(&format!("POST /2010-04-01/Accounts/{ACCOUNT}/Messages.json HTTP/1.1")));
    assert!(head.contains("content-type: application/x-www-form-urlencoded"), "{head}");
    assert!(head.contains("authorization: basic "), "{head}");
    let pairs: Vec<_> = form_urlencoded::parse(asked.body.as_bytes()).into_owned().collect();
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let expected = [
        ("To", "+15550005678"),
        ("From", "+15550001234"),
        ("Body", "Grüße"),
        ("MediaUrl", "https://a.b/1.png"),
        ("MediaUrl", "https://a.b/2.png"),
        ("StatusCallback", "https://a.b/telephony/status?part=p1#rc=3"),
    ];
    assert_eq!(pairs, expected);
}

#[tokio::test]
async fn an_answer_with_a_sid_says_that_it_was_sent_whatever_else_it_lacks() {
    for body in [json!({"sid": "SM1"}), json!({"sid": "SM1", "status": "new", "num_segments": 2, "num_media": 0})] {
        let api = Api::start([ok(201, body)]).await;
        let receipt = send(&api.twilio()).await.unwrap();
        assert_eq!((receipt.provider_id.as_str(), receipt.status), ("SM1", Status::Accepted));
    }
}

#[tokio::test]
async fn a_message_that_has_failed_already_is_taken_and_a_report_says_why() {
    for status in ["failed", "undelivered", "canceled"] {
        let mut failed = message("SM1", "outbound-api", "Sun, 22 Nov 2026 06:33:00 +0000");
        failed["status"] = json!(status);
        failed["error_code"] = json!(21610);
        let api = Api::start([ok(201, failed.clone()), ok(200, failed)]).await;
        let receipt = send(&api.twilio()).await.unwrap();
        assert_eq!(receipt.status, Status::Accepted, "a final status without its code would be the last word");
        let listed = api.twilio().fetch("SM1").await.unwrap();
        assert!(listed.status.is_failure() && listed.is_opt_out);
    }
}

#[tokio::test]
async fn a_messaging_service_wins_over_the_number() {
    let api = Api::start([created()]).await;
    let (from, to) = (sender(Some("MG1")), contact());
    let part = Outgoing { from: &from, to: &to, text: "x", media: &[], correlation_id: "p1", status_url: None };
    api.twilio().send(part).await.unwrap();
    assert_eq!(api.asked()[0].body, "To=%2B15550005678&MessagingServiceSid=MG1&Body=x");
}

#[tokio::test]
async fn an_api_key_signs_in_instead_of_the_token() {
    let api = Api::start([created()]).await;
    let mut account = account_at(&api.url());
    account.api_key = Some(("SK1".to_owned(), SecretString::from("key secret")));
    send(&Twilio::new(account)).await.unwrap();
    let head = api.asked()[0].head.clone();
    assert!(head.contains("Basic U0sxOmtleSBzZWNyZXQ="), "{head}");
    assert!(head.contains(ACCOUNT), "the account stays in the path: {head}");
}

#[tokio::test]
async fn nothing_listens_so_nothing_was_sent() {
    let url = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let error = send(&twilio_at(&url)).await.unwrap_err();
    assert!(matches!(error, ProviderError::Unreachable { .. }), "{error}");
    let error = send(&twilio_at("http://no-such-host.invalid")).await.unwrap_err();
    assert!(matches!(error, ProviderError::Unreachable { .. }), "{error}");
    assert_eq!(error.disposition(), Disposition::Retry { after: None });
}

#[tokio::test]
async fn a_server_without_tls_gets_nothing_through_a_tls_url() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || drop(listener.accept()));
    let error = send(&twilio_at(&url)).await.unwrap_err();
    assert!(matches!(error, ProviderError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn an_answer_that_does_not_come_leaves_the_outcome_open() {
    for reaction in [
        Reaction::Hangs,
        Reaction::Answer(201, "", "{\"sid\":".to_owned()),
        Reaction::Answer(200, "", "<html>".to_owned()),
        Reaction::Answer(500, "", String::new()),
        Reaction::Answer(502, "", "<html>".to_owned()),
        Reaction::Answer(503, "retry-after: 1\r\n", r#"{"code":20503}"#.to_owned()),
    ] {
        assert_eq!(disposition_after(reaction).await, Disposition::Unknown);
    }
}

#[tokio::test]
async fn twilio_takes_longer_than_we_wait() {
    let api = Api::start([Reaction::Sleeps]).await;
    let error = send(&api.impatient_twilio()).await.unwrap_err();
    assert!(matches!(error, ProviderError::NoAnswer { .. }), "{error}");
    assert_eq!(error.disposition(), Disposition::Unknown);
}

#[tokio::test]
async fn twilio_says_429_and_when_to_come_back() {
    let busy = Reaction::Answer(429, "retry-after: 9\r\n", r#"{"code":20429}"#.to_owned());
    let wait = Some(std::time::Duration::from_secs(9));
    assert_eq!(disposition_after(busy).await, Disposition::Retry { after: wait });
}

#[tokio::test]
async fn twilio_refuses_for_good() {
    for body in [r#"{"code":21610}"#, r#"{"code":29999}"#] {
        assert_eq!(disposition_after(Reaction::Answer(400, "", body.to_owned())).await, Disposition::GiveUp);
    }
}

/// The disposition after a rejection that does not come from Twilio.
const IN_TEN_MINUTES: Disposition = Disposition::Retry { after: Some(std::time::Duration::from_secs(600)) };

#[tokio::test]
async fn a_proxy_refuses_in_twilios_place() {
    for (status, body) in
        [(403, "<html>"), (404, ""), (407, r#"{"message":"who are you?"}"#), (413, r#"{"code":null}"#)]
    {
        assert_eq!(disposition_after(Reaction::Answer(status, "", body.to_owned())).await, IN_TEN_MINUTES);
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Reaction::Answer(307, "location: http://127.0.0.1:1/\r\n", String::new());
    assert_eq!(disposition_after(elsewhere).await, IN_TEN_MINUTES);
}

#[tokio::test]
async fn routes_that_a_proxy_refuses_are_not_taken_for_missing() {
    for status in [401, 403, 404] {
        for service in [None, Some("MG1")] {
            let refused = || Reaction::Answer(status, "", "<html>no</html>".to_owned());
            let api = Api::start([refused(), refused(), refused()]).await;
            let routes = api.twilio().routes(&sender(service), None).await;
            assert!(
                matches!(routes, Err(ProviderError::Refused { code: None, .. })),
                "{status} {service:?}: {routes:?}"
            );
            let route = api.twilio().route(service.unwrap_or("PN1")).await;
            assert!(matches!(route, Err(ProviderError::Refused { code: None, .. })), "{status} {service:?}: {route:?}");
        }
    }
}

#[tokio::test]
async fn an_error_shows_neither_token_nor_number_nor_text() {
    for reaction in [Reaction::Hangs, Reaction::Answer(400, "", r#"{"message":"+15550005678 is bad"}"#.to_owned())] {
        let api = Api::start([reaction]).await;
        let twilio = api.twilio();
        let error = send(&twilio).await.unwrap_err();
        let shown = format!("{error} {error:?} {} {twilio:?}", error.hint());
        for secret in ["token\"", "5550005678", "goodbye"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

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
async fn recent_messages_are_ours_and_read_until_they_are_older_than_asked() {
    let first = [
        message("SM5", "outbound-reply", "Sun, 22 Nov 2026 06:33:02 +0000"),
        message("SM4", "inbound", "Sun, 22 Nov 2026 06:33:01 +0000"),
    ];
    let second = [message("SM3", "outbound-api", "Sun, 22 Nov 2026 06:33:00 +0000"), sent("SM2", 59, 59)];
    let old = |next| page(&[sent("SM1", 1, 1)], next);
    let api = Api::start([page(&first, "1"), page(&second, "2"), old("3"), old("4")]).await;
    // Half a second later: SM3 may have been created after it.
    let listed = api.twilio().recent(&contact(), Timestamp(NOON.0 + 500)).await.unwrap();
    let sids: Vec<_> = listed.iter().map(|message| message.provider_id.as_str()).collect();
    assert_eq!(sids, ["SM5", "SM3"]);
    assert_eq!((listed[1].created, listed[1].text.as_str(), listed[1].price.as_ref()), (NOON, "Hello", None));
    let heads: Vec<_> = api.asked().into_iter().map(|asked| asked.head).collect();
    assert_eq!(heads.len(), 4, "two pages with nothing new end it");
    assert!(heads[0].starts_with(&format!("GET /2010-04-01/Accounts/{ACCOUNT}/Messages.json?To=%2B15550005678&")));
    assert!(heads[1].starts_with("GET /2010-04-01/Accounts/AC1/Messages.json?Page=1 "));
}

#[tokio::test]
async fn what_was_created_before_and_sent_after_hides_nothing_that_stands_behind_it() {
    let since = Timestamp(NOON.0 - 30_000);
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
async fn what_was_never_sent_stands_before_all_others_and_hides_none_of_them() {
    let failed = |next| page(&[message("SM9", "outbound-api", "Sun, 22 Nov 2026 06:00:00 +0000")], next);
    let last = json!({"messages": [sent("SM1", 40, 41)], "next_page_uri": null});
    let api = Api::start([failed("1"), failed("2"), failed("3"), ok(200, last)]).await;
    assert_eq!(recent(&api, Timestamp(NOON.0 - 30_000)).await, ["SM1"]);
}

#[tokio::test]
async fn a_list_that_cannot_be_read_to_its_end_is_no_list() {
    let page = json!({"messages": [message("SM1", "outbound-api", "some day")], "next_page_uri": null});
    let api = Api::start([ok(200, page)]).await;
    assert!(api.twilio().recent(&contact(), NOON).await.is_err());
    let page = json!({
        "messages": [message("SM1", "outbound-api", "Sun, 22 Nov 2026 06:33:00 +0000")],
        "next_page_uri": "/2010-04-01/next",
    });
    let api = Api::start([ok(200, page), Reaction::Hangs]).await;
    assert!(api.twilio().recent(&contact(), NOON).await.is_err());
    let page = json!({"messages": [], "next_page_uri": "http://127.0.0.1:1/elsewhere"});
    let api = Api::start([ok(200, page)]).await;
    assert!(api.twilio().recent(&contact(), NOON).await.is_err());
    assert_eq!(api.asked().len(), 1);
}

#[tokio::test]
async fn received_messages_are_read_as_their_webhooks_would_have_been() {
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
    let arrivals = api.twilio().received("+15550001234", NOON).await.unwrap();
    let ids: Vec<_> = arrivals.iter().map(|arrival| arrival.provider_id.as_str()).collect();
    assert_eq!(ids, ["MM3", "SM1"]);
    let picture = &arrivals[0];
    assert_eq!((picture.from.as_str(), picture.to.as_str()), ("+15550005678", "+15550001234"));
    assert_eq!((picture.messaging_service.as_deref(), picture.text.as_str()), (Some("MG1"), "Hello"));
    let url = format!("{}/2010-04-01/Accounts/{ACCOUNT}/Messages/MM3/Media/ME1", api.url());
    assert_eq!((picture.media[0].url.as_str(), picture.media[0].content_type.as_str()), (url.as_str(), "image/png"));
    assert_eq!((arrivals[1].messaging_service.as_deref(), arrivals[1].media.len()), (None, 0));
    assert_eq!(arrivals[1].provider_time, Some(NOON));
    assert!(api.asked()[0].head.contains("/Messages.json?To=%2B15550001234&"));
    assert!(api.asked()[1].head.contains("/Messages/MM3/Media.json "));
}

#[tokio::test]
async fn what_was_received_is_dated_by_our_clock_where_that_is_ahead() {
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
async fn a_picture_that_was_deleted_does_not_hold_up_its_text() {
    let mut inbound = message("MM1", "inbound", "Sun, 22 Nov 2026 06:33:00 +0000");
    inbound["status"] = json!("received");
    inbound["num_media"] = json!("1");
    let page = json!({"messages": [inbound], "next_page_uri": null});
    let gone = Reaction::Answer(404, "", r#"{"code":20404}"#.to_owned());
    let api = Api::start([ok(200, page), gone]).await;
    let arrivals = api.twilio().received("+15550001234", NOON).await.unwrap();
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
async fn prices_are_read_for_all_messages_since_a_time_both_ways() {
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
    let billed = api.twilio().billed(NOON).await.unwrap();
    let told: Vec<_> = billed.iter().map(|billed| format!("{} {}", billed.provider_id, billed.price)).collect();
    assert_eq!(told, ["SM2 0.0075 USD", "SM1 0.0158 USD"]);
    assert_eq!(billed[0].segments, Some(2));
    let filter = "/Messages.json?DateSent%3E=2026-11-22T06%3A33%3A00Z&PageSize=50 ";
    assert!(api.asked()[0].head.contains(filter), "{}", api.asked()[0].head);
}

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
async fn what_doctor_and_calls_need_is_read_from_the_account() {
    let api = Api::start([
        ok(200, json!({"status": "active", "type": "Trial", "auth_token": "token"})),
        ok(200, json!({"account_sid": ACCOUNT, "balance": "0.05", "currency": "USD"})),
        ok(200, json!({"sid": "CA1", "status": "completed"})),
    ])
    .await;
    let twilio = api.twilio();
    let state = twilio.rest().account_state().await.unwrap();
    assert_eq!((state.status.as_str(), state.kind.as_str()), ("active", "Trial"));
    let balance = twilio.rest().balance().await.unwrap();
    assert_eq!(balance.to_string(), "0.05 USD");
    twilio.rest().end_call("CA1").await.unwrap();
    let asked = api.asked();
    assert!(asked[0].head.starts_with(&format!("GET /2010-04-01/Accounts/{ACCOUNT}.json ")));
    assert!(asked[2].head.contains("/Calls/CA1.json ") && asked[2].body == "Status=completed");
}

#[tokio::test]
async fn a_message_is_deleted_with_its_attachments_and_what_is_gone_is_deleted() {
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
async fn a_message_that_is_still_on_its_way_cannot_be_deleted_yet() {
    let api = Api::start([ok(409, json!({"code": 20009, "message": "still being sent", "status": 409}))]).await;
    assert_eq!(api.twilio().delete("SM1", false).await, Ok(Deletion::TooEarly));
    let api = Api::start([ok(401, json!({"code": 20003, "message": "no", "status": 401}))]).await;
    assert_eq!(api.twilio().delete("SM1", false).await.unwrap_err().code(), Some(20003));
}

#[tokio::test]
async fn what_the_account_has_of_somebody_is_listed_both_ways_as_far_as_it_is_asked_for() {
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
