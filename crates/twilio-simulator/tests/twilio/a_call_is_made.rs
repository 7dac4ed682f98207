use std::time::Duration;

use twilio_simulator::{
    CallOutcome, CallRecord, DEFAULT_NUMBER, Fault, FaultExtent, Number, SimulatedCallStatus, SimulatorConfig,
};

use crate::desk::{Desk, PHONE, SOON, instant};
use crate::receiver::{Hook, Receiver};

#[tokio::test]
async fn a_phone_calls_and_the_end_is_reported() {
    let mut us = Receiver::open().await;
    let number = Number::new(DEFAULT_NUMBER).voice_url(&us.url("/voice")).status_callback(&us.url("/status"));
    let config = SimulatorConfig { numbers: vec![number], ..instant() };
    let desk = Desk::with(config).await;
    us.answers(200, "text/xml", "<Response><Say>Hello</Say></Response>");
    let delivery = desk.twilio.call(PHONE, DEFAULT_NUMBER).await.unwrap();
    assert_eq!((delivery.status, delivery.alert), (Some(200), None));
    assert!(delivery.body.contains("<Say>Hello</Say>"));
    let ringing = us.next().await;
    let fields = [
        ("CallSid", delivery.sid.as_str()),
        ("CallStatus", "ringing"),
        ("Direction", "inbound"),
        ("Caller", PHONE),
        ("Called", DEFAULT_NUMBER),
        ("CalledCountry", ""),
    ];
    for (name, value) in fields {
        assert_eq!(ringing.get(name), value, "{name}");
    }
    let completed = us.next().await;
    assert_eq!((completed.target.as_str(), completed.get("CallStatus")), ("/status", "completed"));
    assert_eq!((completed.get("CallDuration"), completed.get("SequenceNumber")), ("0", "0"));
}

/// Returns a call webhook's path, status and sequence number.
fn summary(hook: &Hook) -> (String, String, Option<String>) {
    (hook.target.clone(), hook.get("CallStatus").to_owned(), hook.find("SequenceNumber").map(str::to_owned))
}

#[tokio::test]
async fn a_call_that_is_placed_reports_each_event_that_was_asked_for() {
    let mut us = Receiver::open().await;
    let desk = Desk::open().await;
    us.answers(200, "text/xml", "");
    let (url, callback) = (us.url("/voice"), us.url("/status"));
    let form = [
        ("To", PHONE),
        ("From", DEFAULT_NUMBER),
        ("Url", url.as_str()),
        ("StatusCallback", callback.as_str()),
        ("StatusCallbackEvent", "initiated"),
        ("StatusCallbackEvent", "answered"),
        ("StatusCallbackEvent", "completed"),
    ];
    let answer = desk.post(&desk.account("/Calls.json"), &form).await;
    assert_eq!((answer.status, answer.text("status")), (201, "queued"));
    let mut all = Vec::new();
    for _ in 0..4 {
        let hook = us.next().await;
        assert_eq!(hook.get("Direction"), "outbound-api");
        all.push(summary(&hook));
    }
    // Callbacks are posted concurrently with the call.
    all.sort();
    let expect = |target: &str, status: &str, sequence: Option<&str>| {
        (target.to_owned(), status.to_owned(), sequence.map(str::to_owned))
    };
    assert_eq!(
        all,
        [
            expect("/status", "completed", Some("2")),
            expect("/status", "in-progress", Some("1")),
            expect("/status", "initiated", Some("0")),
            expect("/voice", "in-progress", None),
        ]
    );
}

#[tokio::test]
async fn a_call_is_hung_up_once() {
    let desk = Desk::open().await;
    let form = [("To", PHONE), ("From", DEFAULT_NUMBER), ("Twiml", "<Response><Pause length=\"100000\"/></Response>")];
    let sid = desk.post(&desk.account("/Calls.json"), &form).await.text("sid").to_owned();
    let talks = |calls: &[CallRecord]| calls[0].status == SimulatedCallStatus::InProgress;
    desk.twilio.wait_for_calls(talks, SOON).await.unwrap();
    let path = desk.account(&format!("/Calls/{sid}.json"));
    assert_eq!(desk.get(&path).await.text("status"), "in-progress");
    assert_eq!(desk.post(&path, &[("Status", "canceled")]).await.json["code"].as_u64(), Some(21220));
    let ended = desk.post(&path, &[("Status", "completed")]).await;
    assert_eq!((ended.text("status"), ended.text("duration")), ("completed", "0"));
    for form in [("Status", "completed"), ("Twiml", "<Response/>"), ("TimeLimit", "5")] {
        let again = desk.post(&path, &[form]).await;
        assert_eq!((again.status, again.json["code"].as_u64()), (400, Some(21220)), "{form:?}");
    }
}

