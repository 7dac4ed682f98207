use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{SystemTime, UNIX_EPOCH};

use twilio_simulator::{CallOutcome, CallRecord, Fault, FaultExtent, Side};

use crate::bench::{ALICE, BOB, Bench, PATIENCE};

const MESSAGE: &str = "The parcel is here.";
const ANY_HOUR: &str = "limits: { quietHours: null },";

/// Calls with `more` arguments; checks that the program fails and that nothing was dialed. Returns its error.
async fn refused(bench: &Bench, to: &str, more: &[&str]) -> String {
    let ran = bench.run(&[&["telephony", "call", to], more].concat()).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{to} {more:?}: {ran:?}");
    assert!(bench.twilio.calls().is_empty());
    ran.stderr
}

#[tokio::test]
async fn a_text_without_its_option_gets_the_command_to_use() {
    let bench = Bench::calling(ANY_HOUR).await;
    let ran = bench.run(&["telephony", "call", ALICE, "It's", "here"]).await;
    let hint = format!(r"hint: say it with `openclaw telephony call {ALICE} --message 'It'\''s here'`");
    assert!(ran.code == 2 && ran.stderr.contains(&hint), "{ran:?}");
    assert!(bench.twilio.calls().is_empty());
}

fn spoken(call: &CallRecord) -> Vec<&str> {
    call.transcript.iter().filter(|said| said.by == Side::Number).map(|said| said.text.as_str()).collect()
}

#[tokio::test]
async fn a_message_is_said_and_the_call_is_listed() {
    let bench = Bench::calling(ANY_HOUR).await;
    let call = ["telephony", "call", ALICE, "--message", MESSAGE, "--keys", "1w2", "--key", "parcel", "--wait"];
    let said = bench.done(&call).await;
    let lines = [format!("with {ALICE} (outbound): completed"), format!("Message: {MESSAGE}")];
    assert!(lines.iter().all(|line| said.contains(line)), "{said}");
    // The key makes it the same call.
    assert_eq!(bench.done(&call).await, said);
    let calls = bench.twilio.calls();
    assert_eq!((calls.len(), spoken(&calls[0])), (1, vec!["1w2", MESSAGE]));

    let other = bench.run(&["telephony", "call", BOB, "--message", MESSAGE, "--key", "parcel"]).await;
    assert!(other.code == 1 && other.stderr.contains("has this key"), "{other:?}");

    let listed = bench.json(&["telephony", "calls", "--json"]).await;
    assert_eq!((listed[0]["direction"].as_str(), listed[0]["status"].as_str()), (Some("outbound"), Some("completed")));
    let id = listed[0]["id"].to_string();
    let shown = bench.json(&["telephony", "calls", &id, "--json"]).await;
    assert_eq!((&shown["outgoing"]["dialing"], &shown["outgoing"]["message"]), (&"dialed".into(), &MESSAGE.into()));
    let conversation = bench.json(&["telephony", "conversation", ALICE, "--json"]).await;
    let said =
        [0, 1].map(|at| [&conversation[at]["kind"], &conversation[at]["text"]].map(|word| word.as_str().unwrap()));
    assert_eq!(said, [["call", ""], ["message", MESSAGE]]);
    let status = bench.json(&["telephony", "status", "--json"]).await;
    assert_eq!(status["calls"], serde_json::json!({ "today": 1, "open": 0 }));
    let costs = bench.json(&["telephony", "costs", "--json"]).await;
    assert_eq!((&costs["total"]["calls"], &costs["total"]["unknown"]), (&1.into(), &1.into()));
}

#[tokio::test]
async fn the_agent_does_the_task_of_a_call() {
    let bench = Bench::calling(ANY_HOUR).await;
    let call = bench.json(&["telephony", "call", BOB, "--task", "Ask for a table.", "--json"]).await;
    assert_eq!(call["outgoing"]["dialing"], "dialed", "{call}");
    let sid = call["providerId"].as_str().unwrap().to_owned();
    tokio::time::timeout(PATIENCE, bench.twilio.say(&sid, "At eight?")).await.unwrap().unwrap();
    let is_repeated = |call: &CallRecord| spoken(call).contains(&"At eight?");
    bench.twilio.wait_for_calls(|calls| calls.iter().any(is_repeated), PATIENCE).await.unwrap();
    bench.twilio.hang_up(&sid).unwrap();
}

