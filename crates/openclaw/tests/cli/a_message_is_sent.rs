use twilio_simulator::DeliveryOutcome;

use twilio_simulator::{Fault, FaultExtent};

use crate::bench::{ALICE, BOB, Bench, run};
use crate::diagnosis::edit;

const TEXT: &str = "Hello from OpenClaw!";

#[tokio::test]
async fn without_a_gateway_the_command_sends_it_itself() {
    let bench = Bench::new().await;
    let printed = bench.done(&["telephony", "send", ALICE, TEXT]).await;
    let message = bench.twilio.messages().remove(0);
    assert_eq!(printed, format!("Sent: {} (queued, 1 segment)\n", message.sid));
    assert_eq!((message.to.as_str(), message.body.as_str()), (ALICE, TEXT));
}

#[tokio::test]
async fn with_a_running_gateway_the_gateway_sends_it() {
    let mut bench = Bench::new().await;
    bench.start_gateway().await;
    let report = bench.json(&["telephony", "send", ALICE, TEXT, "--json", "--wait"]).await;
    assert_eq!(report["parts"][0]["status"], "delivered");
    assert_eq!(report["parts"][0]["sid"], bench.twilio.messages()[0].sid);
    assert_eq!(bench.twilio.messages().len(), 1);
    assert_eq!(bench.stop_gateway().await, 0);
}

#[tokio::test]
async fn the_same_key_twice_is_sent_once() {
    let bench = Bench::new().await;
    for _ in 0..2 {
        bench.done(&["telephony", "send", ALICE, TEXT, "--key", "appointment-7"]).await;
    }
    assert_eq!(bench.twilio.messages().len(), 1);
}

#[tokio::test]
async fn a_dry_run_shows_the_parts_and_sends_nothing() {
    let bench = Bench::new().await;
    let long = "All work and no play makes Jack a dull boy. ".repeat(40);
    let plan = bench.json(&["telephony", "send", ALICE, &long, "--dry-run", "--json"]).await;
    let parts = plan["parts"].as_array().unwrap();
    assert_eq!(parts.len(), 2);
    assert!(parts[0]["text"].as_str().unwrap().starts_with("[1/2] "));
    let segments: u64 = parts.iter().map(|part| part["segments"].as_u64().unwrap()).sum();
    assert_eq!(plan["segments"].as_u64().unwrap(), segments);
    assert_eq!(bench.twilio.creations(), 0);
}

#[tokio::test]
async fn a_rejection_by_twilio_is_explained() {
    let bench = Bench::new().await;
    // Twilio's magic number for a recipient who opted out.
    let ran = bench.run(&["telephony", "send", "+15005550004", TEXT]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.starts_with("error: not sent (Twilio error 21610): The recipient"), "{}", ran.stderr);
    assert!(ran.stderr.contains("hint: "), "{}", ran.stderr);
    let again = bench.run(&["telephony", "send", "+15005550004", TEXT]).await;
    assert_eq!(again.code, 1);
    assert!(again.stderr.contains("opted out") && again.stderr.contains("START"), "{}", again.stderr);
    assert_eq!(bench.twilio.creations(), 1, "the second was refused without asking Twilio");
}

#[tokio::test]
async fn a_text_is_sent_byte_for_byte() {
    let bench = Bench::new().await;
    for text in ["-n --json", "line one\nline two\t", "naïve 👩‍👩‍👧 $HOME `ls` \"quoted\" \\n"] {
        bench.done(&["telephony", "send", ALICE, text]).await;
        assert_eq!(bench.twilio.messages().last().unwrap().body, text);
    }
}

#[tokio::test]
async fn a_number_is_accepted_as_it_is_printed() {
    let bench = Bench::new().await;
    for (number, count) in [("+1 555 000 5678", 1), ("+1 (555) 000-5678", 2), ("sms:+1-555-000-5678", 3)] {
        bench.done(&["telephony", "send", number, TEXT]).await;
        assert_eq!(bench.twilio.messages().last().unwrap().to, ALICE, "{number}");
        let conversation = bench.json(&["telephony", "conversation", number, "--json"]).await;
        assert_eq!(conversation.as_array().unwrap().len(), count, "{number}");
    }
    bench.done(&["telephony", "optouts", "add", "+1 (555) 000-5679", "--line", "+1 555 000 1234"]).await;
    assert!(bench.done(&["telephony", "optouts"]).await.contains(BOB));
}

