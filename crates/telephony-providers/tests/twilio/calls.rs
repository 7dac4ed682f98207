//! Calls at Twilio's API: placed, listed and fetched; and the reports on them.

use std::time::Duration;

use serde_json::{Value, json};
use telephony_domain::call::report::{AnsweredBy, CallEvent, CallReport, CallStatus, CallStatusReport};
use telephony_domain::id::CallId;
use telephony_domain::retry::Disposition;
use telephony_domain::time::{Clock, SystemClock, Timestamp};
use telephony_providers::calling::{Calling, MachineDetection, OutgoingCall};
use telephony_providers::provider::{ProviderError, WebhookEvent};
use telephony_providers::twilio::Twilio;

use crate::messages::{CREATED_AT, contact, ok};
use crate::stand_in::{ACCOUNT, Api, Reaction, twilio_at};
use crate::webhooks::verdict;

const DOCUMENT: &str = "https://a.b/telephony/webhook/v/07";
const STATUS: &str = "https://a.b/telephony/status";

/// Returns a call as Twilio's API shows it.
fn call(sid: &str, direction: &str, created: &str, more: Value) -> Value {
    let mut call = json!({
        "sid": sid, "status": "queued", "direction": direction, "from": "+15550001234", "to": "+15550005678",
        "date_created": created, "start_time": null, "end_time": null, "duration": null, "price": null,
        "price_unit": "USD", "answered_by": null, "new": {},
    });
    for (name, value) in more.as_object().unwrap() {
        call[name] = value.clone();
    }
    call
}

async fn place(
    twilio: &Twilio,
    status_url: Option<&str>,
    detection: Option<MachineDetection>,
) -> Result<String, ProviderError> {
    let (from, to) = ("+15550001234".parse().unwrap(), contact());
    let call = OutgoingCall {
        call: CallId(7),
        from: &from,
        to: &to,
        document_url: DOCUMENT,
        status_url,
        ring: Duration::from_secs(30),
        max_duration: Duration::from_secs(300),
        detection,
        keys: Some("12#"),
    };
    twilio.place_call(&call).await
}

/// Returns the form of a call placed like this.
async fn form(status_url: Option<&str>, detection: Option<MachineDetection>) -> Vec<(String, String)> {
    let created = call("CA1", "outbound-api", "Sun, 22 Nov 2026 06:33:00 +0000", json!({}));
    let api = Api::start([ok(201, created)]).await;
    assert_eq!(place(&api.twilio(), status_url, detection).await.unwrap(), "CA1");
    let asked = &api.asked()[0];
    assert!(asked.head.starts_with(&format!("POST /2010-04-01/Accounts/{ACCOUNT}/Calls.json HTTP/1.1")));
    form_urlencoded::parse(asked.body.as_bytes()).into_owned().collect()
}

