use serde_json::Value;
use twilio_simulator::{DEFAULT_NUMBER, Number, Service, SimulatorConfig};

use crate::bench::Bench;

const SERVICE: &str = "MG0123456789abcdef0123456789abcdef";
const OLD: &str = "https://old.example.com/sms";
const PUBLIC: &str = "publicUrl: 'https://phone.example.com',";
const WEBHOOK: &str = "https://phone.example.com/telephony/webhook#rc=3&rp=5xx,ct,rt";

async fn bench(number: Number) -> Bench {
    let bench = Bench::with(SimulatorConfig { numbers: vec![number], ..SimulatorConfig::default() }).await;
    bench.configure(PUBLIC);
    bench
}

fn number() -> Number {
    Number::new(DEFAULT_NUMBER).sms_url(OLD)
}

/// Returns the settings of the route at `place`, by name.
async fn settings(bench: &Bench, place: usize) -> impl Fn(&str) -> String {
    let shown = bench.json(&["telephony", "webhook", "show", "--json"]).await;
    let rows: Vec<Value> = shown["routes"][place]["settings"].as_array().unwrap().clone();
    move |name: &str| {
        let row = rows.iter().find(|row| row["name"] == name);
        row.unwrap_or_else(|| panic!("{name}"))["value"].as_str().unwrap().to_owned()
    }
}

/// Returns the number of requests that changed the account's numbers or services.
fn changes(bench: &Bench) -> usize {
    let is_change = |entry: &&twilio_simulator::LogEntry| entry.method == "POST" && !entry.target.contains("Messages");
    bench.twilio.log().iter().filter(is_change).count()
}

#[tokio::test]
async fn it_is_shown_changed_once_and_put_back() {
    let bench = bench(number()).await;
    let sid = bench.json(&["telephony", "webhook", "show", "--json"]).await["routes"][0]["sid"].clone();
    let tidy = |text: String| text.replace(sid.as_str().unwrap(), "[PN]");
    let dry = bench.done(&["telephony", "webhook", "sync", "--dry-run"]).await;
    insta::assert_snapshot!("a_change_is_shown", tidy(dry));
    assert_eq!(changes(&bench), 0);

    bench.done(&["telephony", "webhook", "sync", "--yes"]).await;
    let now = settings(&bench, 0).await;
    assert_eq!((now("SmsUrl"), now("VoiceUrl")), (WEBHOOK.to_owned(), WEBHOOK.to_owned()));
    assert_eq!(now("StatusCallback"), "https://phone.example.com/telephony/status#rc=3&rp=5xx,ct,rt");
    assert_eq!(changes(&bench), 1);
    insta::assert_snapshot!("it_is_as_it_should_be", tidy(bench.done(&["telephony", "webhook", "show"]).await));

    let again = bench.run(&["telephony", "webhook", "sync"]).await;
    assert!(again.code == 0 && again.stderr.contains("nothing to change"), "{again:?}");
    bench.done(&["telephony", "webhook", "undo", "--yes"]).await;
    let now = settings(&bench, 0).await;
    assert_eq!((now("SmsUrl"), now("VoiceUrl"), now("StatusCallback")), (OLD.to_owned(), String::new(), String::new()));
    let again = bench.run(&["telephony", "webhook", "undo"]).await;
    assert!(again.code == 0 && again.stderr.contains("nothing to restore"), "{again:?}");
    assert_eq!(changes(&bench), 2);
}

#[tokio::test]
async fn sync_without_a_terminal_needs_yes() {
    let bench = bench(number()).await;
    let ran = bench.run(&["telephony", "webhook", "sync"]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("nothing was changed") && ran.stderr.contains("--yes"), "{ran:?}");
    assert_eq!(changes(&bench), 0);
}

#[tokio::test]
async fn the_tunnel_changes_its_url_every_day_and_undo_still_knows_the_first() {
    let bench = bench(number()).await;
    for url in ["https://one.example.com", "https://two.example.com", "https://one.example.com"] {
        bench.done(&["telephony", "webhook", "sync", "--yes", "--url", url]).await;
    }
    assert_eq!(settings(&bench, 0).await("VoiceUrl"), "https://one.example.com/telephony/webhook#rc=3&rp=5xx,ct,rt");
    bench.done(&["telephony", "webhook", "undo", "--yes"]).await;
    assert_eq!(settings(&bench, 0).await("SmsUrl"), OLD);
}

