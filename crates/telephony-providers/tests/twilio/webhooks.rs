//! Twilio's webhooks: the events of verified ones, and the rejection of others.

use crate::stand_in::{ACCOUNT, account_at, twilio_at};
use base64::Engine;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, Method};
use telephony_domain::call::Heard;
use telephony_domain::call::report::{AnsweredBy, CallEvent, CallRequest, CallStatus, CallStatusReport};
use telephony_domain::delivery::Status;
use telephony_providers::provider::{EventOutcome, Rejection, Unverified, WebhookEvent, Webhooks};
use telephony_providers::twilio::Twilio;

const URL: &str = "https://phone.example/telephony/webhook";

fn twilio() -> Twilio {
    twilio_at("http://127.0.0.1:1")
}

/// Returns the verdict on a request with these parameters, signed with this token over URL and query.
pub fn verdict(token: &str, query: &str, params: &[(&str, &str)]) -> Result<WebhookEvent, Rejection> {
    let url = if query.is_empty() { URL.to_owned() } else { format!("{URL}?{query}") };
    let mut sorted = params.to_vec();
    sorted.sort_unstable();
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(token.as_bytes()).unwrap();
    mac.update(url.as_bytes());
    sorted.iter().for_each(|(name, value)| mac.update(format!("{name}{value}").as_bytes()));
    let signature = base64::prelude::BASE64_STANDARD.encode(mac.finalize().into_bytes());

    let body = Bytes::from(form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish());
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/x-www-form-urlencoded; charset=UTF-8".parse().unwrap());
    headers.insert("x-twilio-signature", signature.parse().unwrap());
    let request = Unverified { method: &Method::POST, urls: &[url], query, headers: &headers, body: &body };
    twilio().verify(&request).map(|event| event.into_inner())
}

fn event(query: &str, params: &[(&str, &str)]) -> Result<WebhookEvent, Rejection> {
    verdict("token", query, &[params, &[("AccountSid", ACCOUNT)]].concat())
}

const TEXT: [(&str, &str); 8] = [
    ("MessageSid", "SM1"),
    ("SmsStatus", "received"),
    ("From", "+15550005678"),
    ("To", "+15550001234"),
    ("Body", " a\r\nb 😀 "),
    ("NumMedia", "0"),
    ("FromCity", ""),
    ("MessagingServiceSid", ""),
];

#[test]
fn a_text_arrives_byte_for_byte() {
    let Ok(WebhookEvent::Message(arrival)) = event("", &TEXT) else { panic!() };
    assert_eq!((arrival.provider_id.as_str(), arrival.text.as_str()), ("SM1", " a\r\nb 😀 "));
    assert_eq!((arrival.from.as_str(), arrival.to.as_str()), ("+15550005678", "+15550001234"));
    assert_eq!((arrival.messaging_service, arrival.opt_out_type, arrival.media), (None, None, Vec::new()));
}

#[test]
fn pictures_and_a_recognized_keyword_are_part_of_the_message() {
    let more = [
        ("MediaUrl0", "https://api.twilio.com/0"),
        ("MediaContentType0", "image/png"),
        ("MediaUrl1", "https://api.twilio.com/1"),
        ("OptOutType", "STOP"),
    ];
    let Ok(WebhookEvent::Message(arrival)) =
        event("", &[&TEXT[..6], &more, &[("MessagingServiceSid", "MG1")]].concat())
    else {
        panic!()
    };
    let media: Vec<_> = arrival.media.iter().map(|media| (media.url.as_str(), media.content_type.as_str())).collect();
    assert_eq!(media, [("https://api.twilio.com/0", "image/png"), ("https://api.twilio.com/1", "")]);
    assert_eq!((arrival.opt_out_type.as_deref(), arrival.messaging_service.as_deref()), (Some("STOP"), Some("MG1")));
}

#[test]
fn a_report_names_the_part_of_its_url() {
    let params = [("SmsSid", "SM1"), ("MessageStatus", "undelivered"), ("ErrorCode", "30003"), ("To", "+1555")];
    let Ok(WebhookEvent::MessageStatus(report)) = event("part=p%201&x=1", &params) else { panic!() };
    assert_eq!((report.provider_id.as_str(), report.correlation_id.as_deref()), ("SM1", Some("p 1")));
    assert_eq!((report.status, report.error_code), (Status::Undelivered, Some(30_003)));
    let Ok(WebhookEvent::MessageStatus(report)) = event("", &[("MessageSid", "SM1"), ("SmsStatus", "sent")]) else {
        panic!()
    };
    assert_eq!((report.correlation_id, report.status), (None, Status::Sent));
}

