//! Commands at a terminal: colors, local times and widths.

use twilio_simulator::DeliveryOutcome;

use crate::bench::{ALICE, Bench, Ran, at_a_terminal, off_thread};

/// A zone whose offset is no whole hour, so that a time in another zone is never taken for one of it.
const ZONE: &str = "Asia/Kathmandu";

/// Runs the program at a terminal in that zone.
async fn seen(bench: &Bench, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    let mut command = bench.command();
    command.args(arguments).env("TERM", "xterm").env("TZ", ZONE).envs(variables.iter().copied());
    off_thread(move || at_a_terminal(command)).await
}

/// Converts a time of JSON to the local time that a person should see.
fn local(time: &serde_json::Value) -> String {
    let time: jiff::Timestamp = time.as_str().unwrap().parse().unwrap();
    time.in_tz(ZONE).unwrap().strftime("%F %T").to_string()
}

#[tokio::test]
async fn times_are_local_at_a_terminal_and_utc_in_json_and_pipes() {
    let bench = Bench::new().await;
    bench.done(&["telephony", "send", ALICE, "Hello"]).await;
    bench.done(&["telephony", "optouts", "add", ALICE]).await;
    let messages = bench.json(&["telephony", "messages", "--json"]).await;
    let opt_outs = bench.json(&["telephony", "optouts", "--json"]).await;
    let id = messages[0]["id"].as_str().unwrap();
    let detail = bench.json(&["telephony", "messages", id, "--json"]).await;
    for (arguments, time) in [
        (vec!["messages"], &messages[0]["time"]),
        (vec!["messages", id], &detail["attempts"][0]["startedAt"]),
        (vec!["conversation", ALICE], &messages[0]["time"]),
        (vec!["optouts"], &opt_outs[0]["at"]),
    ] {
        let arguments = [&["telephony"][..], &arguments].concat();
        let at_terminal = seen(&bench, &arguments, &[]).await.stdout;
        assert!(at_terminal.contains(&local(time)) && !at_terminal.contains("Z "), "{at_terminal}");
        let utc = time.as_str().unwrap();
        assert!(utc.ends_with('Z') && bench.done(&arguments).await.contains(utc), "{arguments:?}: {utc}");
        let asked_for = seen(&bench, &arguments, &[("TZ", "UTC")]).await.stdout;
        assert!(asked_for.contains(utc), "{asked_for}");
    }
    let as_printed = local(&messages[0]["time"]);
    let since = seen(&bench, &["telephony", "messages", "--since", &as_printed], &[]).await.stdout;
    assert!(since.contains("out-1"), "{since}");
    let json = seen(&bench, &["telephony", "messages", "--json"], &[]).await.stdout;
    assert!(json.contains(messages[0]["time"].as_str().unwrap()), "{json}");
}

#[tokio::test]
async fn times_of_requests_and_of_the_gateway_are_local_at_a_terminal() {
    let mut bench = Bench::new().await;
    bench.start_gateway().await;
    bench.text(ALICE, "Hello").await;
    bench.texts(ALICE, 1).await;
    let requests = bench.json(&["pairing", "list", "telephony", "--json"]).await;
    let shown = seen(&bench, &["pairing", "list", "telephony"], &[]).await.stdout;
    for time in ["requestedAt", "expiresAt"] {
        assert!(shown.contains(&local(&requests[0][time])), "{shown}");
    }
    let status = seen(&bench, &["telephony", "status"], &[]).await.stdout;
    let read = bench.json(&["telephony", "status", "--json"]).await["gateway"]["config"]["readAt"].as_i64().unwrap();
    let read = jiff::Timestamp::from_millisecond(read).unwrap().to_string();
    assert!(status.contains(&format!("read {}, in effect", local(&read.into()))), "{status}");
}

#[tokio::test]
async fn colors_show_states_and_labels_at_a_terminal_only() {
    let mut bench = Bench::new().await;
    bench.start_gateway().await;
    bench.twilio.set_outcome(ALICE, DeliveryOutcome::Undelivered(30003));
    bench.run(&["telephony", "send", ALICE, "Hello", "--wait"]).await;
    let red = |text: &str| format!("\x1b[1m\x1b[31m{text}");
    for (arguments, colored) in [
        (vec!["telephony", "messages"], red("undelivered (30003)")),
        (vec!["telephony", "messages", "out-1"], red("undelivered (30003)")),
        (vec!["telephony", "conversation", ALICE], red("undelivered (30003)")),
        (vec!["telephony", "calls", "99"], red("error:\x1b[0m")),
        (vec!["telephony", "calls", "99"], "\x1b[1m\x1b[36mhint:\x1b[0m".to_owned()),
        (vec!["telephony", "doctor"], "\x1b[32mok       \x1b[0mConfiguration".to_owned()),
        (vec!["telephony", "doctor"], "\x1b[1m\x1b[33mwarning  \x1b[0m".to_owned()),
        (vec!["telephony", "status"], "\x1b[1mGateway:   \x1b[0mrunning".to_owned()),
    ] {
        let at_terminal = seen(&bench, &arguments, &[]).await.stdout;
        assert!(at_terminal.contains(&colored), "{arguments:?}: {at_terminal:?}");
        let plain = seen(&bench, &arguments, &[("NO_COLOR", "1")]).await.stdout;
        let piped = bench.run(&arguments).await;
        for output in [plain, piped.stdout, piped.stderr] {
            assert!(!output.contains('\x1b'), "{arguments:?}: {output:?}");
        }
    }
    let json = seen(&bench, &["telephony", "messages", "--json"], &[]).await.stdout;
    assert!(!json.contains('\x1b'), "{json:?}");
}
