use std::time::Duration;

use reqwest::{Client, StatusCode};
use telephony_agents::AgentError;

use crate::stage::{ALICE, Plan, SOON, Scripted, Stage};

fn client() -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::new()
}

async fn page(stage: &Stage) -> String {
    let answer = client().get(stage.watch_url("/metrics")).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("application/openmetrics-text"));
    answer.text().await.unwrap()
}

/// Returns the value of `sample`, whose name has the common prefix.
fn value(page: &str, sample: &str) -> f64 {
    let sample = format!("openclaw_telephony_{sample} ");
    let found = page.lines().find_map(|line| line.strip_prefix(&sample));
    found.unwrap_or_else(|| panic!("no {sample}in\n{page}")).parse().unwrap()
}

/// Waits until `sample` is 1, because counters are updated after the event.
async fn wait_for(stage: &Stage, sample: &str) {
    let look = async {
        while value(&page(stage).await, sample) != 1.0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(SOON, look).await.unwrap_or_else(|_| panic!("{sample} does not become 1"));
}

#[tokio::test]
async fn a_text_its_repeat_and_a_forgery_are_counted_and_the_answer_is_followed() {
    let stage = Plan::default().with_agent(Scripted::repeating()).start().await;
    let before = page(&stage).await;
    assert_eq!(value(&before, "webhooks_total{outcome=\"unsigned\"}"), 0.0, "there before it happens");
    let first = stage.twilio.text(ALICE, stage.bot(), "hello").await.unwrap();
    stage.expect(ALICE, &["hello"]).await;
    stage.twilio.redeliver(&first.sid).await.unwrap();
    client().post(stage.url("/telephony/webhook")).send().await.unwrap();
    stage.expect_rest().await;
    for sample in [
        "reports_total{status=\"delivered\"}",
        "messages_received_total{outcome=\"waiting\"}",
        "messages_received_total{outcome=\"repeat\"}",
        "webhooks_total{outcome=\"unsigned\"}",
        "turn_seconds_count{outcome=\"answered\"}",
        "handovers_total{outcome=\"sent\"}",
        "parts_today{state=\"delivered\"}",
        "segments_spent_today",
    ] {
        wait_for(&stage, sample).await;
    }
    let page = page(&stage).await;
    assert!(value(&page, "webhooks_total{outcome=\"accepted\"}") >= 3.0, "two texts and the reports");
    assert_eq!(value(&page, "inbox_oldest_seconds"), 0.0);
    assert!(!page.contains("hello") && !page.contains(ALICE) && !page.contains(stage.bot()), "{page}");
}

#[tokio::test]
async fn a_failing_turn_is_counted_and_stays_visible() {
    let agent = Scripted::new(|_| Err(AgentError::Unavailable("gone".into())));
    let stage = Plan::default().with_agent(agent).start().await;
    // The message stays at its first attempt.
    stage.clock.stop();
    stage.text(ALICE, "anybody?").await;
    wait_for(&stage, "turns{state=\"retrying\"}").await;
    wait_for(&stage, "turn_seconds_count{outcome=\"failed\"}").await;
}

#[tokio::test]
async fn metrics_are_served_only_on_their_own_port() {
    let stage = Plan::default().start().await;
    for nowhere in [stage.url("/metrics"), stage.watch_url("/health"), stage.watch_url("/telephony/webhook")] {
        assert_eq!(client().get(&nowhere).send().await.unwrap().status(), StatusCode::NOT_FOUND, "{nowhere}");
    }
    let posted = client().post(stage.watch_url("/metrics")).send().await.unwrap();
    assert_eq!(posted.status(), StatusCode::METHOD_NOT_ALLOWED);
}