/// Returns a call event with these additional parameters.
fn call(more: &[(&str, &str)]) -> CallEvent {
    let own = [("CallSid", "CA1"), ("From", "+15550005678"), ("To", "+15550001234"), ("Direction", "inbound")];
    match event("", &[&own[..], more].concat()) {
        Ok(WebhookEvent::Call(event)) => event,
        other => panic!("{more:?}: {other:?}"),
    }
}

#[test]
fn a_request_for_a_document_differs_from_a_report_on_a_call() {
    let request = |heard: Option<Heard>, answered_by: Option<AnsweredBy>| {
        let (from, to) = ("+15550005678".to_owned(), "+15550001234".to_owned());
        CallEvent::Request(CallRequest { provider_id: "CA1".into(), from, to, is_attested: false, heard, answered_by })
    };
    let first = request(None, None);
    assert_eq!(call(&[("CallStatus", "ringing")]), first);
    let keys = request(Some(Heard::Keys("1".into())), None);
    assert_eq!(call(&[("CallStatus", "in-progress"), ("Digits", "1"), ("SpeechResult", "")]), keys);
    let speech = request(Some(Heard::Speech("Hello".into(), Some(0.5))), None);
    assert_eq!(call(&[("CallStatus", "in-progress"), ("SpeechResult", "Hello"), ("Confidence", "0.5")]), speech);
    assert_eq!(call(&[("CallStatus", "in-progress"), ("SpeechResult", ""), ("Confidence", "0.0")]), first);
    // Machine detection before the document, and a fallback URL.
    let machine = request(None, Some(AnsweredBy::MachineEnd));
    assert_eq!(call(&[("CallStatus", "in-progress"), ("AnsweredBy", "machine_end_beep")]), machine);
    assert_eq!(call(&[("CallStatus", "ringing"), ("ErrorCode", "11200"), ("ErrorUrl", "https://x")]), first);
    assert_eq!(call(&[("CallStatus", "a word of the future")]), first);
    let report = |status| CallEvent::Status(CallStatusReport { provider_id: "CA1".into(), call: None, status });
    assert_eq!(call(&[("CallStatus", "completed")]), report(CallStatus::Completed));
    let source = ("CallbackSource", "call-progress-events");
    assert_eq!(call(&[("CallStatus", "ringing"), source]), report(CallStatus::Ringing));
    assert_eq!(call(&[("CallStatus", "a word of the future"), source]), CallEvent::Other { provider_id: "CA1".into() });
}

#[test]
fn only_full_attestation_vouches_for_a_caller() {
    let is_attested = |verdict: &str| match call(&[("CallStatus", "ringing"), ("StirVerstat", verdict)]) {
        CallEvent::Request(request) => request.is_attested,
        other => panic!("{other:?}"),
    };
    assert!(is_attested("TN-Validation-Passed-A"));
    for verdict in [
        "TN-Validation-Passed-B",
        "TN-Validation-Passed-C",
        "TN-Validation-Passed-A-Diverted",
        "TN-Validation-Passed-A-Passthrough",
        "TN-Validation-Failed-A",
        "TN-Validation-Failed",
        "No-TN-Validation",
        "tn-validation-passed-a",
        "",
    ] {
        assert!(!is_attested(verdict), "{verdict}");
    }
}

#[test]
fn reports_without_the_state_of_the_call_are_read() {
    for (word, answered_by) in [
        ("human", AnsweredBy::Human),
        ("machine_start", AnsweredBy::MachineStart),
        ("machine_end_beep", AnsweredBy::MachineEnd),
        ("machine_end_silence", AnsweredBy::MachineEnd),
        ("machine_end_other", AnsweredBy::MachineEnd),
        ("fax", AnsweredBy::Fax),
        ("unknown", AnsweredBy::Unknown),
        ("alien", AnsweredBy::Unknown),
    ] {
        let read = call(&[("AnsweredBy", word), ("MachineDetectionDuration", "4012")]);
        assert_eq!(read, CallEvent::AnsweredBy { provider_id: "CA1".into(), call: None, answered_by }, "{word}");
    }
    let other = CallEvent::Other { provider_id: "CA1".into() };
    assert_eq!(call(&[("RecordingSid", "RE1"), ("RecordingStatus", "completed")]), other);
    assert_eq!(call(&[("StreamSid", "MZ1"), ("StreamEvent", "stream-stopped")]), other);
    assert_eq!(call(&[("AnsweredBy", "")]), other);
}

