use twilio_simulator::{Number, Service, SimulatorConfig};

use crate::bench::{ALICE, Bench};
use crate::diagnosis::doctor;
use crate::the_channel_is_set_up::{bare_with, read, setup};

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
async fn a_short_code_can_belong_to_a_messaging_service() {
    const OURS: &str = "MG0123456789abcdef0123456789abcdef";
    const OTHER: &str = "MG1123456789abcdef0123456789abcdef";
    let with = async |service: Service, is_ours: bool| {
        let service = Service {
            inbound_request_url: Some("https://phone.example.com/telephony/webhook".to_owned()),
            use_inbound_webhook_on_number: false,
            ..service
        };
        let (numbers, services) = (vec![Number::new("72345")], vec![service]);
        let bench = Bench::with(SimulatorConfig { numbers, services, ..SimulatorConfig::default() }).await;
        bench.configure("publicUrl: 'https://phone.example.com'");
        if is_ours {
            let text = std::fs::read_to_string(bench.configuration()).unwrap();
            let with_ours = format!("twilio: {{ messagingServiceSid: '{OURS}', ");
            std::fs::write(bench.configuration(), text.replace("twilio: { ", &with_ours)).unwrap();
        }
        doctor(&bench).await
    };
    let diagnosis = with(Service::new(OTHER, &["72345"]), false).await;
    assert!(diagnosis.detail("webhook-of-another-service").contains(OTHER));
    let diagnosis = with(Service::new(OURS, &["72345"]), true).await;
    for id in ["service-without-numbers", "webhook-not-set", "webhook-of-another-service"] {
        diagnosis.has_not(id);
    }
    assert!(diagnosis.is_well("1 short code"), "{:#}", diagnosis.report);
    let diagnosis = with(Service::new(OURS, &[]), true).await;
    diagnosis.has("service-without-numbers");
    diagnosis.has("webhook-not-set");
}

#[tokio::test]
async fn a_sender_id_sends_and_warns_that_replies_are_impossible() {
    let bench = Bench::new().await;
    bench.configure("publicUrl: 'https://phone.example.com'");
    let text = std::fs::read_to_string(bench.configuration()).unwrap();
    std::fs::write(bench.configuration(), text.replace(bench.twilio.number(), "My-Bank 1")).unwrap();
    let checked = bench.run(&["telephony", "config", "check"]).await;
    assert!(checked.code == 0 && checked.stderr.contains("can only send"), "{checked:?}");
    bench.done(&["telephony", "send", ALICE, "news"]).await;
    let messages = bench.twilio.messages();
    assert_eq!(messages[0].from.as_deref(), Some("My-Bank 1"));
    let synced = bench.run(&["telephony", "webhook", "sync", "--yes"]).await;
    assert!(synced.code == 0 && synced.stderr.contains("sender id"), "{synced:?}");
    let doctor = bench.run(&["telephony", "doctor", "--json"]).await;
    assert!(doctor.stdout.contains("\"sender-id\"") && !doctor.stdout.contains("number-missing"), "{doctor:?}");
}

#[tokio::test]
async fn a_sender_id_sends_no_files() {
    let bench = Bench::new().await;
    bench.configure("");
    let text = std::fs::read_to_string(bench.configuration()).unwrap();
    std::fs::write(bench.configuration(), text.replace(bench.twilio.number(), "ACME")).unwrap();
    for more in [&["--dry-run"][..], &[]] {
        let send = ["telephony", "send", ALICE, "look", "--media", "https://example.com/cat.jpg"];
        let ran = bench.run(&[&send[..], more].concat()).await;
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.stderr.contains("the sender id ACME cannot send pictures"), "{ran:?}");
        assert!(ran.stderr.contains("hint: "), "{ran:?}");
    }
    assert!(bench.twilio.messages().is_empty());
}

#[tokio::test]
async fn setup_accepts_the_same_lines_as_the_configuration() {
    let config = SimulatorConfig { numbers: vec![Number::new("72345")], ..SimulatorConfig::default() };
    for (line, warned) in [("72345", false), ("sms:72345", false), ("My-Bank 1", true), ("ACME", true)] {
        let bench = bare_with(config.clone()).await;
        let ran = setup(&bench, &["--from-number", line, "--agent", "echo", "--no-webhook", "--yes"]).await;
        assert_eq!(ran.code, 0, "{line}: {ran:?}");
        assert_eq!(ran.stderr.contains("can only send"), warned, "{line}: {ran:?}");
        let written = read(&bench.configuration());
        let bare = line.trim_start_matches("sms:");
        assert!(written.contains(&format!("\"{bare}\"")), "{written}");
        bench.done(&["telephony", "config", "check"]).await;
    }
}

#[tokio::test]
async fn setup_rejects_invalid_and_foreign_lines() {
    let bench = bare_with(SimulatorConfig::default()).await;
    let ran = setup(&bench, &["--from-number", "72346", "--agent", "echo", "--yes"]).await;
    assert!(ran.code == 1 && ran.stderr.contains("the account does not have 72346"), "{ran:?}");
    for line in ["123", "1234567", "+72345x", " ACME", "ACME ", "much too long a name", "naïve"] {
        let ran = setup(&bench, &["--from-number", line, "--agent", "echo", "--yes"]).await;
        assert!(ran.code == 2 && ran.stderr.contains("short code of 4 to 6 digits"), "{line}: {ran:?}");
    }
}
