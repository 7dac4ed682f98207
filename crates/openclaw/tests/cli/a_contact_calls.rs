use serde_json::Value;
use twilio_simulator::{CallRecord, SimulatedCallStatus};

use crate::bench::{ALICE, BOB, Bench, LOOK_EVERY, PATIENCE};

const WORDS: &str = "What is the door code?";

/// Starts a gateway that answers calls.
async fn answering() -> Bench {
    Bench::calling("inboundPolicy: 'open',").await
}

/// Calls from `phone`, says something and waits for the answer, which repeats it. Returns the call's SID.
async fn call(bench: &Bench, phone: &str) -> String {
    let delivery = bench.twilio.call(phone, bench.twilio.number()).await.unwrap();
    assert_eq!(delivery.status, Some(200), "{}", delivery.body);
    let sid = bench.twilio.calls().last().unwrap().sid.clone();
    bench.twilio.say(&sid, WORDS).await.unwrap();
    let hears =
        |call: &CallRecord| call.sid == sid && call.transcript.iter().filter(|said| said.text == WORDS).count() == 2;
    let waited = bench.twilio.wait_for_calls(|calls| calls.iter().any(hears), PATIENCE).await;
    assert!(waited.is_ok(), "{:?}\n{}", bench.twilio.calls().last().unwrap().transcript, bench.gateway_log());
    sid
}

/// Waits until all calls are over, and returns them.
async fn over(bench: &Bench) -> Vec<Value> {
    let all_over = async {
        loop {
            let calls = bench.json(&["telephony", "calls", "--json"]).await;
            let calls = calls.as_array().unwrap().clone();
            if calls.iter().all(|call| call["state"] == "over") {
                return calls;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::time::timeout(PATIENCE, all_over).await.expect("a call does not end")
}

#[tokio::test]
async fn the_operator_reads_exports_and_deletes_a_transcript() {
    let bench = answering().await;
    assert_eq!(bench.run(&["telephony", "calls"]).await.stdout, "");
    let error = bench.run(&["telephony", "calls", "abc"]).await.stderr;
    assert!(error.contains("expected the number of a call, such as 12"), "{error}");
    let sid = call(&bench, ALICE).await;
    bench.twilio.hang_up(&sid).unwrap();
    over(&bench).await;
    let other = call(&bench, BOB).await;
    bench.twilio.hang_up(&other).unwrap();
    let calls = over(&bench).await;
    assert_eq!(calls.iter().map(|call| call["contact"].as_str().unwrap()).collect::<Vec<_>>(), [BOB, ALICE]);
    assert_eq!((calls[1]["status"].as_str(), calls[1]["providerId"].as_str()), (Some("completed"), Some(&*sid)));

    let id = calls[1]["id"].to_string();
    let shown = bench.done(&["telephony", "calls", &id]).await;
    let lines = [
        format!("Call {id} with {ALICE} (inbound): completed"),
        format!("they said: {WORDS}"),
        format!("agent: {WORDS}"),
    ];
    assert!(lines.iter().all(|line| shown.contains(line)), "{shown}");
    let only = bench.json(&["telephony", "calls", "--with", ALICE, "--json"]).await;
    assert_eq!((only.as_array().unwrap().len(), only[0]["turns"].as_u64()), (1, Some(1)));
    let listed = bench.done(&["telephony", "calls", "--limit", "1"]).await;
    assert!(listed.contains(BOB) && !listed.contains(ALICE), "{listed}");
    let missing = bench.run(&["telephony", "calls", "999"]).await;
    assert!(missing.code == 1 && missing.stderr.contains("there is no call 999"), "{missing:?}");

    bench.done(&["telephony", "send", ALICE, "See you."]).await;
    let conversation = bench.json(&["telephony", "conversation", ALICE, "--json"]).await;
    let shown = |entry: &Value| {
        let [kind, direction, text] = ["kind", "direction", "text"].map(|field| entry[field].as_str().unwrap_or("-"));
        format!("{} {kind} {direction}: {text}", entry["call"])
    };
    let entries: Vec<String> = conversation.as_array().unwrap().iter().map(shown).collect();
    assert_eq!(
        entries,
        [
            format!("{id} call inbound: "),
            format!("{id} speech inbound: {WORDS}"),
            format!("{id} answer outbound: {WORDS}"),
            "null - outbound: See you.".to_owned()
        ]
    );
    let read = bench.done(&["telephony", "conversation", ALICE]).await;
    let lines = [
        format!("  {ALICE}  [call {id}: completed]"),
        format!("  {ALICE}  [call {id}]\n    {WORDS}"),
        format!("  assistant  [call {id}]\n    {WORDS}"),
    ];
    assert!(lines.iter().all(|line| read.contains(line)), "{read}");
    let newest = bench.json(&["telephony", "conversation", ALICE, "--json", "--limit", "2"]).await;
    assert_eq!(newest.as_array().unwrap().iter().map(shown).collect::<Vec<_>>(), entries[2..]);
    let other = bench.json(&["telephony", "conversation", BOB, "--json"]).await;
    assert_eq!(other.as_array().unwrap().len(), 3);

    let export = bench.json(&["telephony", "export", ALICE]).await;
    let turn = &export["calls"][0]["transcript"][0];
    let said = [&turn["kind"], &turn["words"], &turn["answer"], &turn["outcome"]].map(|text| text.as_str().unwrap());
    assert_eq!(said, ["speech", WORDS, WORDS, "answered"]);
    let asked = bench.run(&["telephony", "purge", ALICE]).await;
    assert!(asked.stdout.contains("0 messages from them, 1 to them, 1 call,"), "{}", asked.stdout);
    let purged = bench.done(&["telephony", "purge", ALICE, "--yes"]).await;
    assert!(purged.contains("Deleted 1 message and 1 call here"), "{purged}");
    assert_eq!(bench.json(&["telephony", "export", ALICE]).await["calls"], serde_json::json!([]));
    assert_eq!(bench.json(&["telephony", "conversation", ALICE, "--json"]).await, serde_json::json!([]));
    assert_eq!(over(&bench).await.len(), 1);
}

#[tokio::test]
async fn a_purge_without_a_gateway_says_how_an_open_call_ends() {
    let mut bench = answering().await;
    call(&bench, ALICE).await;
    bench.stop_gateway().await;
    let kept = bench.run(&["telephony", "purge", ALICE, "--yes"]).await;
    assert!(kept.code == 1 && kept.stderr.contains("kept 1 call: still in progress at Twilio"), "{kept:?}");
    assert!(kept.stderr.contains("hint: start `openclaw gateway`, which ends it, and run this again"), "{kept:?}");
}

#[tokio::test]
async fn a_purge_ends_an_open_call() {
    let bench = answering().await;
    call(&bench, ALICE).await;
    let purged = bench.done(&["telephony", "purge", ALICE, "--yes"]).await;
    assert!(purged.contains("Deleted 0 messages and 1 call here"), "{purged}");
    assert_eq!(bench.twilio.calls()[0].status, SimulatedCallStatus::Completed);
    assert_eq!(bench.json(&["telephony", "export", ALICE]).await["calls"], serde_json::json!([]));
}
