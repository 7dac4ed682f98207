//! The operator edits the configuration while the gateway runs.

use std::time::Instant;

use serde_json::Value;
use twilio_simulator::CallRecord;

use crate::bench::{ALICE, BOB, Bench, PATIENCE};

fn config(status: &Value) -> &Value {
    &status["gateway"]["config"]
}

/// Returns the gateway's problems with the files once it reports any; the command itself cannot use the files either.
async fn problems(bench: &Bench) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let ran = bench.run(&["telephony", "status", "--json"]).await;
        assert_eq!(ran.code, 1);
        let status: Value = serde_json::from_str(&ran.stdout).unwrap();
        if let Some(problems) = config(&status)["problems"].as_str() {
            return problems.to_owned();
        }
        assert!(Instant::now() < deadline, "it stays at {status:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_takes_effect_without_a_restart() {
    let mut bench = Bench::new().await;
    bench.configure("inboundPolicy: 'open', agent: { kind: 'echo' },");
    bench.start_gateway().await;
    let before = bench.wait_for(|status| config(status)["readAt"].is_i64()).await;
    bench.text(ALICE, "one").await;
    assert_eq!(bench.texts(ALICE, 1).await, ["one"]);

    bench.configure(
        "inboundPolicy: 'allowlist', allowFrom: ['+15550005679'], agent: { kind: 'command', command: 'echo other' },",
    );
    let after = bench.wait_for(|status| config(status)["readAt"] != config(&before)["readAt"]).await;
    assert_eq!(after["gateway"]["pid"], before["gateway"]["pid"]);
    assert_eq!(after["gateway"]["agent"], "command");
    assert_eq!(config(&after)["waitingForStart"], serde_json::json!([]));
    bench.text(ALICE, "two").await;
    bench.text(BOB, "hello").await;
    assert_eq!(bench.texts(BOB, 1).await, ["other"]);
    assert_eq!(bench.texts(ALICE, 1).await, ["one"], "no longer on the list");
    assert_eq!(bench.stop_gateway().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_changes_nothing_until_it_is_fixed() {
    let mut bench = Bench::new().await;
    bench.configure("inboundPolicy: 'open', agent: { kind: 'echo' },");
    bench.start_gateway().await;
    bench.configure("inboundPolicy: 'opn',");
    let problems = problems(&bench).await;
    assert!(problems.contains("openclaw.json:5:18: channels.telephony.inboundPolicy: "), "{problems}");
    assert!(bench.gateway_log().contains("is invalid, the previous one stays in effect"));
    bench.text(ALICE, "still there?").await;
    assert_eq!(bench.texts(ALICE, 1).await, ["still there?"]);

    bench.configure("inboundPolicy: 'disabled',");
    bench.wait_for(|status| config(status)["problems"].is_null()).await;
    let shown = bench.done(&["telephony", "status"]).await;
    assert!(shown.contains(", in effect\n"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_need_a_restart_are_named() {
    let mut bench = Bench::new().await;
    bench.start_gateway().await;
    let text = std::fs::read_to_string(bench.configuration()).unwrap();
    let token = bench.twilio.auth_token().to_owned();
    let changed =
        text.replace("port: 0", "port: 0, path: '/other'").replace(&token, "0123456789abcdef0123456789abcdef");
    // As editors do it: a new file replaces the old one.
    let beside = bench.configuration().with_extension("new");
    std::fs::write(&beside, &changed).unwrap();
    std::fs::rename(&beside, bench.configuration()).unwrap();
    let waiting = bench.wait_for(|status| config(status)["waitingForStart"] != serde_json::json!([])).await;
    assert_eq!(config(&waiting)["waitingForStart"], serde_json::json!(["serve.path", "twilio.authToken"]));
    let shown = bench.done(&["telephony", "status"]).await;
    assert!(shown.contains("only after the gateway restarts: serve.path, twilio.authToken"), "{shown}");
    std::fs::write(bench.configuration(), text).unwrap();
    bench.wait_for(|status| config(status)["waitingForStart"] == serde_json::json!([])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_answered_as_before_until_a_restart() {
    let bench = Bench::calling("inboundPolicy: 'open',").await;
    let of_next_call = "ringSeconds: 20, machine: 'hang-up'";
    let changed = format!("enabled: false, {of_next_call}, inboundGreeting");
    replace(&bench.configuration(), "enabled: true, inboundGreeting", &changed);
    let waiting = bench.wait_for(|status| config(status)["waitingForStart"] != serde_json::json!([])).await;
    assert_eq!(config(&waiting)["waitingForStart"], serde_json::json!(["voice.enabled"]));

    let delivery = bench.twilio.call(ALICE, bench.twilio.number()).await.unwrap();
    assert_eq!(delivery.status, Some(200), "{}", delivery.body);
    let sid = bench.twilio.calls()[0].sid.clone();
    bench.twilio.say(&sid, "Are you there?").await.unwrap();
    let answers =
        |calls: &[CallRecord]| calls[0].transcript.iter().filter(|said| said.text == "Are you there?").count() == 2;
    let waited = bench.twilio.wait_for_calls(answers, PATIENCE).await;
    assert!(waited.is_ok(), "{:?}", bench.twilio.calls()[0].transcript);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_pin_needs_a_restart() {
    let mut bench = Bench::new().await;
    bench.configure("voice: { pin: '1234' },");
    bench.start_gateway().await;
    replace(&bench.configuration(), "'1234'", "'5678'");
    let waiting = bench.wait_for(|status| config(status)["waitingForStart"] != serde_json::json!([])).await;
    assert_eq!(config(&waiting)["waitingForStart"], serde_json::json!(["voice.pin"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_reloads_the_configuration() {
    let mut bench = Bench::new().await;
    bench.start_gateway().await;
    let before = bench.wait_for(|status| config(status)["readAt"].is_i64()).await;
    bench.signal("-HUP");
    bench.wait_for(|status| config(status)["readAt"] != config(&before)["readAt"]).await;
    assert_eq!(bench.stop_gateway().await, 0);
}

/// Writes the configuration with the channel's block in a separate file, `block.json5`.
fn include_block(bench: &Bench) -> std::path::PathBuf {
    let text = std::fs::read_to_string(bench.configuration()).unwrap();
    let block = text.split_once("telephony: ").unwrap().1.trim_end().trim_end_matches("} }");
    let file = bench.configuration().with_file_name("block.json5");
    std::fs::write(&file, block).unwrap();
    std::fs::write(bench.configuration(), "{ channels: { telephony: { $include: './block.json5' } } }").unwrap();
    file
}

fn replace(file: &std::path::Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "{text}");
    std::fs::write(file, text.replace(from, to)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_included_fixed_and_missing_files_take_effect() {
    let mut bench = Bench::new().await;
    bench.configure("inboundPolicy: 'open',");
    let file = include_block(&bench);
    bench.start_gateway().await;
    replace(&file, "'open'", "'opn'");
    assert!(problems(&bench).await.contains("block.json5:5:18"));
    replace(&file, "'opn'", "'disabled'");
    bench.wait_for(|status| config(status)["problems"].is_null()).await;

    let beside = file.with_extension("away");
    std::fs::rename(&file, &beside).unwrap();
    assert!(problems(&bench).await.contains("cannot read"));
    std::fs::rename(&beside, &file).unwrap();
    bench.wait_for(|status| config(status)["problems"].is_null()).await;
    assert_eq!(bench.stop_gateway().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_appear_later_are_read() {
    let mut bench = Bench::new().await;
    bench.start_gateway().await;
    let folder = bench.configuration().parent().unwrap().to_owned();
    let before = bench.wait_for(|status| config(status)["readAt"].is_i64()).await;
    std::fs::write(folder.join(".env"), "NGROK_AUTHTOKEN=another\n").unwrap();
    let after = bench.wait_for(|status| config(status)["readAt"] != config(&before)["readAt"]).await;
    assert_eq!(config(&after)["waitingForStart"], serde_json::json!(["tunnel.ngrokAuthToken"]));

    std::fs::write(folder.join("telephony/openclaw.json"), "{ channels: { telephony: {} } }").unwrap();
    assert!(problems(&bench).await.contains("the channel is configured twice"));
    std::fs::remove_file(folder.join("telephony/openclaw.json")).unwrap();
    bench.wait_for(|status| config(status)["problems"].is_null()).await;
    assert_eq!(bench.stop_gateway().await, 0);
}