#[tokio::test]
async fn an_unsuccessful_call_says_why() {
    let bench = Bench::calling(ANY_HOUR).await;
    for (outcome, reason) in [
        (CallOutcome::Busy, "the other side was busy"),
        (CallOutcome::Rings, "the call was not answered"),
        (CallOutcome::Failed, "Twilio could not reach the number"),
        (CallOutcome::Fax, "a fax machine answered, and nothing was said"),
    ] {
        bench.twilio.set_call_outcome(ALICE, outcome);
        let ran = bench.run(&["telephony", "call", ALICE, "--message", MESSAGE, "--wait"]).await;
        assert!(ran.code == 1 && ran.stderr.contains(reason), "{ran:?}");
    }
    // A conversation begins before the fax machine is recognized.
    bench.twilio.set_call_outcome(ALICE, CallOutcome::Fax);
    let ran = bench.run(&["telephony", "call", ALICE, "--message", MESSAGE, "--task", "Wait.", "--wait"]).await;
    let was_said = bench.twilio.calls().last().is_some_and(|call| spoken(call).contains(&MESSAGE));
    assert!(was_said && ran.stderr.trim_end().ends_with("a fax machine answered"), "{ran:?}");
    bench.twilio.set_call_outcome(ALICE, CallOutcome::Human);
    bench.twilio.misbehave(Fault::TooManyRequests, FaultExtent::Next(1));
    let ran = bench.run(&["telephony", "call", ALICE, "--message", MESSAGE, "--wait"]).await;
    let hint = "(Twilio error 20429)\nhint: it is not dialed again; place a new call once the cause is fixed\n";
    assert!(ran.code == 1 && ran.stderr.ends_with(hint), "{ran:?}");
}

#[tokio::test]
async fn a_request_without_an_answer_is_reported() {
    let bench = Bench::calling(ANY_HOUR).await;
    bench.twilio.set_call_outcome(ALICE, CallOutcome::Rings);
    for fault in [Fault::CutAfterAccepting, Fault::LoseCallback, Fault::ReadsUnavailable] {
        bench.twilio.misbehave(fault, FaultExtent::All);
    }
    let mut command = bench.command();
    command.args(["telephony", "call", ALICE, "--message", MESSAGE, "--wait"]).stderr(Stdio::piped());
    let said = crate::bench::off_thread(move || {
        let mut child = command.spawn().unwrap();
        let said = BufReader::new(child.stderr.take().unwrap()).lines().next().unwrap().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        said
    });
    let said = said.await;
    assert!(said.contains("Twilio did not answer the request; waiting for Twilio's call list"), "{said}");
}

#[tokio::test]
async fn emergency_premium_and_foreign_numbers_are_refused() {
    let bench = Bench::calling(ANY_HOUR).await;
    for (to, reason) in [
        ("911", "emergency"),
        ("112", "emergency"),
        ("+1911", "emergency"),
        ("999", "emergency"),
        ("+44 999", "emergency"),
        ("+1 900 555 0100", "cost more"),
        ("+44 20 7946 0123", "GB may not be called"),
        ("+1 416 555 0100", "CA may not be called"),
    ] {
        for more in [["--message", MESSAGE], ["--now", "--json"]] {
            let error = refused(&bench, to, &more).await;
            assert!(error.contains(reason) && error.contains("hint:"), "{to}: {error}");
        }
    }
    for (to, reason) in [("+442079460123", "GB may not be called"), ("911", "emergency"), ("+1911", "emergency")] {
        let checked = bench.done(&["telephony", "call", to, "--dry-run"]).await;
        assert!(checked.starts_with(&format!("A call to {to} from ")), "{checked}");
        assert!(checked.contains("would be refused: ") && checked.contains(reason), "{checked}");
        assert!(checked.contains("Nothing was dialed"), "{checked}");
        let checked = bench.run(&["telephony", "call", to, "--dry-run"]).await;
        assert!(checked.stderr.starts_with("hint: "), "{checked:?}");
        let checked = bench.json(&["telephony", "call", to, "--dry-run", "--json"]).await;
        assert!(checked["to"] == to && checked["refused"].as_str().unwrap().contains(reason), "{checked}");
        assert!(checked["hint"].is_string(), "{checked}");
    }
    let error = refused(&bench, ALICE, &["--message", MESSAGE, "--from", BOB]).await;
    assert!(error.contains(&format!("{BOB} is not a number of this channel")), "{error}");
    let checked = bench.done(&["telephony", "call", ALICE, "--dry-run", "--from", BOB]).await;
    assert!(checked.contains(&format!("would be refused: {BOB} is not a number of this channel")), "{checked}");
    let checked = bench.json(&["telephony", "call", ALICE, "--dry-run", "--json"]).await;
    assert!(checked["refused"].is_null() && checked["hint"].is_null(), "{checked}");
    let misspelled = bench.run(&["telephony", "call", "Alice"]).await;
    assert_eq!(misspelled.code, 2, "{misspelled:?}");
    let local = bench.run(&["telephony", "call", "(555) 000-5678"]).await;
    assert!(local.code == 2 && !local.stderr.contains("cost more"), "{local:?}");
    let error = refused(&bench, bench.twilio.number(), &["--message", MESSAGE]).await;
    assert!(error.contains("the assistant's own number"), "{error}");
    for (option, value) in [("--key", ""), ("--message", " "), ("--task", &*"x".repeat(4001))] {
        let ran = bench.run(&["telephony", "call", ALICE, option, value]).await;
        assert_eq!(ran.code, 2, "{option}: {ran:?}");
    }
    let keys = bench.run(&["telephony", "call", ALICE, "--keys", "12x"]).await;
    assert!(keys.code == 2 && keys.stderr.contains("expected digits"), "{keys:?}");
    assert!(bench.twilio.calls().is_empty());
}

