//! `doctor` sends a probe through the public URL, and attackers try to.

use telephony_gateway::control::probe::{self, Sighting, Verdict};
use telephony_providers::twilio::Twilio;

use crate::stage::{Plan, SOON, Stage};

/// Sends a probe to `url`; returns the answer's status and the gateway's report.
async fn round_trip(stage: &Stage, twilio: &Twilio, url: &str) -> (u16, Option<Sighting>) {
    let announced = probe::announce(stage.state.path()).await.unwrap();
    let probe = twilio.probe(url, announced.name()).unwrap();
    let status = probe.send().await.unwrap().status;
    (status, announced.sighting(SOON).await)
}

#[tokio::test]
async fn a_probe_succeeds_without_sending_a_text() {
    let stage = Plan::default().start().await;
    let url = stage.webhook_url();
    let (status, sighting) = round_trip(&stage, &stage.provider(), &format!("{url}#rc=3")).await;
    let sighting = sighting.unwrap();
    assert_eq!((status, &sighting.verdict), (200, &Verdict::Valid));
    assert_eq!((sighting.method.as_str(), sighting.path.as_str()), ("POST", "/telephony/webhook"));
    assert_eq!(stage.expect_rest().await.received_today, 0);
    assert_eq!(stage.twilio.creations(), 0);
}

#[tokio::test]
async fn a_probe_for_another_url_reports_the_expected_urls() {
    let stage = Plan::default().start().await;
    let other = stage.webhook_url().replace("127.0.0.1", "localhost");
    let (status, sighting) = round_trip(&stage, &stage.provider(), &other).await;
    let sighting = sighting.unwrap();
    assert_eq!(status, 403);
    assert!(matches!(sighting.verdict, Verdict::Refused(_)), "{sighting:?}");
    assert!(sighting.urls[0].starts_with(&format!("{}?", stage.webhook_url())), "{sighting:?}");
}

#[tokio::test]
async fn a_probe_to_a_wrong_path_is_reported() {
    let stage = Plan::default().start().await;
    let (status, sighting) = round_trip(&stage, &stage.provider(), &stage.url("/sms")).await;
    assert_eq!((status, sighting.unwrap().verdict), (404, Verdict::NoSuchPath));
}

#[tokio::test]
async fn a_probe_name_works_once_and_strangers_get_404() {
    let stage = Plan::default().start().await;
    let announced = probe::announce(stage.state.path()).await.unwrap();
    let genuine = stage.provider().probe(&stage.webhook_url(), announced.name()).unwrap();
    // Correctly signed, but no probe with this name is waiting.
    let guessed = stage.provider().probe(&stage.webhook_url(), "0123456789abcdef").unwrap();
    assert_eq!(guessed.send().await.unwrap().status, 400);
    assert_eq!(genuine.send().await.unwrap().status, 200);
    assert_eq!(genuine.send().await.unwrap().status, 400, "the same request again");
    assert_eq!(announced.sighting(SOON).await.unwrap().verdict, Verdict::Valid);
    // The right name without the token: a forged request.
    let announced = probe::announce(stage.state.path()).await.unwrap();
    let mut forged = stage.provider().probe(&stage.webhook_url(), announced.name()).unwrap();
    forged.signature = "AAAA".to_owned();
    assert_eq!(forged.send().await.unwrap().status, 403);
    assert!(matches!(announced.sighting(SOON).await.unwrap().verdict, Verdict::Refused(_)));
}

#[tokio::test]
async fn a_probe_name_ends_with_its_client() {
    let stage = Plan::default().start().await;
    let announced = probe::announce(stage.state.path()).await.unwrap();
    let probe = stage.provider().probe(&stage.webhook_url(), announced.name()).unwrap();
    drop(announced);
    let deadline = tokio::time::Instant::now() + SOON;
    while probe.send().await.unwrap().status != 400 {
        assert!(tokio::time::Instant::now() < deadline, "the name still works");
        let announced = probe::announce(stage.state.path()).await.unwrap();
        drop(announced);
    }
}
