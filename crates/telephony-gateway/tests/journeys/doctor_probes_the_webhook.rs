//! `doctor` sends a probe through the public URL, and attackers try to.

use telephony_gateway::control::probe::{self, ProbeVerdict, Sighting};
use telephony_providers::checks::{Checks, WebhookProbe};
use telephony_providers::twilio::Twilio;

use crate::stage::{Plan, SOON, Stage};

/// Sends a probe to `url`; returns the answer's status and the gateway's report.
async fn round_trip(stage: &Stage, twilio: &Twilio, url: &str) -> (u16, Option<Sighting>) {
    let announced = probe::announce(stage.state.path()).await.unwrap();
    let probe = twilio.webhook_probe(url, url, announced.name()).unwrap();
    let status = twilio.send_probe(&probe).await.unwrap().status;
    (status, announced.sighting(SOON).await)
}

fn probe_of(stage: &Stage, name: &str) -> WebhookProbe {
    stage.provider().webhook_probe(&stage.webhook_url(), &stage.webhook_url(), name).unwrap()
}

async fn status_of(stage: &Stage, probe: &WebhookProbe) -> u16 {
    stage.provider().send_probe(probe).await.unwrap().status
}

#[tokio::test]
async fn a_probe_succeeds_without_sending_a_text() {
    let stage = Plan::default().start().await;
    let url = stage.webhook_url();
    let (status, sighting) = round_trip(&stage, &stage.provider(), &format!("{url}#rc=3")).await;
    let sighting = sighting.unwrap();
    assert_eq!((status, &sighting.verdict), (200, &ProbeVerdict::Valid));
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
    assert!(matches!(sighting.verdict, ProbeVerdict::Refused(_)), "{sighting:?}");
    assert!(sighting.urls[0].starts_with(&format!("{}?", stage.webhook_url())), "{sighting:?}");
}

#[tokio::test]
async fn a_probe_to_a_wrong_path_is_reported() {
    let stage = Plan::default().start().await;
    let (status, sighting) = round_trip(&stage, &stage.provider(), &stage.url("/sms")).await;
    assert_eq!((status, sighting.unwrap().verdict), (404, ProbeVerdict::NoSuchPath));
}

#[tokio::test]
async fn a_probe_name_works_once_and_strangers_get_404() {
    let stage = Plan::default().start().await;
    let announced = probe::announce(stage.state.path()).await.unwrap();
    let genuine = probe_of(&stage, announced.name());
    // Correctly signed, but no probe with this name is waiting.
    let guessed = probe_of(&stage, "0123456789abcdef");
    assert_eq!(status_of(&stage, &guessed).await, 400);
    assert_eq!(status_of(&stage, &genuine).await, 200);
    assert_eq!(status_of(&stage, &genuine).await, 400, "the same request again");
    assert_eq!(announced.sighting(SOON).await.unwrap().verdict, ProbeVerdict::Valid);
    // The right name without the token: a forged request.
    let announced = probe::announce(stage.state.path()).await.unwrap();
    let mut forged = probe_of(&stage, announced.name());
    forged.signature = "AAAA".to_owned();
    assert_eq!(status_of(&stage, &forged).await, 403);
    assert!(matches!(announced.sighting(SOON).await.unwrap().verdict, ProbeVerdict::Refused(_)));
}

#[tokio::test]
async fn a_probe_name_ends_with_its_client() {
    let stage = Plan::default().start().await;
    let announced = probe::announce(stage.state.path()).await.unwrap();
    let probe = probe_of(&stage, announced.name());
    drop(announced);
    let deadline = tokio::time::Instant::now() + SOON;
    while status_of(&stage, &probe).await != 400 {
        assert!(tokio::time::Instant::now() < deadline, "the name still works");
        let announced = probe::announce(stage.state.path()).await.unwrap();
        drop(announced);
    }
}
