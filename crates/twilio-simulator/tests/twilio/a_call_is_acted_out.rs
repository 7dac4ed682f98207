//! A call executes its TwiML in order and within its limits.

use std::time::Duration;

use twilio_simulator::{
    CallRecord, DEFAULT_NUMBER, Fault, FaultExtent, Number, Side, SimulatedCallStatus, SimulatorConfig,
};

use crate::desk::{Desk, PHONE, SOON, control, instant};
use crate::receiver::Receiver;

/// Starts a simulator whose number's calls are answered by `us`.
async fn answered_by(us: &Receiver) -> Desk {
    let number = Number::new(DEFAULT_NUMBER).voice_url(&us.url("/voice?n=1"));
    Desk::with(SimulatorConfig { numbers: vec![number], ..instant() }).await
}

fn answer(us: &Receiver, verbs: &str) {
    us.answers(200, "text/xml", &format!("<Response>{verbs}</Response>"));
}

/// Returns the only call once it is over.
async fn over(desk: &Desk) -> CallRecord {
    let mut calls = desk.twilio.wait_for_calls(|calls| calls[0].status.is_final(), SOON).await.unwrap();
    calls.remove(0)
}

/// Returns a call's transcript, with the phone's words in parentheses.
fn heard(call: &CallRecord) -> Vec<String> {
    let shown = |said: &twilio_simulator::Utterance| match (said.by, said.is_keys) {
        (Side::Number, false) => said.text.clone(),
        (Side::Number, true) => format!("[{}]", said.text),
        (Side::Phone, false) => format!("({})", said.text),
        (Side::Phone, true) => format!("([{}])", said.text),
    };
    call.transcript.iter().map(shown).collect()
}

#[tokio::test]
async fn verbs_are_executed_in_order() {
    let us = Receiver::open().await;
    let desk = answered_by(&us).await;
    answer(
        &us,
        r#"<Say>One &amp; two</Say><Pause length="2"/><Play digits="w12"/><Play>http://e.x/a.mp3</Play><Redirect>/next</Redirect><Say>never</Say>"#,
    );
    answer(&us, "<Say>Three</Say><Hangup/><Say>never</Say>");
    desk.twilio.call(PHONE, DEFAULT_NUMBER).await.unwrap();
    let call = over(&desk).await;
    assert_eq!(
        (call.status, heard(&call)),
        (SimulatedCallStatus::Completed, vec!["One & two".into(), "[w12]".into(), "Three".into()])
    );
    assert!(desk.twilio.alerts().is_empty());
}

