use serde_json::Value;
use twilio_simulator::{DEFAULT_NUMBER, Fault, FaultExtent, Number, SimulatorConfig};

use crate::bench::{ALICE, BOB, Bench};

fn texts(export: &Value) -> Vec<&str> {
    let messages = export["messages"].as_array().unwrap();
    messages.iter().map(|message| message["message"]["text"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_purge_deletes_here_and_at_twilio_but_keeps_a_stop() {
    let mut bench = Bench::new().await;
    bench.configure("inboundPolicy: 'open',");
    bench.start_gateway().await;
    bench.text(ALICE, "my secret").await;
    bench.texts(ALICE, 1).await;
    bench.done(&["telephony", "send", BOB, "not yours", "--wait"]).await;
    bench.done(&["telephony", "send", ALICE, "news", "--wait"]).await;
    bench.text(ALICE, "STOP").await;
    let export = bench.json(&["telephony", "export", ALICE]).await;
    assert_eq!(texts(&export), ["my secret", "my secret", "news", "STOP"]);
    assert_eq!(export["consents"][0]["wish"], "opt-out");
    assert!(export["messages"][2]["parts"][0]["sid"].is_string(), "{export}");
    let asked = bench.run(&["telephony", "purge", ALICE]).await;
    assert_eq!(asked.code, 1);
    assert!(asked.stdout.contains("2 messages from them, 2 to them"), "{}", asked.stdout);
    assert!(asked.stdout.contains("Kept to protect the contact: the opt-out"), "{}", asked.stdout);
    assert_eq!(texts(&bench.json(&["telephony", "export", ALICE]).await).len(), 4);
    let purged = bench.done(&["telephony", "purge", ALICE, "--at-twilio", "--yes"]).await;
    assert!(
        // The fifth is Twilio's own answer to STOP.
        purged.contains("Deleted 5 messages at Twilio: 2 from them, 3 to them.")
            && purged.contains("Deleted 4 messages here"),
        "{purged}"
    );
    assert!(texts(&bench.json(&["telephony", "export", ALICE]).await).is_empty());
    let at_twilio: Vec<_> = bench.twilio.messages().into_iter().map(|message| message.body).collect();
    assert!(at_twilio.contains(&"not yours".to_owned()), "{at_twilio:?}");
    assert!(!at_twilio.iter().any(|body| body == "my secret" || body == "news"), "{at_twilio:?}");
    assert_eq!(bench.run(&["telephony", "send", ALICE, "hello again"]).await.code, 1);
}

#[tokio::test]
async fn a_purge_deletes_nothing_if_twilio_is_unreachable() {
    let bench = Bench::new().await;
    bench.done(&["telephony", "send", ALICE, "news"]).await;
    let path = bench.configuration();
    let elsewhere = std::fs::read_to_string(&path).unwrap().replace(bench.twilio.base_url(), "http://127.0.0.1:1");
    std::fs::write(&path, elsewhere).unwrap();
    let ran = bench.run(&["telephony", "purge", ALICE, "--at-twilio", "--yes"]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("error: cannot reach 127.0.0.1:"), "{}", ran.stderr);
    assert_eq!(texts(&bench.json(&["telephony", "export", ALICE]).await), ["news"]);
}

#[tokio::test]
async fn a_purge_deletes_unrecorded_messages_at_twilio_and_no_others() {
    const FOREIGN: &str = "+15550007777";
    let numbers = [DEFAULT_NUMBER, FOREIGN].map(Number::new).to_vec();
    let mut bench = Bench::with(SimulatorConfig { numbers, ..SimulatorConfig::default() }).await;
    bench.configure("inboundPolicy: 'open',");
    bench.start_gateway().await;
    bench.text(ALICE, "on record").await;
    bench.texts(ALICE, 1).await;
    bench.rests().await;
    bench.twilio.text(ALICE, FOREIGN, "for another program").await.unwrap();
    bench.done(&["telephony", "purge", ALICE, "--yes"]).await;
    assert!(texts(&bench.json(&["telephony", "export", ALICE]).await).is_empty());
    let purged = bench.run(&["telephony", "purge", ALICE, "--at-twilio", "--yes"]).await;
    assert_eq!(purged.code, 0, "{}", purged.stderr);
    assert!(purged.stdout.contains("Deleted 2 messages at Twilio: 1 from them, 1 to them."), "{}", purged.stdout);
    assert!(purged.stderr.contains("1 message between them and other numbers"), "{}", purged.stderr);
    let left: Vec<_> = bench.twilio.messages().into_iter().map(|message| message.body).collect();
    assert_eq!(left, ["for another program"]);
    let again = bench.done(&["telephony", "purge", ALICE, "--at-twilio", "--yes"]).await;
    assert!(again.contains("Deleted 0 messages at Twilio"), "{again}");
}

#[tokio::test]
async fn a_purge_deletes_nothing_if_twilio_rejects_the_account() {
    for code in [20003, 20005] {
        let bench = Bench::new().await;
        bench.done(&["telephony", "send", ALICE, "news", "--wait"]).await;
        bench.twilio.misbehave(Fault::RefuseAccount { code }, FaultExtent::All);
        let ran = bench.run(&["telephony", "purge", ALICE, "--at-twilio", "--yes"]).await;
        assert!(ran.code == 1 && ran.stderr.contains("hint: "), "{ran:?}");
        assert_eq!(texts(&bench.json(&["telephony", "export", ALICE]).await), ["news"]);
        bench.twilio.behave();
        bench.done(&["telephony", "purge", ALICE, "--at-twilio", "--yes"]).await;
        assert!(texts(&bench.json(&["telephony", "export", ALICE]).await).is_empty());
        assert!(bench.twilio.messages().is_empty());
    }
}

#[tokio::test]
async fn a_purge_deletes_copies_of_a_damaged_journal() {
    let bench = Bench::new().await;
    bench.done(&["telephony", "send", ALICE, "news"]).await;
    let copy = bench.state().join("telephony/telephony.sqlite-arrivals-damaged-1");
    std::fs::write(&copy, "my secret").unwrap();
    let asked = bench.run(&["telephony", "purge", ALICE]).await;
    assert!(asked.stdout.contains("Also deleted: copies of damaged journals"), "{}", asked.stdout);
    assert!(copy.exists());
    bench.done(&["telephony", "purge", ALICE, "--yes"]).await;
    assert!(!copy.exists());
}
