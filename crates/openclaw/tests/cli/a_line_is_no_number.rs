use twilio_simulator::{Number, SimulatorConfig};

use crate::bench::{ALICE, Bench};

#[tokio::test]
async fn a_short_code_is_a_line_like_any_other() {
    let config = SimulatorConfig { numbers: vec![Number::new("72345")], ..SimulatorConfig::default() };
    let mut bench = Bench::with(config).await;
    bench.configure("inboundPolicy: 'open', allowFrom: ['*']");
    bench.start_gateway().await;
    bench.text(ALICE, "hello").await;
    assert_eq!(bench.texts(ALICE, 1).await, ["hello"]);
    bench.done(&["telephony", "send", ALICE, "news"]).await;
    let messages = bench.twilio.messages();
    assert!(messages.iter().filter(|m| m.is_outbound()).all(|m| m.from.as_deref() == Some("72345")));
    let listed = bench.json(&["telephony", "messages", "--contact", ALICE, "--json"]).await;
    assert!(listed.as_array().unwrap().iter().all(|message| message["line"] == "72345"), "{listed}");
    let synced = bench.done(&["telephony", "webhook", "sync", "--yes", "--url", "https://phone.example.com"]).await;
    assert!(synced.contains("72345 (SC") && synced.contains("https://phone.example.com"), "{synced}");
    let shown = bench.done(&["telephony", "webhook", "show"]).await;
    assert!(shown.contains("https://phone.example.com") && !shown.contains("Attention"), "{shown}");
    bench.done(&["telephony", "webhook", "undo", "--yes"]).await;
    let doctor = bench.run(&["telephony", "doctor", "--json"]).await;
    assert!(doctor.stdout.contains("72345: short code") && !doctor.stdout.contains("number-missing"), "{doctor:?}");
    bench.text(ALICE, "STOP").await;
    let sent = bench.run(&["telephony", "send", ALICE, "more"]).await;
    assert!(sent.code == 1 && sent.stderr.contains("opted out"), "{sent:?}");
}

#[tokio::test]
async fn a_sender_id_sends_and_says_that_nothing_comes_back() {
    let bench = Bench::new().await;
    bench.configure("publicUrl: 'https://phone.example.com'");
    let text = std::fs::read_to_string(bench.configuration()).unwrap();
    std::fs::write(bench.configuration(), text.replace(bench.twilio.number(), "My-Bank 1")).unwrap();
    let checked = bench.run(&["telephony", "config", "check"]).await;
    assert!(checked.code == 0 && checked.stderr.contains("only sends"), "{checked:?}");
    bench.done(&["telephony", "send", ALICE, "news"]).await;
    let messages = bench.twilio.messages();
    assert_eq!(messages[0].from.as_deref(), Some("My-Bank 1"));
    let synced = bench.run(&["telephony", "webhook", "sync", "--yes"]).await;
    assert!(synced.code == 0 && synced.stderr.contains("sender id"), "{synced:?}");
    let doctor = bench.run(&["telephony", "doctor", "--json"]).await;
    assert!(doctor.stdout.contains("\"sender-id\"") && !doctor.stdout.contains("number-missing"), "{doctor:?}");
}