#[tokio::test]
async fn a_conversation_goes_from_gather_to_gather() {
    let mut us = Receiver::open().await;
    let desk = answered_by(&us).await;
    answer(
        &us,
        r#"<Gather input="dtmf speech" action="/turn" timeout="60000" language="de-DE"><Say>Hello</Say></Gather>"#,
    );
    answer(&us, r#"<Gather input="speech" timeout="60000"><Say>Go on</Say></Gather>"#);
    answer(&us, "<Say>Bye</Say>");
    let sid = desk.twilio.call(PHONE, DEFAULT_NUMBER).await.unwrap().sid;
    desk.twilio.say(&sid, "Good day").await.unwrap();
    desk.twilio.mumble(&sid, "Mumble", 0.25).await.unwrap();
    assert_eq!(heard(&over(&desk).await), ["Hello", "(Good day)", "Go on", "(Mumble)", "Bye"]);
    assert_eq!(us.next().await.target, "/voice?n=1");
    let first = us.next().await;
    assert_eq!(
        (first.target.as_str(), first.get("SpeechResult"), first.get("Confidence")),
        ("/turn", "Good day", "0.95")
    );
    assert_eq!((first.get("Language"), first.get("CallStatus")), ("de-DE", "in-progress"));
    // Without an action, the request goes to the document's own URL.
    let second = us.next().await;
    assert_eq!(
        (second.target.as_str(), second.get("SpeechResult"), second.get("Confidence")),
        ("/turn", "Mumble", "0.25")
    );
    assert!(desk.twilio.say(&sid, "Hello?").await.is_err());
}

#[tokio::test]
async fn keys_end_by_number_by_key_or_by_silence() {
    let mut us = Receiver::open().await;
    let desk = answered_by(&us).await;
    answer(&us, r#"<Gather numDigits="3" timeout="60000"/>"#);
    answer(&us, r#"<Gather timeout="60000"/>"#);
    answer(&us, r#"<Gather timeout="100" finishOnKey=""/>"#);
    let sid = desk.twilio.call(PHONE, DEFAULT_NUMBER).await.unwrap().sid;
    desk.twilio.press(&sid, "1").await.unwrap();
    desk.twilio.press(&sid, "234").await.unwrap();
    desk.twilio.press(&sid, "12#").await.unwrap();
    desk.twilio.press(&sid, "4#").await.unwrap();
    us.next().await;
    let three = us.next().await;
    assert_eq!((three.get("Digits"), three.find("FinishedOnKey")), ("123", None));
    let by_key = us.next().await;
    assert_eq!((by_key.get("Digits"), by_key.get("FinishedOnKey")), ("12", "#"));
    assert_eq!(us.next().await.get("Digits"), "4#");
}

#[tokio::test]
async fn silence_falls_through_or_is_reported() {
    let mut us = Receiver::open().await;
    let desk = answered_by(&us).await;
    answer(&us, r#"<Gather timeout="1"><Say>Anyone?</Say></Gather><Say>Behind</Say><Redirect>/empty</Redirect>"#);
    answer(
        &us,
        r#"<Gather input="dtmf speech" timeout="1" actionOnEmptyResult="true" action="/nothing"/><Say>never</Say>"#,
    );
    answer(&us, "");
    desk.twilio.call(PHONE, DEFAULT_NUMBER).await.unwrap();
    assert_eq!(heard(&over(&desk).await), ["Anyone?", "Behind"]);
    us.next().await;
    assert_eq!(us.next().await.target, "/empty");
    let nothing = us.next().await;
    assert_eq!((nothing.target.as_str(), nothing.get("Digits"), nothing.get("SpeechResult")), ("/nothing", "", ""));
}

#[tokio::test]
async fn a_gather_ignores_unwanted_input() {
    let mut us = Receiver::open().await;
    let desk = answered_by(&us).await;
    answer(&us, r#"<Gather input="dtmf" timeout="60000" numDigits="1"/>"#);
    let sid = desk.twilio.call(PHONE, DEFAULT_NUMBER).await.unwrap().sid;
    desk.twilio.say(&sid, "Hello?").await.unwrap();
    desk.twilio.press(&sid, "5").await.unwrap();
    us.next().await;
    let keys = us.next().await;
    assert_eq!((keys.get("Digits"), keys.find("SpeechResult")), ("5", None));
}

#[tokio::test]
async fn a_call_is_rejected_before_it_is_answered() {
    for (reject, status) in
        [("<Reject/>", SimulatedCallStatus::NoAnswer), (r#"<Reject reason="busy"/>"#, SimulatedCallStatus::Busy)]
    {
        let us = Receiver::open().await;
        let desk = answered_by(&us).await;
        answer(&us, reject);
        desk.twilio.call(PHONE, DEFAULT_NUMBER).await.unwrap();
        let call = over(&desk).await;
        assert_eq!((call.status, call.answered, heard(&call)), (status, None, Vec::<String>::new()));
    }
}

#[tokio::test]
async fn the_phone_hangs_up_while_the_next_document_is_awaited() {
    let us = Receiver::open().await;
    let desk = answered_by(&us).await;
    answer(&us, r#"<Gather input="speech" timeout="60000"/>"#);
    let sid = desk.twilio.call(PHONE, DEFAULT_NUMBER).await.unwrap().sid;
    desk.twilio.hang_up(&sid).unwrap();
    assert_eq!(over(&desk).await.status, SimulatedCallStatus::Completed);
    assert!(desk.twilio.hang_up(&sid).is_err());
}

#[tokio::test]
async fn a_bad_document_is_complained_about_and_the_call_ends() {
    let long = format!("<Say>{}</Say>", "x".repeat(4097));
    for (status, body, code) in [
        (500, "<Response/>", 11200),
        (200, "<Response>", 12100),
        (200, "<Response><Sing>La</Sing></Response>", 12200),
        (200, "<Response><Say> </Say></Response>", 13520),
        (200, &format!("<Response>{long}</Response>"), 13520),
        (200, r#"<Response><Gather input="speech" speechTimeout="auto" timeout="1"/></Response>"#, 13335),
    ] {
        let us = Receiver::open().await;
        let desk = answered_by(&us).await;
        us.answers(status, "text/xml", body);
        desk.twilio.call(PHONE, DEFAULT_NUMBER).await.unwrap();
        let call = over(&desk).await;
        let alerts: Vec<u32> = desk.twilio.alerts().iter().map(|alert| alert.error_code).collect();
        assert_eq!(alerts, [code], "{body}");
        assert_eq!(heard(&call).len(), usize::from(code < 12200), "{body}");
    }
}

#[tokio::test]
async fn a_slow_answer_ends_the_call() {
    let quiet = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", quiet.local_addr().unwrap());
    let number = Number::new(DEFAULT_NUMBER).voice_url(&url);
    let config = SimulatorConfig { numbers: vec![number], webhook_timeout: Duration::from_millis(50), ..instant() };
    let desk = Desk::with(config).await;
    assert_eq!(desk.twilio.call(PHONE, DEFAULT_NUMBER).await.unwrap().alert, Some(11200));
    assert_eq!(over(&desk).await.status, SimulatedCallStatus::Completed);
}

#[tokio::test]
async fn endless_redirects_end() {
    let us = Receiver::open().await;
    let desk = answered_by(&us).await;
    for _ in 0..200 {
        answer(&us, "<Redirect/>");
    }
    answer(&us, "<Say>never</Say>");
    desk.twilio.call(PHONE, DEFAULT_NUMBER).await.unwrap();
    assert_eq!(heard(&over(&desk).await), [""; 0]);
    assert_eq!(desk.twilio.alerts().len(), 1);
}

/// Starts a call with a long pause and returns its path in the API.
async fn pausing(us: &Receiver, desk: &Desk) -> String {
    answer(us, r#"<Pause length="1000000"/>"#);
    let sid = desk.twilio.call(PHONE, DEFAULT_NUMBER).await.unwrap().sid;
    desk.twilio.wait_for_calls(|calls| calls[0].status == SimulatedCallStatus::InProgress, SOON).await.unwrap();
    desk.account(&format!("/Calls/{sid}.json"))
}

#[tokio::test]
async fn an_update_replaces_the_document() {
    let us = Receiver::open().await;
    let desk = answered_by(&us).await;
    let path = pausing(&us, &desk).await;
    answer(&us, "<Say>From the URL</Say><Pause length=\"1000000\"/>");
    let url = us.url("/other");
    assert_eq!(desk.post(&path, &[("Url", &url)]).await.status, 200);
    desk.twilio.wait_for_calls(|calls| calls[0].transcript.len() == 1, SOON).await.unwrap();
    desk.post(&path, &[("Twiml", "<Response><Say>From the request</Say></Response>")]).await;
    assert_eq!(heard(&over(&desk).await), ["From the URL", "From the request"]);
}

#[tokio::test]
async fn an_update_limits_the_time_and_brings_a_report_of_the_end() {
    let mut us = Receiver::open().await;
    let desk = answered_by(&us).await;
    let path = pausing(&us, &desk).await;
    us.next().await;
    desk.twilio.misbehave(Fault::IgnoreTimeLimit, FaultExtent::Next(1));
    desk.post(&path, &[("TimeLimit", "1")]).await;
    assert_eq!(desk.get(&path).await.text("status"), "in-progress");
    let callback = us.url("/status");
    desk.post(&path, &[("TimeLimit", "1"), ("StatusCallback", &callback)]).await;
    assert_eq!(over(&desk).await.status, SimulatedCallStatus::Completed);
    let report = us.next().await;
    assert_eq!((report.target.as_str(), report.get("CallStatus")), ("/status", "completed"));
}

#[tokio::test]
async fn a_fallback_url_answers_for_the_first() {
    let mut us = Receiver::open().await;
    let desk = answered_by(&us).await;
    let numbers = desk.get(&desk.account("/IncomingPhoneNumbers.json")).await;
    let path = desk.account(&format!(
        "/IncomingPhoneNumbers/{}.json",
        numbers.json["incoming_phone_numbers"][0]["sid"].as_str().unwrap()
    ));
    let fallback = us.url("/fallback");
    desk.post(&path, &[("VoiceFallbackUrl", &fallback)]).await;
    us.answers(502, "text/html", "Bad gateway");
    answer(&us, "<Say>Sorry</Say>");
    desk.twilio.call(PHONE, DEFAULT_NUMBER).await.unwrap();
    assert_eq!(heard(&over(&desk).await), ["Sorry"]);
    us.next().await;
    let second = us.next().await;
    assert_eq!((second.target.as_str(), second.get("ErrorCode")), ("/fallback", "11200"));
}

#[tokio::test]
async fn a_phone_can_be_driven_over_http() {
    let us = Receiver::open().await;
    let desk = answered_by(&us).await;
    answer(&us, r#"<Gather input="dtmf speech" timeout="60000"/>"#);
    answer(&us, r#"<Gather timeout="60000"/>"#);
    let ring = serde_json::json!({"from": PHONE, "to": DEFAULT_NUMBER});
    let (status, delivery) = control(&desk, "/inbound-call", ring).await;
    assert_eq!(status, 200);
    let of_call = |verb: &str| format!("/calls/{}/{verb}", delivery["sid"].as_str().unwrap());
    assert_eq!(control(&desk, &of_call("say"), serde_json::json!({"text": "Hi"})).await.0, 204);
    assert_eq!(control(&desk, &of_call("press"), serde_json::json!({"keys": "1#"})).await.0, 204);
    over(&desk).await;
    assert_eq!(control(&desk, &of_call("say"), serde_json::json!({"text": "Hi"})).await.0, 409);
    assert_eq!(control(&desk, &of_call("hang-up"), serde_json::json!({})).await.0, 409);
    let fate = serde_json::json!({"to": PHONE, "outcome": "busy"});
    assert_eq!(control(&desk, "/call-outcome", fate).await.0, 204);
}