#[test]
fn words_without_quotes_get_a_command_to_copy() {
    let ran = run(&["telephony", "send", ALICE, "hello", "there", "it's", "me"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    let command = r"openclaw telephony send +15550005678 'hello there it'\''s me'";
    assert!(ran.stderr.contains(command), "{}", ran.stderr);
    let options = ["--dry-run", "--media", "https://example.com/a b.png", "--key", "k", "--json"];
    let ran = run(&[&["telephony", "send", ALICE, "hello", "there"], &options[..]].concat());
    let command = "'hello there' --media 'https://example.com/a b.png' --key 'k' --dry-run --json\n";
    assert!(ran.code == 2 && ran.stderr.ends_with(command), "{}", ran.stderr);
    let ran = run(&["telephony", "send", "+1", "555", "000", "5678", "hello"]);
    assert!(ran.code == 2 && ran.stderr.contains("put quotes around one with spaces"), "{}", ran.stderr);
}

#[tokio::test]
async fn sent_and_received_messages_can_be_listed_and_shown() {
    let bench = Bench::new().await;
    bench.done(&["telephony", "send", ALICE, TEXT]).await;
    let list = bench.json(&["telephony", "messages", "--json"]).await;
    assert_eq!((&list[0]["id"], &list[0]["text"]), (&"out-1".into(), &TEXT.into()));
    let sid = bench.twilio.messages()[0].sid.clone();
    for reference in ["out-1", sid.as_str()] {
        let detail = bench.json(&["telephony", "messages", reference, "--json"]).await;
        assert_eq!(detail["parts"][0]["sid"], sid);
        assert_eq!(detail["attempts"][0]["outcome"], "sent");
    }
    let ran = bench.run(&["telephony", "messages", "out-77"]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.starts_with("error: there is no such message\nhint: "), "{}", ran.stderr);
}

#[tokio::test]
async fn an_undelivered_message_is_explained() {
    let bench = Bench::new().await;
    bench.twilio.set_outcome(ALICE, DeliveryOutcome::Undelivered(30003));
    let ran = bench.run(&["telephony", "send", ALICE, TEXT, "--wait"]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("did not arrive (Twilio error 30003): The phone"), "{}", ran.stderr);
    let shown = bench.done(&["telephony", "messages", "out-1"]).await;
    assert!(shown.contains("undelivered, 1 segment, 0.0079 USD, error 30003: The phone"), "{shown}");
}

#[tokio::test]
async fn a_message_in_a_long_queue_shows_when_it_will_leave() {
    let bench = Bench::new().await;
    // One segment per quarter of an hour: the second waits, however slow this machine is.
    edit(&bench, "segmentsPerSecond: null", "segmentsPerSecond: 0.001");
    bench.done(&["telephony", "send", ALICE, TEXT]).await;
    let ran = bench.run(&["telephony", "send", ALICE, TEXT, "--json"]).await;
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("it should be sent in ") && ran.stderr.contains("not sent yet, but kept"), "{ran:?}");
    assert!(ran.stdout.contains("\"expectedAt\": \"20"), "{}", ran.stdout);
    let status = bench.json(&["telephony", "status", "--json"]).await;
    assert_eq!(status["outbox"]["queuedSegments"], 1);
}

#[tokio::test]
async fn a_message_behind_another_leaves_right_after_it() {
    let bench = Bench::new().await;
    edit(&bench, "segmentsPerSecond: null", "segmentsPerSecond: 1");
    for text in ["one", "two"] {
        bench.done(&["telephony", "send", ALICE, text]).await;
    }
    let bodies: Vec<_> = bench.twilio.messages().into_iter().map(|message| message.body).collect();
    assert_eq!(bodies, ["one", "two"]);
}

#[tokio::test]
async fn an_outcome_that_stays_unknown_is_shown_by_status() {
    let bench = Bench::new().await;
    bench.twilio.misbehave(Fault::ServerError, FaultExtent::All);
    let ran = bench.run(&["telephony", "send", ALICE, TEXT]).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    let answer = "(Twilio error 20500): Twilio had an internal error; it is unknown whether the request was executed (HTTP status 500)";
    assert!(ran.stderr.contains(answer), "{}", ran.stderr);
    let status = bench.json(&["telephony", "status", "--json"]).await;
    let in_doubt = status["outbox"]["unknown"].as_u64().unwrap();
    let given_up = status["finallyUnknown"].as_array().unwrap().len();
    assert_eq!(in_doubt + given_up as u64, 1, "{status}");
}

/// Without a gateway, only the next command can send what an earlier one left behind.
#[tokio::test]
async fn messages_of_an_earlier_command_are_sent_first() {
    let bench = with_left_behind("first").await;
    bench.twilio.behave();
    bench.done(&["telephony", "send", ALICE, "second"]).await;
    let bodies: Vec<_> = bench.twilio.messages().into_iter().map(|message| message.body).collect();
    assert_eq!(bodies, ["first", "second"]);
}

async fn with_left_behind(text: &str) -> Bench {
    for _ in 0..10 {
        let bench = Bench::new().await;
        if is_left_behind(&bench, text).await {
            return bench;
        }
    }
    panic!("ten commands were ended, and each was just making an attempt");
}

/// Ends a command whose message waits for another attempt; returns false if it was just making one.
async fn is_left_behind(bench: &Bench, text: &str) -> bool {
    bench.twilio.misbehave(Fault::TooManyRequests, FaultExtent::All);
    let mut command = bench.command().args(["telephony", "send", ALICE, text]).spawn().unwrap();
    let is_put_off = |outbox: &serde_json::Value| outbox["queued"] == 1 && outbox["sending"] == 0;
    bench.wait_for(|status| bench.twilio.creations() > 0 && is_put_off(&status["outbox"])).await;
    command.kill().unwrap();
    command.wait().unwrap();
    is_put_off(&bench.json(&["telephony", "status", "--json"]).await["outbox"])
}

#[tokio::test]
async fn the_operators_text_is_never_shortened() {
    let bench = Bench::new().await;
    let long = "word ".repeat(1400);
    let plan = bench.json(&["telephony", "send", ALICE, &long, "--dry-run", "--json"]).await;
    assert!(plan["segments"].as_u64().unwrap() > 30, "{plan}");
    let last = plan["parts"].as_array().unwrap().last().unwrap()["text"].as_str().unwrap();
    assert!(last.ends_with("word"), "{last}");
}

#[tokio::test]
async fn a_message_beyond_the_daily_limit_shows_why_it_leaves_tomorrow() {
    let bench = Bench::new().await;
    bench.configure("limits: { segmentsPerDay: 1 },");
    bench.done(&["telephony", "send", ALICE, TEXT]).await;
    for contact in [ALICE, BOB] {
        let ran = bench.run(&["telephony", "send", contact, TEXT, "--json"]).await;
        assert_eq!(ran.code, 1, "{ran:?}");
        let expected = "limits.segmentsPerDay is reached: it should be sent in ";
        assert!(ran.stderr.contains(expected) && ran.stderr.contains("h, at 20"), "{}", ran.stderr);
        assert!(ran.stderr.contains("error: not sent yet, but kept"), "{}", ran.stderr);
        let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(report["waitsFor"], "segmentsPerDay", "{report}");
        assert_eq!(report["parts"][0]["waitsFor"], "segmentsPerDay", "{report}");
    }
    let status = bench.json(&["telephony", "status", "--json"]).await;
    assert_eq!(
        (&status["outbox"]["queuedSegments"], &status["outbox"]["queueWaitsFor"]),
        (&2.into(), &"segmentsPerDay".into())
    );
    let shown = bench.done(&["telephony", "status"]).await;
    assert!(shown.contains("Queue:     2 segments, sent by 20"), "{shown}");
    assert!(shown.contains("Z: limits.segmentsPerDay is reached"), "{shown}");
    let behind = bench.done(&["telephony", "messages", "out-3"]).await;
    assert!(behind.contains("waits for limits.segmentsPerDay until 20"), "{behind}");
}

#[tokio::test]
async fn a_dry_run_reports_a_future_rejection() {
    let bench = Bench::new().await;
    let plan = bench.json(&["telephony", "send", ALICE, TEXT, "--dry-run", "--json"]).await;
    assert!(plan["refused"].is_null(), "{plan}");
    bench.done(&["telephony", "optouts", "add", ALICE]).await;
    let plan = bench.json(&["telephony", "send", ALICE, TEXT, "--dry-run", "--json"]).await;
    assert_eq!(plan["refused"], "the contact has opted out of messages from this line");
    let shown = bench.done(&["telephony", "send", ALICE, TEXT, "--dry-run"]).await;
    assert!(
        shown.ends_with("--- It would be rejected: the contact has opted out of messages from this line.\n"),
        "{shown}"
    );
    let other = bench.done(&["telephony", "send", BOB, TEXT, "--dry-run"]).await;
    assert!(!other.contains("would not be sent"), "{other}");
    assert_eq!(bench.twilio.creations(), 0);
}