fn pairs(form: &[(String, String)]) -> Vec<(&str, &str)> {
    form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

#[tokio::test]
async fn a_call_is_placed_with_all_that_twilio_needs_to_end_it_by_itself() {
    let form = form(Some(STATUS), Some(MachineDetection::BeforeDocument)).await;
    let expected = [
        ("To", "+15550005678"),
        ("From", "+15550001234"),
        ("Url", "https://a.b/telephony/webhook/v/07#rc=3"),
        ("StatusCallback", "https://a.b/telephony/status?call=7#rc=3"),
        ("StatusCallbackEvent", "initiated"),
        ("StatusCallbackEvent", "ringing"),
        ("StatusCallbackEvent", "answered"),
        ("StatusCallbackEvent", "completed"),
        ("Timeout", "30"),
        ("TimeLimit", "300"),
        ("SendDigits", "12#"),
        ("MachineDetection", "DetectMessageEnd"),
    ];
    assert_eq!(pairs(&form), expected);
}

#[tokio::test]
async fn a_conversation_begins_while_twilio_still_detects_who_answered() {
    let during = form(Some(STATUS), Some(MachineDetection::DuringCall)).await;
    let expected = [
        ("MachineDetection", "DetectMessageEnd"),
        ("AsyncAmd", "true"),
        ("AsyncAmdStatusCallback", "https://a.b/telephony/status?call=7#rc=3"),
    ];
    assert!(pairs(&during).ends_with(&expected), "{during:?}");
    // Without a URL for it, the result could not be reported.
    for form in [form(Some(STATUS), None).await, form(None, Some(MachineDetection::DuringCall)).await] {
        assert!(pairs(&form).ends_with(&[("TimeLimit", "300"), ("SendDigits", "12#")]), "{form:?}");
    }
}

#[tokio::test]
async fn an_answer_with_a_sid_means_that_the_call_was_placed() {
    for body in [json!({"sid": "CA1"}), json!({"sid": "CA1", "status": "new", "duration": 2})] {
        let api = Api::start([ok(201, body)]).await;
        assert_eq!(place(&api.twilio(), None, None).await, Ok("CA1".to_owned()));
    }
}

#[tokio::test]
async fn a_call_is_requested_once_and_the_error_says_whether_it_may_ring() {
    let json = |status, code: u32| Reaction::Answer(status, "", json!({"code": code}).to_string());
    for (reaction, expected) in [
        (Reaction::Hangs, Disposition::Unknown),
        (Reaction::Answer(201, "", "{\"sid\":".to_owned()), Disposition::Unknown),
        (Reaction::Answer(201, "", "{}".to_owned()), Disposition::Unknown),
        (json(500, 20500), Disposition::Unknown),
        (Reaction::Answer(502, "", "<html>".to_owned()), Disposition::Unknown),
        (json(429, 20429), Disposition::Retry { after: None }),
        (json(400, 21215), Disposition::GiveUp),
        (json(400, 21217), Disposition::GiveUp),
        (json(401, 20003), Disposition::AwaitOperator),
    ] {
        let api = Api::start([reaction]).await;
        let error = place(&api.twilio(), Some(STATUS), None).await.unwrap_err();
        assert_eq!(error.disposition(), expected, "{error}");
        assert_eq!(api.asked().len(), 1, "nothing may be repeated by itself");
    }
    let unreachable = place(&twilio_at("http://127.0.0.1:1"), None, None).await.unwrap_err();
    assert!(matches!(unreachable, ProviderError::Unreachable { .. }), "{unreachable}");
}

fn page(calls: &[Value], next: Option<&str>) -> Reaction {
    ok(200, json!({"calls": calls, "next_page_uri": next}))
}

#[tokio::test]
async fn calls_to_a_contact_are_ours_since_then_from_all_pages() {
    let at = |second: u32| format!("Sun, 22 Nov 2026 06:33:{second:02} +0000");
    let waiting = call("CA4", "outbound-api", &at(4), json!({}));
    let incoming = call("CA3", "inbound", &at(3), json!({"start_time": at(3), "status": "completed"}));
    let done = json!({"status": "completed", "start_time": at(9), "duration": "61", "price": "-0.01400"});
    let done = call("CA2", "outbound-api", &at(0), done);
    let before = call("CA1", "outbound-api", "Sun, 22 Nov 2026 06:32:59 +0000", json!({"start_time": at(1)}));
    let next = "/2010-04-01/Accounts/AC1/Calls.json?Page=1";
    let api = Api::start([page(&[waiting, incoming], Some(next)), page(&[done, before], None)]).await;
    let listed = api.twilio().calls_to(&contact(), CREATED_AT).await.unwrap();
    let sids: Vec<_> = listed.iter().map(|call| (call.provider_id.as_str(), call.from.as_str())).collect();
    assert_eq!(sids, [("CA4", "+15550001234"), ("CA2", "+15550001234")]);
    assert_eq!(listed[0].report, CallReport { status: CallStatus::Queued, duration: None, price: None });
    assert_eq!((listed[1].created, listed[1].report.status), (CREATED_AT, CallStatus::Completed));
    assert_eq!(listed[1].report.duration, Some(Duration::from_secs(61)));
    assert_eq!(listed[1].report.price.unwrap().to_string(), "0.014 USD");
    // A filter on the start would hide a call that waits.
    let heads: Vec<_> = api.asked().into_iter().map(|asked| asked.head).collect();
    let path = format!("/2010-04-01/Accounts/{ACCOUNT}/Calls.json?To=%2B15550005678&PageSize=100 ");
    assert!(heads[0].starts_with(&format!("GET {path}")) && heads[1].starts_with(&format!("GET {next} ")), "{heads:?}");
}

#[tokio::test]
async fn old_calls_are_not_read_to_the_end_of_the_list() {
    let page = |n: u32| {
        let began = json!({"status": "completed", "start_time": "Sat, 21 Nov 2026 06:33:00 +0000"});
        let old = call(&format!("CA{n}"), "outbound-api", "Sat, 21 Nov 2026 06:33:00 +0000", began);
        page(&[old], Some(&format!("/2010-04-01/Accounts/AC1/Calls.json?Page={n}")))
    };
    let api = Api::start([page(1), page(2)]).await;
    assert_eq!(api.twilio().calls_to(&contact(), CREATED_AT).await, Ok(Vec::new()));
}

#[tokio::test]
async fn a_list_of_calls_that_cannot_be_read_to_its_end_is_no_list() {
    let undated = page(&[call("CA1", "outbound-api", "some day", json!({}))], None);
    let odd = page(&[call("CA1", "outbound-api", "Sun, 22 Nov 2026 06:33:00 +0000", json!({"status": "lost"}))], None);
    let cut = page(&[], Some("http://127.0.0.1:1/elsewhere"));
    for reaction in [undated, odd, cut, Reaction::Hangs] {
        let api = Api::start([reaction]).await;
        assert!(api.twilio().calls_to(&contact(), CREATED_AT).await.is_err());
    }
}

#[tokio::test]
async fn a_clock_that_is_an_hour_ahead_hides_no_call() {
    let now = SystemClock.now();
    let behind = Timestamp(now.0 - 3_600_000);
    let date = time(behind);
    let headers = format!("content-type: application/json\r\ndate: {}\r\n", date.replace("+0000", "GMT"));
    let body = json!({"calls": [call("CA1", "outbound-api", &date, json!({}))], "next_page_uri": null});
    let api = Api::start([Reaction::Answer(200, headers.leak(), body.to_string())]).await;
    let listed = api.twilio().calls_to(&contact(), Timestamp(now.0 - 60_000)).await.unwrap();
    assert_eq!(listed.len(), 1);
}

/// Writes a time as Twilio does.
fn time(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0).unwrap().strftime("%a, %d %b %Y %T +0000").to_string()
}