#[tokio::test]
async fn quiet_hours_hold_unless_the_operator_passes_now() {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let hour = |hour: u64| format!("{:02}:00", hour % 24);
    let night = format!("{}-{}", hour(seconds / 3600 + 23), hour(seconds / 3600 + 2));
    let bench = Bench::calling(&format!("limits: {{ quietHours: '{night}', timeZone: 'UTC' }},")).await;
    let error = refused(&bench, ALICE, &["--message", MESSAGE]).await;
    assert!(error.contains(&format!("quiet hours ({night})")) && error.contains("--now"), "{error}");
    let mut of_agent = bench.command();
    of_agent.env("OPENCLAW_TURN", "7").args(["telephony", "call", ALICE, "--message", MESSAGE, "--now"]);
    let output = crate::bench::off_thread(move || of_agent.output().unwrap()).await;
    assert_eq!((output.status.code(), bench.twilio.calls().len()), (Some(1), 0));
    bench.done(&["telephony", "call", ALICE, "--message", MESSAGE, "--now"]).await;
}

#[tokio::test]
async fn a_second_message_in_a_turn_is_refused_or_has_a_key() {
    let bench = Bench::calling(ANY_HOUR).await;
    let call = async |message: &str, more: &[&str]| {
        let mut of_agent = bench.command();
        of_agent
            .env("OPENCLAW_TURN", "7")
            .args(["telephony", "call", ALICE, "--message", message, "--wait"])
            .args(more);
        let output = crate::bench::off_thread(move || of_agent.output().unwrap()).await;
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    for _ in 0..2 {
        assert_eq!(call(MESSAGE, &[]).await.0, Some(0), "a repeated turn shows its call");
    }
    let (code, said) = call("It was stolen.", &[]).await;
    assert!(code == Some(1) && said.contains("this turn has already placed call 1 to"), "{said}");
    assert!(said.contains("hint: say everything in one call, or pass --key"), "{said}");
    assert_eq!(bench.twilio.calls().len(), 1);
    assert_eq!(call("It was stolen.", &["--key", "theft"]).await.0, Some(0));
    assert_eq!(bench.twilio.calls().len(), 2);
}

#[tokio::test]
async fn a_call_needs_a_gateway_that_twilio_reaches() {
    let mut bench = Bench::calling(ANY_HOUR).await;
    bench.stop_gateway().await;
    let error = refused(&bench, ALICE, &["--message", MESSAGE]).await;
    assert!(error.contains("calls need a running gateway"), "{error}");
    bench.configure("voice: { enabled: false },");
    let error = refused(&bench, ALICE, &["--message", MESSAGE]).await;
    assert!(error.contains("calls are off") && error.contains("voice.enabled"), "{error}");
    bench.configure(&format!("voice: {{ enabled: true }}, {ANY_HOUR}"));
    bench.start_gateway().await;
    let error = refused(&bench, ALICE, &["--message", MESSAGE]).await;
    assert!(error.contains("no public URL"), "{error}");
}

#[tokio::test]
async fn opted_out_contacts_and_too_many_calls_are_refused() {
    let bench = Bench::calling("limits: { quietHours: null, callsPerHour: 1 }, inboundPolicy: 'open',").await;
    bench.text(ALICE, "STOP").await;
    let error = refused(&bench, ALICE, &["--message", MESSAGE]).await;
    assert!(error.contains("the contact has opted out"), "{error}");
    bench.done(&["telephony", "call", BOB, "--message", MESSAGE, "--wait"]).await;
    let again = bench.run(&["telephony", "call", BOB, "--message", MESSAGE]).await;
    assert!(again.code == 1 && again.stderr.contains("hourly limit on calls (1)"), "{again:?}");
    assert_eq!(bench.twilio.calls().len(), 1);
}