#[test]
fn a_forged_request_is_rejected() {
    let forged = verdict("guess", "", &[("AccountSid", ACCOUNT), ("MessageSid", "SM1")]);
    assert!(matches!(forged, Err(Rejection::BadSignature(_))), "{forged:?}");
    let (headers, body) = (HeaderMap::new(), Bytes::new());
    let request = Unverified { method: &Method::POST, urls: &[], query: "", headers: &headers, body: &body };
    assert_eq!(twilio().verify(&request).unwrap_err(), Rejection::Unsigned);
    assert!(!twilio().is_signed(&headers));
}

#[test]
fn a_signed_request_for_another_account_is_refused() {
    let foreign = "AC00000000000000000000000000000002";
    assert_eq!(verdict("token", "", &[&TEXT[..], &[("AccountSid", foreign)]].concat()), Err(Rejection::WrongAccount));
    assert_eq!(verdict("token", "", &TEXT), Err(Rejection::WrongAccount));
}

#[test]
fn a_signed_request_without_its_essentials_is_malformed() {
    for params in [&TEXT[1..], &TEXT[..2], &[("MessageSid", "SM1"), ("MessageStatus", "lost")]] {
        assert!(matches!(event("", params), Err(Rejection::Malformed(_))), "{params:?}");
    }
}

#[test]
fn with_checks_disabled_every_request_for_our_account_is_accepted() {
    let mut account = account_at("http://127.0.0.1:1");
    account.skips_signatures = true;
    let twilio = Twilio::new(account);
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
    let body = Bytes::from(format!("AccountSid={ACCOUNT}&MessageSid=SM1&From=a&To=b"));
    let request = Unverified { method: &Method::POST, urls: &[], query: "", headers: &headers, body: &body };
    assert!(twilio.is_signed(&headers) && twilio.verify(&request).is_ok());
}

#[test]
fn messages_get_an_empty_answer_and_callers_hear_a_sentence() {
    let twilio = twilio();
    let message = twilio.answer(EventOutcome::Acknowledged);
    assert_eq!((message.content_type, message.body.as_ref()), ("text/xml; charset=utf-8", "<Response/>"));
    let call = twilio.answer(EventOutcome::CallDeclined);
    assert!(call.body.contains("<Say") && call.body.ends_with("<Hangup/></Response>"), "{}", call.body);
}

/// Returns a text in which these parameters replace the defaults.
fn from_of(params: &[(&str, &str)]) -> String {
    let kept = TEXT.iter().filter(|(name, _)| params.iter().all(|(replaced, _)| replaced != name));
    let all: Vec<_> = kept.copied().chain(params.iter().copied()).collect();
    match event("", &all) {
        Ok(WebhookEvent::Message(arrival)) => arrival.from,
        other => panic!("{other:?}"),
    }
}

#[test]
fn rcs_and_sms_are_one_contact_in_every_format() {
    let number = "+15550103060";
    for prefix in ["rcs", "RCS", "Rcs", "rCS", "sms", "SMS", "mms"] {
        for rest in [number, " 15550103060", "15550103060", " +15550103060", "%2B15550103060"] {
            assert_eq!(from_of(&[("From", &format!("{prefix}:{rest}"))]), number, "{prefix}:{rest}");
        }
        assert_eq!(from_of(&[("From", number), ("ChannelPrefix", prefix)]), number);
        let metadata = format!(r#"{{"type":"{prefix}","data":{{}}}}"#);
        assert_eq!(from_of(&[("From", number), ("ChannelMetadata", &metadata)]), number);
    }
    assert_eq!(from_of(&[("From", " 15550103060")]), number);
}

#[test]
fn another_channel_is_recognized_in_every_format() {
    let number = "+15550103060";
    for channel in ["whatsapp", "WhatsApp", "WHATSAPP", "messenger", "viber", "line"] {
        let expected = format!("{}:{number}", channel.to_ascii_lowercase());
        assert_eq!(from_of(&[("From", &format!("{channel}:{number}"))]), expected);
        assert_eq!(from_of(&[("From", number), ("ChannelPrefix", channel)]), expected);
        assert_eq!(from_of(&[("From", number), ("ChannelPrefix", &format!("{channel}:"))]), expected);
        let metadata = format!(r#"{{"type":"{channel}","data":{{"context":{{}}}}}}"#);
        assert_eq!(from_of(&[("From", number), ("ChannelMetadata", &metadata)]), expected);
    }
    assert_eq!(from_of(&[("From", number), ("WaId", "15550103060")]), format!("whatsapp:{number}"));
    assert_eq!(from_of(&[("From", number), ("ChannelMetadata", "not JSON")]), number);
}

#[test]
fn short_codes_and_names_stay_as_they_are() {
    for sender in ["68849", "SUPPORT", "My-Bank 1"] {
        assert_eq!(from_of(&[("From", sender)]), sender);
        assert_eq!(from_of(&[("From", sender), ("ChannelPrefix", "sms")]), sender);
    }
}