#[tokio::test]
async fn a_call_that_is_not_answered_says_why() {
    let mut us = Receiver::open().await;
    let desk = Desk::open().await;
    let callback = us.url("/status");
    let twiml = "<Response><Pause/></Response>";
    for (outcome, status) in
        [(CallOutcome::Busy, "busy"), (CallOutcome::Failed, "failed"), (CallOutcome::Rings, "no-answer")]
    {
        desk.twilio.set_call_outcome(PHONE, outcome);
        let form = [
            ("To", PHONE),
            ("From", DEFAULT_NUMBER),
            ("Twiml", twiml),
            ("StatusCallback", &callback),
            ("Timeout", "5"),
        ];
        desk.post(&desk.account("/Calls.json"), &form).await;
        let report = us.next().await;
        assert_eq!((report.get("CallStatus"), report.get("CallDuration")), (status, "0"));
    }
}

#[tokio::test]
async fn a_ringing_phone_can_be_answered_or_declined() {
    for (refuses, status) in [(false, SimulatedCallStatus::Completed), (true, SimulatedCallStatus::Busy)] {
        let form = [("To", PHONE), ("From", DEFAULT_NUMBER), ("Twiml", "<Response/>"), ("Timeout", "600")];
        let call = SimulatorConfig { call_second: Duration::from_secs(1), ..instant() };
        let desk = Desk::with(call).await;
        desk.twilio.set_call_outcome(PHONE, CallOutcome::Rings);
        let sid = desk.post(&desk.account("/Calls.json"), &form).await.text("sid").to_owned();
        desk.twilio.wait_for_calls(|calls| calls[0].status == SimulatedCallStatus::Ringing, SOON).await.unwrap();
        if refuses {
            desk.twilio.hang_up(&sid).unwrap()
        } else {
            desk.twilio.answer(&sid).unwrap()
        }
        desk.twilio.wait_for_calls(|calls| calls[0].status == status, SOON).await.unwrap();
        assert!(desk.twilio.answer(&sid).is_err());
    }
}

#[tokio::test]
async fn a_machine_is_recognized_before_the_document_or_beside_it() {
    let mut us = Receiver::open().await;
    let desk = Desk::open().await;
    let (url, amd) = (us.url("/voice"), us.url("/amd"));
    for (outcome, detection, word) in [
        (CallOutcome::Machine, "Enable", "machine_start"),
        (CallOutcome::Machine, "DetectMessageEnd", "machine_end_beep"),
        (CallOutcome::Fax, "Enable", "fax"),
        (CallOutcome::Human, "Enable", "human"),
    ] {
        desk.twilio.set_call_outcome(PHONE, outcome);
        let form = [("To", PHONE), ("From", DEFAULT_NUMBER), ("Url", &url), ("MachineDetection", detection)];
        let sid = desk.post(&desk.account("/Calls.json"), &form).await.text("sid").to_owned();
        let fetch = us.next().await;
        assert_eq!((fetch.target.as_str(), fetch.get("AnsweredBy")), ("/voice", word));
        let call = desk.get(&desk.account(&format!("/Calls/{sid}.json"))).await;
        assert_eq!(call.text("answered_by"), word);
    }
    us.answers(200, "text/xml", "<Response><Pause length=\"100000\"/></Response>");
    let form = [
        ("To", PHONE),
        ("From", DEFAULT_NUMBER),
        ("Url", &url),
        ("MachineDetection", "DetectMessageEnd"),
        ("AsyncAmd", "true"),
        ("AsyncAmdStatusCallback", &amd),
    ];
    desk.post(&desk.account("/Calls.json"), &form).await;
    let mut hooks = [us.next().await, us.next().await];
    hooks.sort_by_key(|hook| hook.target.clone());
    assert_eq!((hooks[0].target.as_str(), hooks[0].get("AnsweredBy")), ("/amd", "human"));
    assert_eq!((hooks[0].find("CallStatus"), hooks[1].find("AnsweredBy")), (None, None));
}

#[tokio::test]
async fn a_call_can_be_placed_although_its_answer_is_lost() {
    let desk = Desk::open().await;
    desk.twilio.misbehave(Fault::ServerErrorAfterAccepting, FaultExtent::Next(1));
    let form = [("To", PHONE), ("From", DEFAULT_NUMBER), ("Twiml", "<Response/>")];
    assert_eq!(desk.post(&desk.account("/Calls.json"), &form).await.status, 500);
    let listed = desk.get(&desk.account(&format!("/Calls.json?To=%2B{}", &PHONE[1..]))).await;
    assert_eq!(listed.json["calls"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_call_with_missing_parameters_is_rejected() {
    let desk = Desk::open().await;
    let cases: [(&[(&str, &str)], u64); 5] = [
        (&[("From", DEFAULT_NUMBER), ("Twiml", "<Response/>")], 21201),
        (&[("To", PHONE), ("Twiml", "<Response/>")], 21213),
        (&[("To", PHONE), ("From", DEFAULT_NUMBER)], 21205),
        (&[("To", "5678"), ("From", DEFAULT_NUMBER), ("Twiml", "<Response/>")], 21217),
        (&[("To", PHONE), ("From", "+15559999999"), ("Twiml", "<Response/>")], 21210),
    ];
    for (form, code) in cases {
        let answer = desk.post(&desk.account("/Calls.json"), form).await;
        assert_eq!((answer.status, answer.json["code"].as_u64()), (400, Some(code)));
    }
    assert_eq!(desk.get(&desk.account("/Calls.json")).await.json["calls"].as_array().unwrap().len(), 0);
}
