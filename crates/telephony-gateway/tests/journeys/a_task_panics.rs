//! A panic in a turn fails only that turn; a panic in one of the gateway's tasks ends the gateway.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use telephony_gateway::tasks::BrokenTask;
use telephony_gateway::tunnel::Tunneling;
use telephony_tunnels::{Inside, OpenTunnel, Tunnel, TunnelError};

use crate::stage::{ALICE, BOB, Plan, Scripted};

#[tokio::test]
async fn a_panic_of_the_agent_fails_its_turn_only() {
    let agent = Scripted::new(|turn| {
        assert!(turn.attempt > 1 || turn.text() != "boom", "on purpose");
        Ok(turn.text())
    });
    let stage = Plan::default().with_agent(agent.clone()).start().await;
    stage.text(ALICE, "boom").await;
    stage.expect_summary(|summary| summary.retrying == 1).await;
    stage.text(BOB, "calm").await;
    stage.expect(BOB, &["calm"]).await;
    stage.clock.advance(Duration::from_secs(60));
    stage.expect(ALICE, &["boom"]).await;
    assert_eq!(agent.questions().iter().filter(|text| *text == "boom").count(), 2);
}

struct Bad;

#[async_trait]
impl Tunnel for Bad {
    fn name(&self) -> &'static str {
        "bad"
    }

    fn is_public(&self) -> bool {
        true
    }

    async fn open(&self, _: &Inside) -> Result<Box<dyn OpenTunnel>, TunnelError> {
        panic!("on purpose")
    }
}

#[tokio::test]
async fn a_panic_of_a_task_is_noticed_while_the_others_go_on() {
    let tunnel = Tunneling { tunnel: Arc::new(Bad), syncs_webhooks: false, takes_calls: false };
    let mut stage = Plan { tunnel: Some(tunnel), has_public_url: false, ..Plan::default() }.start().await;
    assert_eq!(stage.expect_broken().await, BrokenTask::Panicked("tunnel"));
    stage.stop_gateway().await;
}
