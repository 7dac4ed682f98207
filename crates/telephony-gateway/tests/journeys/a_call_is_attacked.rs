use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::StatusCode;
use telephony_domain::call::report::CallStatus;
use telephony_gateway::calls::CALLS_BELOW;
use telephony_providers::twilio::signature::SIGNATURE_HEADER;
use telephony_store::calls::{CallDetail, CallState};

use crate::stage::raw_call::{RawCall, said, token};
use crate::stage::{ALICE, Plan, Scripted};

/// The longest document that Twilio accepts.
const LONGEST_DOCUMENT: usize = 64 * 1024;

/// A gateway that answers calls, and needs no filler even on a busy machine.
fn plan() -> Plan {
    Plan { takes_calls: true, filler_after: Duration::from_secs(9), ..Plan::default() }
}

#[tokio::test]
async fn forged_requests_are_rejected_and_change_nothing() {
    let agent = Scripted::repeating();
    let stage = plan().with_agent(agent.clone()).start().await;
    let (call, first) = RawCall::place(&stage, 1).await;
    let other = RawCall { stage: &stage, sid: format!("CA{:032x}", 2) };
    let speech = [("CallStatus", "in-progress"), ("SpeechResult", "Open the door."), ("Confidence", "0.9")];
    let webhook = stage.webhook_url();
    let document = format!("{webhook}/{CALLS_BELOW}/{}", token(&first));
    for (url, form) in [
        (&webhook, other.form(&[("CallStatus", "ringing")])),
        (&webhook, call.form(&[("CallStatus", "completed")])),
        (&webhook, call.form(&[("AnsweredBy", "fax")])),
        (&document, call.form(&speech)),
        (&stage.url("/telephony/status"), call.form(&[("CallStatus", "completed")])),
    ] {
        for signature in [None, Some(""), Some("AAAA"), Some("0/KCTR6DLpKmkAf8muzZqo1nDgQ=")] {
            let request = reqwest::Client::new().post(url).body(form.clone());
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            let request = signature.into_iter().fold(request, |all, text| all.header(SIGNATURE_HEADER, text));
            assert_eq!(request.send().await.unwrap().status(), StatusCode::FORBIDDEN, "{url} {form}");
        }
    }
    assert_eq!(stage.store().calls(None, u32::MAX).await.unwrap().len(), 1);
    assert_eq!((call.stored().await.entry.state, agent.questions().len()), (CallState::Open, 0));
    assert_eq!(said(&call.says(token(&first), "Hello.").await), "Hello.");
}

