use std::time::Duration;

use crate::stage::{ALICE, Plan};

#[tokio::test]
async fn messages_flow_after_the_clock_is_set_back_a_day() {
    let stage = Plan { coalesce: Duration::from_millis(50), ..Plan::default() }.start().await;
    stage.text(ALICE, "before").await;
    stage.expect(ALICE, &["before"]).await;
    stage.clock.set_back(Duration::from_secs(24 * 60 * 60));
    stage.text(ALICE, "after").await;
    stage.expect(ALICE, &["before", "after"]).await;
}