#[tokio::test]
async fn undo_keeps_later_changes_by_others() {
    let bench = bench(number()).await;
    bench.done(&["telephony", "webhook", "sync", "--yes"]).await;
    bench.twilio.set_sms_url(DEFAULT_NUMBER, "https://other.example.com").unwrap();
    let undone = bench.run(&["telephony", "webhook", "undo", "--yes"]).await;
    assert!(undone.stderr.contains("SmsUrl stays https://other.example.com"), "{undone:?}");
    let now = settings(&bench, 0).await;
    assert_eq!((now("SmsUrl").as_str(), now("VoiceUrl").as_str()), ("https://other.example.com", ""));
}

#[tokio::test]
async fn a_voice_url_of_others_stays_while_voice_is_off() {
    let bench = bench(number().voice_url("https://pbx.example.com")).await;
    let ran = bench.run(&["telephony", "webhook", "sync", "--yes"]).await;
    assert!(ran.stderr.contains("VoiceUrl stays https://pbx.example.com"), "{ran:?}");
    let now = settings(&bench, 0).await;
    assert_eq!((now("SmsUrl").as_str(), now("VoiceUrl").as_str()), (WEBHOOK, "https://pbx.example.com"));
    bench.configure(&format!("{PUBLIC} voice: {{ enabled: true }},"));
    bench.done(&["telephony", "webhook", "sync", "--yes"]).await;
    assert_eq!(settings(&bench, 0).await("VoiceUrl"), WEBHOOK);
}

#[tokio::test]
async fn a_messaging_service_has_its_own_url() {
    let service = Service {
        inbound_request_url: None,
        use_inbound_webhook_on_number: false,
        ..Service::new(SERVICE, &[DEFAULT_NUMBER])
    };
    let config = SimulatorConfig { numbers: vec![number()], services: vec![service], ..SimulatorConfig::default() };
    let bench = Bench::with(config).await;
    bench.configure(PUBLIC);
    let ran = bench.run(&["telephony", "webhook", "sync", "--dry-run"]).await;
    assert!(ran.stderr.contains(&format!("messages go to the URL of the messaging service {SERVICE}")), "{ran:?}");

    let sid = bench.twilio.account_sid().to_owned();
    let text = std::fs::read_to_string(bench.configuration()).unwrap();
    let text = text
        .replace(&format!("accountSid: '{sid}'"), &format!("accountSid: '{sid}', messagingServiceSid: '{SERVICE}'"));
    std::fs::write(bench.configuration(), text).unwrap();
    bench.done(&["telephony", "webhook", "sync", "--yes"]).await;
    let of_number = settings(&bench, 0).await;
    let of_service = settings(&bench, 1).await;
    assert_eq!((of_number("SmsUrl").as_str(), of_number("VoiceUrl").as_str()), (OLD, WEBHOOK));
    assert_eq!(of_service("InboundRequestUrl"), WEBHOOK);
    bench.done(&["telephony", "webhook", "undo", "--yes"]).await;
    assert_eq!(settings(&bench, 1).await("InboundRequestUrl"), "");
}

#[tokio::test]
async fn a_number_of_another_account_is_not_changed() {
    let bench = bench(Number::new("+15550007777").sms_url(OLD)).await;
    let text = std::fs::read_to_string(bench.configuration()).unwrap();
    std::fs::write(bench.configuration(), text.replace("+15550007777", DEFAULT_NUMBER)).unwrap();
    let ran = bench.run(&["telephony", "webhook", "sync", "--yes"]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("the account does not have +15550001234"), "{ran:?}");
    assert_eq!(changes(&bench), 0);
}

#[tokio::test]
async fn sync_without_a_public_url_is_an_error() {
    let bench = Bench::new().await;
    let ran = bench.run(&["telephony", "webhook", "sync"]).await;
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("hint: set publicUrl"), "{ran:?}");
    let ran = bench.run(&["telephony", "webhook", "sync", "--url", "ftp://a"]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
}