#[tokio::test]
async fn a_replayed_request_gets_its_document_again_and_no_second_turn() {
    let agent = Scripted::repeating();
    let stage = plan().with_agent(agent.clone()).start().await;
    let (call, first) = RawCall::place(&stage, 1).await;
    assert_eq!(call.request(None, &[("CallStatus", "ringing")]).await, first);
    // Twilio repeats a request whose answer is late while the first one still waits.
    let (answer, again) = tokio::join!(call.says(token(&first), "Hello."), call.says(token(&first), "Hello."));
    assert_eq!((said(&answer).as_str(), &again), ("Hello.", &answer));
    assert_eq!(call.says(token(&first), "Hello.").await, answer);
    let next = call.says(token(&answer), "How are you?").await;
    // An address that was used gets the current document, whatever comes with it.
    for words in ["Hello.", "Open the door."] {
        assert_eq!(call.says(token(&first), words).await, next);
        assert_eq!(call.says(token(&answer), words).await, next);
    }
    assert_eq!(agent.questions(), ["Hello.", "How are you?"]);
    assert_eq!(call.words().await, ["Hello.", "How are you?"]);
    call.reports("completed").await;
    for replayed in [call.says(token(&next), "One more thing.").await, call.says(token(&first), "Hello.").await] {
        assert_eq!(replayed, "<Response><Hangup/></Response>");
    }
    call.request(None, &[("CallStatus", "ringing")]).await;
    assert_eq!((call.stored().await.entry.state, agent.questions().len()), (CallState::Over, 2));
    assert_eq!(stage.store().calls(None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_foreign_call_and_guessed_addresses_change_nothing() {
    let agent = Scripted::repeating();
    let stage = plan().with_agent(agent.clone()).start().await;
    let (call, first) = RawCall::place(&stage, 1).await;
    let (foreign, _) = RawCall::place(&stage, 2).await;
    let speech = [("CallStatus", "in-progress"), ("SpeechResult", "Open the door."), ("Confidence", "0.9")];
    assert_eq!(foreign.post(Some(token(&first)), &speech).await.status(), StatusCode::FORBIDDEN);
    foreign.reports("completed").await;
    let own = token(&first);
    // Of the right form, but of no call.
    for guess in ["0".repeat(32), "f".repeat(32), own.chars().rev().collect()] {
        assert_eq!(call.says(&guess, "Open the door.").await, "<Response><Hangup/></Response>", "{guess}");
    }
    for guess in [&own[1..], &format!("{own}0"), &own.to_uppercase(), &"g".repeat(32), ""] {
        assert_eq!(call.post(Some(guess), &speech).await.status(), StatusCode::NOT_FOUND, "{guess}");
    }
    assert_eq!((call.stored().await.entry.state, agent.questions().len()), (CallState::Open, 0));
    assert_eq!(said(&call.says(own, "Hello.").await), "Hello.");
    assert_eq!(foreign.stored().await.entry.state, CallState::Over);
}

#[tokio::test]
async fn a_document_is_only_for_its_own_call() {
    let stage = plan().start().await;
    let (call, first) = RawCall::place(&stage, 1).await;
    let foreign = RawCall { stage: &stage, sid: format!("CA{:032x}", 2) };
    let foreign = foreign.post(Some(token(&first)), &[("CallStatus", "in-progress")]).await;
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN);
    assert_eq!(foreign.text().await.unwrap(), "the document belongs to another call\n");
    let unknown = call.request(Some(&"0".repeat(32)), &[("CallStatus", "in-progress")]).await;
    assert_eq!(unknown, "<Response><Hangup/></Response>");
    let document = call.request(Some(token(&first)), &[("CallStatus", "in-progress")]).await;
    assert_eq!(said(&document), "Are you still there?");
}

#[tokio::test]
async fn a_document_is_only_for_signed_requests_with_post() {
    let stage = plan().start().await;
    let url = format!("{}/{CALLS_BELOW}/{}", stage.webhook_url(), "0".repeat(32));
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::new();
    assert_eq!(client.post(&url).body("CallSid=CA1").send().await.unwrap().status(), 403);
    assert_eq!(client.get(&url).send().await.unwrap().status(), 405);
}

#[tokio::test]
async fn as_much_speech_as_a_request_holds_is_answered_within_the_limits() {
    let agent = Scripted::repeating();
    let stage = plan().with_agent(agent.clone()).start().await;
    let (call, first) = RawCall::place(&stage, 1).await;
    let words = "a & b. ".repeat(6_000);
    let answer = call.says(token(&first), words.trim()).await;
    assert!(answer.len() <= LONGEST_DOCUMENT && said(&answer).starts_with("a & b."), "{} bytes", answer.len());
    assert_eq!(agent.questions(), [words.trim()]);
    assert_eq!(call.words().await, [words.trim()]);
    let too_long = [("CallStatus", "in-progress"), ("SpeechResult", &"a".repeat(LONGEST_DOCUMENT))];
    assert_eq!(call.post(Some(token(&answer)), &too_long).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(said(&call.says(token(&answer), "Hello.").await), "Hello.");
}

#[tokio::test]
async fn markup_and_control_characters_in_speech_are_only_words() {
    let agent = Scripted::repeating();
    let stage = plan().with_agent(agent.clone()).start().await;
    let (call, mut document) = RawCall::place(&stage, 1).await;
    for words in [
        "x]]>y",
        "x\0y",
        "</Say></Gather><Hangup/>",
        "&lt;Hangup/&gt; &amp; &#0;",
        "<!DOCTYPE r [<!ENTITY e \"x\">]>&e;",
        "\u{1b}[2J \u{202e}abc \u{fffe}\u{ffff}",
        "'; DROP TABLE call; --",
        "\0",
    ] {
        document = call.says(token(&document), words).await;
        let tree = roxmltree::Document::parse(&document).unwrap();
        let verbs: Vec<_> = tree.root_element().children().map(|verb| verb.tag_name().name().to_owned()).collect();
        assert_eq!(verbs, ["Gather", "Redirect"], "{words:?}: {document}");
        assert!(!document.contains('\0') && !document.contains('\u{1b}'), "{words:?}: {document}");
    }
    assert_eq!(said(&call.says(token(&document), "x]]>y.").await), "x]]>y.");
    assert!(agent.questions().contains(&"</Say></Gather><Hangup/>".to_owned()), "{:?}", agent.questions());
    assert_eq!(call.stored().await.entry.state, CallState::Open);
}

/// Every order of these.
fn orders(statuses: &[&'static str]) -> Vec<Vec<&'static str>> {
    if statuses.is_empty() {
        return vec![Vec::new()];
    }
    let rest = |without: usize| {
        let left: Vec<_> = statuses.iter().enumerate().filter(|(n, _)| *n != without).map(|(_, word)| *word).collect();
        orders(&left)
    };
    (0..statuses.len())
        .flat_map(|first| rest(first).into_iter().map(move |rest| [&[statuses[first]], &rest[..]].concat()))
        .collect()
}

#[tokio::test]
async fn reports_in_every_order_and_twice_end_a_call_once() {
    let stage = Plan { max_sessions: 1000, ..plan() }.start().await;
    let orders = orders(&["initiated", "ringing", "in-progress", "completed"]);
    assert_eq!(orders.iter().collect::<BTreeSet<_>>().len(), 24);
    for (number, order) in orders.iter().enumerate() {
        let (call, first) = RawCall::place(&stage, number as u32).await;
        let answer = call.says(token(&first), "Hello.").await;
        for status in order.iter().chain(order) {
            call.reports(status).await;
            // Reports without a status may come at any time.
            call.request(None, &[("AnsweredBy", "machine_end_beep")]).await;
            call.request(None, &[("RecordingSid", "RE1"), ("RecordingStatus", "completed")]).await;
            call.request(None, &[("StreamSid", "MZ1"), ("StreamEvent", "stream-stopped")]).await;
        }
        let CallDetail { entry, turns, .. } = call.stored().await;
        assert_eq!((entry.state, entry.status), (CallState::Over, Some(CallStatus::Completed)), "{order:?}");
        assert_eq!(turns.len(), 1, "{order:?}");
        assert_eq!(call.says(token(&answer), "Hello?").await, "<Response><Hangup/></Response>", "{order:?}");
    }
    assert!(stage.bodies(ALICE).is_empty());
}

#[tokio::test]
async fn the_first_report_of_the_end_counts() {
    let stage = plan().start().await;
    let ends = ["busy", "no-answer", "failed", "canceled", "completed"];
    for (number, status) in ends.into_iter().enumerate() {
        let (call, _) = RawCall::place(&stage, number as u32).await;
        for status in [status].into_iter().chain(ends) {
            call.reports(status).await;
        }
        let entry = call.stored().await.entry;
        assert_eq!((entry.state, entry.status.map(CallStatus::as_str)), (CallState::Over, Some(status)));
    }
}

#[tokio::test]
async fn a_report_on_an_unknown_call_is_acknowledged_and_opens_none() {
    let stage = plan().start().await;
    let call = RawCall { stage: &stage, sid: format!("CA{:032x}", 7) };
    for status in ["initiated", "ringing", "in-progress", "completed"] {
        call.reports(status).await;
    }
    call.request(None, &[("AnsweredBy", "human")]).await;
    assert!(stage.store().calls(None, 1).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_call_of_many_turns_stays_in_order() {
    const TURNS: usize = 300;
    let agent = Scripted::repeating();
    let stage = plan().with_agent(agent.clone()).start().await;
    let (call, mut document) = RawCall::place(&stage, 1).await;
    for turn in 0..TURNS {
        let words = format!("turn {turn}.");
        document = call.says(token(&document), &words).await;
        assert_eq!(said(&document), words);
    }
    assert_eq!(call.words().await.len(), TURNS);
    assert_eq!(agent.questions().len(), TURNS);
}
