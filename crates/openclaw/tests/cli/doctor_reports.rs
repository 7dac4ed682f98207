//! The whole report of doctor, and its findings about the configuration, the store and the gateway.

use std::path::Path;

use telephony_domain::line::Sender;
use telephony_domain::message::{MessageDraft, MessagePurpose, PartDraft};
use telephony_domain::notice::Notice;
use telephony_domain::time::{Clock, SystemClock};
use telephony_gateway::lock::GatewayLock;
use telephony_store::lines::Lines;
use telephony_store::notices::Notices;
use telephony_store::outbox::Outbox;
use tokio::net::TcpListener;
use twilio_simulator::{DEFAULT_NUMBER, DeliveryOutcome, Service};

use crate::bench::{ALICE, Bench, Ran, off_thread, run};
use crate::diagnosis::{behind_a_proxy, close, doctor, edit, state, store};
use crate::doctor_looks_at_the_account::SERVICE;

#[tokio::test]
async fn a_healthy_setup_has_no_findings() {
    let (bench, _proxy, _) = behind_a_proxy().await;
    bench.twilio.add_service(Service {
        campaign_status: Some("VERIFIED".to_owned()),
        ..Service::new(SERVICE, &[DEFAULT_NUMBER])
    });
    close(&bench.configuration());
    let diagnosis = doctor(&bench).await;
    assert_eq!(diagnosis.ids(), ["config-warning", "api-elsewhere", "agent-echo", "public-url-plain"]);
    assert!(diagnosis.is_well("a signed request arrived"), "{:#}", diagnosis.report);
    assert!(diagnosis.is_well("balance 15.50 USD") && diagnosis.is_well("SMS, MMS, Voice"));
    assert_eq!(diagnosis.code, 0);
    let summary = bench.json(&["telephony", "status", "--json"]).await;
    assert_eq!(summary["inbox"]["receivedToday"], 0);
}

#[tokio::test]
async fn the_whole_report_reads_well() {
    let bench = Bench::new().await;
    bench.configure("publicUrl: 'https://nowhere.invalid',");
    close(&bench.configuration());
    let text = bench.run(&["telephony", "doctor"]).await.stdout;
    let folder = bench.configuration().parent().unwrap().display().to_string();
    let text = text.replace(&folder, "[STATE]").replace(bench.twilio.base_url(), "[TWILIO]");
    insta::assert_snapshot!(text);
    let explained = run(&["telephony", "doctor", "--explain", "signature-mismatch"]);
    assert!(explained.stdout.contains("docs/reference/doctor.md#signature-mismatch"), "{explained:?}");
    assert!(explained.stdout.contains("a proxy has to pass it on"), "the guide is here too: {explained:?}");
    for (typed, hint) in [
        ("signature_missmatch", "hint: did you mean `signature-mismatch`?"),
        ("signature", "hint: did you mean `signature-header-lost` or `signature-mismatch`?"),
        ("no-such-finding", "hint: known findings: "),
    ] {
        let unknown = run(&["telephony", "doctor", "--explain", typed]);
        assert!(unknown.code == 2 && unknown.stderr.contains(hint), "{typed}: {unknown:?}");
    }
}

#[tokio::test]
async fn the_configuration_is_unusable() {
    let bench = Bench::new().await;
    edit(&bench, "fromNumber", "fromNumbr");
    let diagnosis = doctor(&bench).await;
    assert!(diagnosis.report.to_string().contains("did you mean `fromNumber`?"), "{:#}", diagnosis.report);
    assert_eq!(diagnosis.ids(), ["config-unusable", "config-unusable"]);
}

#[tokio::test]
async fn a_risky_configuration_is_reported() {
    let bench = Bench::new().await;
    bench.configure("skipSignatureVerification: true, inboundPolicy: 'allowlist',");
    edit(&bench, "enabled: true", "enabled: false");
    let diagnosis = doctor(&bench).await;
    for id in ["signatures-not-checked", "config-warning", "channel-disabled", "public-url-missing", "api-elsewhere"] {
        diagnosis.has(id);
    }
    edit(&bench, "provider: 'twilio'", "provider: 'simulator'");
    doctor(&bench).await.has("not-twilio");
}

#[tokio::test]
async fn the_line_only_sends() {
    let bench = Bench::new().await;
    edit(&bench, bench.twilio.number(), "My-Bank 1");
    let diagnosis = doctor(&bench).await;
    assert_eq!(diagnosis.detail("sender-id"), "My-Bank 1");
    diagnosis.has("config-warning");
    diagnosis.has_not("number-missing");
}

#[tokio::test]
async fn an_openclaw_on_the_same_machine_is_found() {
    let bench = Bench::new().await;
    edit(&bench, "{ channels:", "{ gateway: { port: 18789 }, channels:");
    doctor(&bench).await.has("openclaw-refuses-the-channel");
    let own = state(&bench).join("openclaw.json");
    std::fs::copy(bench.configuration(), own).unwrap();
    std::fs::write(bench.configuration(), "{ gateway: { port: 18789 } }").unwrap();
    let diagnosis = doctor(&bench).await;
    diagnosis.has("openclaw-beside");
    diagnosis.has_not("openclaw-refuses-the-channel");
}

#[tokio::test]
async fn the_store_file_is_not_a_store() {
    let bench = Bench::new().await;
    std::fs::write(state(&bench).join("telephony.sqlite"), "this is something else altogether").unwrap();
    assert!(doctor(&bench).await.detail("store-unusable").contains("damaged"));
}

