use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::bench::{ALICE, BOB, Bench, PATIENCE};

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|message| message["text"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn messages_are_filtered_by_contact_line_status_and_time() {
    let bench = Bench::new().await;
    bench.done(&["telephony", "send", ALICE, "one"]).await;
    bench.done(&["telephony", "send", BOB, "two"]).await;
    bench.run(&["telephony", "send", "+15005550004", "three"]).await;
    let line = bench.twilio.number().to_owned();
    let list = async |more: &[&str]| bench.json(&[&["telephony", "messages", "--json"], more].concat()).await;
    assert_eq!(texts(&list(&[]).await), ["three", "two", "one"]);
    assert_eq!(texts(&list(&["--contact", ALICE]).await), ["one"]);
    assert_eq!(texts(&list(&["--status", "failed", "--since", "1h"]).await), ["three"]);
    assert_eq!(texts(&list(&["--until", "1h"]).await), [] as [&str; 0]);
    assert_eq!(texts(&list(&["--unknown"]).await), [] as [&str; 0]);
    let on_line = list(&["--line", &line, "--limit", "1"]).await;
    assert_eq!((texts(&on_line), &on_line[0]["line"]), (vec!["three"], &line.into()));
    for wrong in [["--status", "fialed"], ["--since", "yesterday"]] {
        assert_eq!(bench.run(&[&["telephony", "messages"], wrong.as_slice()].concat()).await.code, 2, "{wrong:?}");
    }
}

#[tokio::test]
async fn an_empty_store_lists_nothing() {
    let bench = Bench::new().await;
    for (looking, expected) in [
        (vec!["telephony", "messages"], "[]"),
        (vec!["telephony", "messages", "--dead"], "[]"),
        (vec!["telephony", "conversation", ALICE], "[]"),
        (vec!["telephony", "optouts"], "[]"),
        (vec!["pairing", "list", "telephony"], "[]"),
        (vec!["telephony", "status"], "\"gateway\": null"),
        (vec!["telephony", "costs"], "\"rows\": []"),
        (vec!["telephony", "webhook", "show"], "\"routes\""),
    ] {
        let ran = bench.run(&[&looking, ["--json"].as_slice()].concat()).await;
        assert_eq!(ran.code, 0, "{looking:?}: {ran:?}");
        assert!(ran.stdout.contains(expected), "{looking:?}: {ran:?}");
        assert!(ran.stderr.contains("There is no message store yet"), "{looking:?}: {ran:?}");
        assert!(!bench.state().join("telephony").exists(), "{looking:?} made something");
    }
}

#[tokio::test]
async fn follow_prints_new_messages() {
    let mut bench = Bench::new().await;
    bench.configure("inboundPolicy: 'open',");
    bench.start_gateway().await;
    bench.text(ALICE, "before").await;
    bench.texts(ALICE, 1).await;
    let mut command = bench.command();
    command.args(["telephony", "messages", "--follow", "--json"]).stdout(Stdio::piped());
    let mut following = command.spawn().unwrap();
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
    let (send, mut shown) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        while let Some(Ok(line)) = lines.next() {
            send.send(serde_json::from_str::<Value>(&line).unwrap()).ok();
        }
    });
    // The order of the two changes is undefined.
    let mut so_far: Vec<Value> = Vec::new();
    let mut wait_for = async |id: &str, state: &str| {
        let is_it = |message: &Value| message["id"] == id && (message["status"] == state || message["state"] == state);
        let wait = async {
            while !so_far.iter().any(is_it) {
                so_far.push(shown.recv().await.unwrap());
            }
        };
        let waited = tokio::time::timeout(PATIENCE, wait).await;
        assert!(waited.is_ok(), "{id} was never shown as {state}");
    };
    wait_for("in-1", "answered").await;
    bench.text(ALICE, "after").await;
    wait_for("in-2", "answered").await;
    wait_for("out-2", "delivered").await;
    following.kill().unwrap();
    following.wait().unwrap();
}

#[tokio::test]
async fn a_conversation_is_shown_with_escaped_control_characters() {
    let mut bench = Bench::new().await;
    bench.configure("inboundPolicy: 'open',");
    bench.start_gateway().await;
    bench.text(ALICE, "hello\nthere \u{1b}[31mred").await;
    bench.texts(ALICE, 1).await;
    bench.done(&["telephony", "send", ALICE, "news", "--wait"]).await;
    bench.done(&["telephony", "send", BOB, "not yours"]).await;
    let transcript = bench.done(&["telephony", "conversation", ALICE]).await;
    let said: Vec<&str> = transcript.lines().filter_map(|line| line.strip_prefix("    ")).collect();
    // The contact's text is escaped; control characters from the agent are never sent.
    assert_eq!(said, ["hello", "there <U+001B>[31mred", "hello", "there [31mred", "news"]);
    assert!(transcript.contains(&format!("  {ALICE}  [answered]")), "{transcript}");
    assert!(transcript.contains("  assistant (send)  [delivered]"), "{transcript}");
    let json = bench.json(&["telephony", "conversation", ALICE, "--json", "--limit", "2"]).await;
    assert_eq!(texts(&json)[1], "news");
    let stranger = bench.run(&["telephony", "conversation", "+15550001111"]).await;
    assert_eq!((stranger.code, stranger.stdout.as_str()), (0, ""));
}
