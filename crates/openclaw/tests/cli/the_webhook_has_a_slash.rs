//! The URLs at Twilio and in the configuration differ by a slash, or have different paths.

use twilio_simulator::DEFAULT_NUMBER;

use crate::bench::{ALICE, Bench};

/// Starts a gateway whose publicUrl has `path` after the host.
async fn with_path(path: &str) -> (Bench, String) {
    let mut bench = Bench::new().await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    bench.configure(&format!("inboundPolicy: 'open', publicUrl: 'http://127.0.0.1:{port}{path}',"));
    let text = std::fs::read_to_string(bench.configuration()).unwrap();
    std::fs::write(bench.configuration(), text.replace("port: 0", &format!("port: {port}"))).unwrap();
    bench.start_gateway().await;
    (bench, format!("http://127.0.0.1:{port}"))
}

#[tokio::test]
async fn texts_and_reports_arrive_with_any_slashes() {
    let configured = ["", "/", "//", "/telephony/webhook", "/telephony/webhook/", "//telephony/webhook"];
    let called = ["/telephony/webhook", "/telephony/webhook/", "//telephony/webhook", "/telephony/webhook?a=b"];
    for path in configured {
        let (bench, base) = with_path(path).await;
        for (number, called) in called.into_iter().enumerate() {
            bench.twilio.set_sms_url(DEFAULT_NUMBER, &format!("{base}{called}")).unwrap();
            bench.text(ALICE, called).await;
            assert_eq!(bench.texts(ALICE, number + 1).await[number], called, "{path} {called}");
        }
        bench.wait_for(|status| status["outbox"]["deliveredToday"] == called.len()).await;
    }
}

#[tokio::test]
async fn sync_and_show_accept_the_slash() {
    let bench = Bench::new().await;
    bench.configure("publicUrl: 'https://phone.example.com/telephony/webhook/',");
    bench.done(&["telephony", "webhook", "sync", "--yes"]).await;
    let shown = bench.json(&["telephony", "webhook", "show", "--json"]).await;
    let url = &shown["routes"][0]["settings"][0]["value"];
    assert_eq!(url, "https://phone.example.com/telephony/webhook/#rc=3&rp=5xx,ct,rt");
    bench.configure("publicUrl: 'https://phone.example.com',");
    let again = bench.run(&["telephony", "webhook", "sync"]).await;
    assert!(again.code == 0 && again.stderr.contains("nothing to change"), "{again:?}");
}

#[tokio::test]
async fn a_signed_request_with_a_wrong_path_or_method_is_logged_with_the_expected_one() {
    let (bench, base) = with_path("").await;
    let long = format!("/sms/{}", "x".repeat(5000));
    for path in ["/sms", "/telephony/webhook/telephony/webhook", "/telephony", long.as_str()] {
        bench.twilio.set_sms_url(DEFAULT_NUMBER, &format!("{base}{path}")).unwrap();
        for _ in 0..3 {
            let delivery = bench.twilio.text(ALICE, DEFAULT_NUMBER, "hello").await.unwrap();
            assert_eq!(delivery.status, Some(404), "{path}");
        }
    }
    let log = bench.gateway_log();
    let lines: Vec<_> = log.lines().filter(|line| line.contains("a signed webhook arrived as POST /sms")).collect();
    assert_eq!(lines.len(), 1, "once a minute: {log}");
    assert!(lines[0].contains("/telephony/webhook") && lines[0].len() < 1000, "{log}");
    assert!(!log.contains("hello"), "{log}");
}
