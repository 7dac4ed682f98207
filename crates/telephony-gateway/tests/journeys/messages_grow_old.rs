use std::time::Duration;

use telephony_store::history::{Filter, Mark};

use crate::stage::{ALICE, Plan, Stage};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn listed(stage: &Stage) -> Vec<String> {
    let messages = stage.store().messages(Filter { limit: 100, ..Filter::default() }).await.unwrap();
    messages.into_iter().map(|entry| entry.text).collect()
}

/// The gateway deletes old messages at startup, and then once a minute by the real clock.
#[tokio::test]
async fn old_messages_are_deleted_and_new_ones_stay() {
    let mut stage = Plan { retention: 30 * DAY, ..Plan::default() }.start().await;
    for n in 0..120 {
        // 30 messages at this speed would count as a bot's and be paused.
        stage.text(&format!("+155500020{:02}", n / 10), &format!("old {n}")).await;
    }
    stage.expect_rest().await;
    stage.stop_gateway().await;
    stage.clock.advance(31 * DAY);
    stage.start_gateway().await;
    stage.text(ALICE, "new").await;
    stage.expect_summary(|_| stage.bodies(ALICE).last().is_some_and(|body| body == "new")).await;
    let deadline = tokio::time::Instant::now() + crate::stage::SOON;
    while listed(&stage).await != ["new", "new"] {
        assert!(tokio::time::Instant::now() < deadline, "{:?}", listed(&stage).await.len());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let Mark { inbound, .. } = stage.store().mark().await.unwrap();
    assert_eq!(inbound.0, 121);
}
