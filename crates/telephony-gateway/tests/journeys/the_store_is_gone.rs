use std::fs;
use std::time::Duration;

use twilio_simulator::{Fault, FaultExtent};

use crate::stage::{ALICE, Plan, SOON, Stage};

/// Waits until `/health` answers with this status and returns the body.
async fn health(stage: &Stage, status: u16) -> serde_json::Value {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let asked = async {
        loop {
            let answer = client.get(stage.url("/health")).send().await.unwrap();
            if answer.status().as_u16() == status {
                return serde_json::from_str(&answer.text().await.unwrap()).unwrap();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(SOON, asked).await.unwrap_or_else(|_| panic!("/health is never {status}"))
}

#[tokio::test]
async fn nothing_is_acknowledged_until_the_store_is_back() {
    let stage = Plan::default().start().await;
    stage.text(ALICE, "before").await;
    stage.expect(ALICE, &["before"]).await;
    stage.expect_rest().await;
    for name in ["telephony.sqlite", "arrivals"] {
        let (file, aside) = (stage.state.path().join(name), stage.state.path().join("aside"));
        fs::rename(&file, &aside).unwrap();
        assert_eq!(health(&stage, 503).await["reason"], "store-gone", "{name}");
        let refused = stage.twilio.text(ALICE, stage.bot(), name).await.unwrap();
        assert_eq!(refused.status, Some(503), "{name}");
        fs::rename(&aside, &file).unwrap();
        assert_eq!(health(&stage, 200).await["ok"], true);
    }
    // Rejected messages are found in Twilio's list.
    stage.expect(ALICE, &["before", "telephony.sqlite", "arrivals"]).await;
    stage.text(ALICE, "after").await;
    stage.expect(ALICE, &["before", "telephony.sqlite", "arrivals", "after"]).await;
}

#[tokio::test]
async fn the_outcome_of_a_text_waits_for_the_store() {
    let stage = Plan::default().start().await;
    stage.twilio.misbehave(Fault::DelayAnswer { milliseconds: 1_500 }, FaultExtent::Next(1));
    stage.text(ALICE, "before").await;
    stage.expect_summary(|summary| summary.sending == 1).await;
    let (file, aside) = (stage.state.path().join("telephony.sqlite"), stage.state.path().join("aside"));
    fs::rename(&file, &aside).unwrap();
    stage.expect(ALICE, &["before"]).await;
    assert_eq!(health(&stage, 503).await["reason"], "store-gone");
    fs::rename(&aside, &file).unwrap();
    // A doubt would only be looked up after its lease, which is longer than this waits.
    stage.expect_rest().await;
    stage.expect(ALICE, &["before"]).await;
}