#[tokio::test]
async fn the_state_of_a_call_has_duration_and_price_once_they_are_known() {
    let over = json!({"status": "completed", "duration": "61", "price": "-0.01400"});
    let over = call("CA1", "inbound", "Sun, 22 Nov 2026 06:33:00 +0000", over);
    let missing = json!({"code": 20404, "message": "not found", "status": 404});
    let api = Api::start([ok(200, json!({"sid": "CA1", "status": "ringing"})), ok(200, over), ok(404, missing)]).await;
    let twilio = api.twilio();
    let ringing = CallReport { status: CallStatus::Ringing, duration: None, price: None };
    assert_eq!(twilio.call_report("CA1").await, Ok(Some(ringing)));
    let over = twilio.call_report("CA1").await.unwrap().unwrap();
    assert_eq!((over.status, over.duration), (CallStatus::Completed, Some(Duration::from_secs(61))));
    assert_eq!(over.price.unwrap().to_string(), "0.014 USD");
    assert_eq!(twilio.call_report("CA1").await, Ok(None));
    assert!(api.asked()[0].head.contains("/Calls/CA1.json "));
}

/// Returns the event of a webhook about a call that we placed, at a URL with this query.
fn event(query: &str, more: &[(&str, &str)]) -> CallEvent {
    let own = [("CallSid", "CA1"), ("From", "+15550001234"), ("To", "+15550005678"), ("Direction", "outbound-api")];
    match verdict("token", query, &[&own[..], &[("AccountSid", ACCOUNT)], more].concat()) {
        Ok(WebhookEvent::Call(event)) => event,
        other => panic!("{more:?}: {other:?}"),
    }
}

#[test]
fn a_report_names_the_call_that_its_url_was_made_for() {
    let report = |call: Option<i64>, status| {
        CallEvent::Status(CallStatusReport { provider_id: "CA1".into(), call: call.map(CallId), status })
    };
    let source = ("CallbackSource", "call-progress-events");
    let completed = [("CallStatus", "completed"), ("CallDuration", "49"), ("AnsweredBy", "human"), source];
    assert_eq!(event("call=7", &[("CallStatus", "initiated"), source]), report(Some(7), CallStatus::Initiated));
    assert_eq!(event("x=1&call=7", &completed), report(Some(7), CallStatus::Completed));
    for query in ["", "call=", "call=seven"] {
        assert_eq!(event(query, &completed), report(None, CallStatus::Completed), "{query}");
    }
    // No document is requested at this URL.
    assert_eq!(event("call=7", &[("CallStatus", "ringing")]), report(Some(7), CallStatus::Ringing));
}

#[test]
fn the_result_of_machine_detection_names_the_call() {
    let result =
        CallEvent::AnsweredBy { provider_id: "CA1".into(), call: Some(CallId(7)), answered_by: AnsweredBy::MachineEnd };
    let detected = [("AnsweredBy", "machine_end_beep"), ("MachineDetectionDuration", "4012")];
    assert_eq!(event("call=7", &detected), result);
    assert_eq!(event("call=7", &[&detected[..], &[("CallStatus", "in-progress")]].concat()), result);
}

#[test]
fn the_first_request_of_a_call_that_we_placed_says_who_answered() {
    let CallEvent::Request(request) = event("", &[("CallStatus", "in-progress"), ("AnsweredBy", "human")]) else {
        panic!()
    };
    assert_eq!((request.from.as_str(), request.to.as_str()), ("+15550001234", "+15550005678"));
    assert_eq!((request.heard, request.answered_by), (None, Some(AnsweredBy::Human)));
}