#[tokio::test]
async fn the_gateway_left_a_notice() {
    let bench = Bench::new().await;
    store(&bench).raise_notice(Notice::Tampered, SystemClock.now()).await.unwrap();
    assert_eq!(doctor(&bench).await.detail("notice"), Notice::Tampered.text("Twilio"));
}

#[tokio::test]
async fn delivery_failures_are_reported_with_an_explained_code() {
    let bench = Bench::new().await;
    bench.twilio.set_outcome(ALICE, DeliveryOutcome::Undelivered(30034));
    bench.done(&["telephony", "send", ALICE, "hello"]).await;
    bench.run(&["telephony", "send", ALICE, "hello again", "--wait"]).await;
    let diagnosis = doctor(&bench).await;
    let detail = diagnosis.detail("messages-failed");
    assert!(detail.starts_with("30034, 2 times: ") && detail.contains("A2P"), "{detail}");
}

#[tokio::test]
async fn the_line_is_too_slow_for_its_queue() {
    let bench = Bench::new().await;
    edit(&bench, "segmentsPerSecond: null", "segmentsPerSecond: 1");
    let store = store(&bench);
    let sender = Sender { number: DEFAULT_NUMBER.parse().ok(), messaging_service: None };
    let line = store.claim_line("twilio", sender, SystemClock.now()).await.unwrap();
    let draft = MessageDraft {
        key: "much".to_owned(),
        purpose: MessagePurpose::Send,
        to: ALICE.parse().unwrap(),
        text: String::new(),
        parts: (0..100).map(|n| PartDraft { text: n.to_string(), segments: 9 }).collect(),
        media: Vec::new(),
        turn: None,
    };
    store.enqueue(line, draft, SystemClock.now()).await.unwrap();
    assert!(doctor(&bench).await.detail("queue-long").starts_with("900 segments"));
}

#[tokio::test]
async fn no_gateway_runs_and_its_port_is_in_use() {
    let bench = Bench::new().await;
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    edit(&bench, "port: 0", &format!("port: {}", taken.local_addr().unwrap().port()));
    let diagnosis = doctor(&bench).await;
    diagnosis.has("gateway-not-running");
    diagnosis.has("port-in-use");
}

#[tokio::test]
async fn the_gateway_does_not_respond() {
    let bench = Bench::new().await;
    let _lock = GatewayLock::take(&state(&bench)).unwrap();
    doctor(&bench).await.has("gateway-silent");
}

#[tokio::test]
async fn the_gateway_is_another_version_and_its_tunnel_is_down() {
    let bench = Bench::new().await;
    bench.configure("tunnel: { provider: 'tailscale-funnel' }, publicUrl: 'https://nowhere.invalid',");
    let alive = r#"{"pid": 1, "version": "0.0.1", "listening": "127.0.0.1:1", "webhookUrl": null,
                    "checksSignatures": true, "agent": "echo",
                    "tunnel": {"name": "tailscale-funnel", "url": null, "trouble": "Tailscale is not logged in"}}"#;
    let socket = tokio::net::UnixListener::bind(state(&bench).join("gateway.sock")).unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = socket.accept().await.unwrap();
            tokio::io::AsyncWriteExt::write_all(&mut stream, alive.as_bytes()).await.unwrap();
        }
    });
    let diagnosis = doctor(&bench).await;
    for id in ["gateway-other-version", "tunnel-down", "tunnel-and-public-url"] {
        diagnosis.has(id);
    }
}

#[test]
fn every_finding_has_a_test() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/doctor.md"));
    let page = page.unwrap();
    let ids: Vec<_> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert!(ids.len() > 50);
    let here = [
        include_str!("doctor_reports.rs"),
        include_str!("doctor_looks_at_the_account.rs"),
        include_str!("doctor_looks_at_the_agent.rs"),
        include_str!("doctor_looks_at_files.rs"),
        include_str!("doctor_calls_the_public_url.rs"),
        include_str!("file_descriptors_run_out.rs"),
    ];
    let here = here.concat();
    let missing: Vec<_> = ids.into_iter().filter(|id| !here.contains(&format!("\"{id}\""))).collect();
    assert!(missing.is_empty(), "no test for {missing:?}");
}

#[tokio::test]
async fn quiet_hours_without_a_known_time_zone_are_reported() {
    let bench = Bench::new().await;
    let said = async |command: &str, zone: &str| {
        let mut program = bench.command();
        program.args(["telephony"]).args(command.split(' ')).env("TZ", zone);
        let ran = Ran::from(off_thread(move || program.output().unwrap()).await);
        (ran.stdout + &ran.stderr).contains("does not know its time zone")
    };
    for (settings, zone, is_reported) in [
        ("voice: { enabled: true },", "Nowhere/Land", true),
        ("voice: { enabled: true },", "Europe/Berlin", false),
        ("voice: { enabled: true }, limits: { timeZone: 'Europe/Berlin' },", "Nowhere/Land", false),
        ("voice: { enabled: true }, limits: { quietHours: null },", "Nowhere/Land", false),
        ("", "Nowhere/Land", false),
    ] {
        bench.configure(settings);
        for command in ["config check", "doctor"] {
            assert_eq!(said(command, zone).await, is_reported, "{command} with {settings} in {zone}");
        }
    }
}
