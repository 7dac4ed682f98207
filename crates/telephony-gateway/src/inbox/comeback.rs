//! Checks an unreachable agent while turns wait for it, and releases them once it is back.

use std::sync::Arc;
use std::time::Duration;

use telephony_store::StoreError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::TurnRunner;

/// Pause between attempts to connect to the agent.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Shortest interval between early retries of turns, for an agent that is reachable but does not answer.
const HASTEN_EVERY: Duration = Duration::from_secs(60);

impl TurnRunner {
    /// Runs until `stop`. Checks at once, because turns may have waited since before the start.
    pub async fn run_comeback(self: Arc<Self>, stop: CancellationToken) {
        let mut hastened = None;
        while stop.run_until_cancelled(self.look_for_agent(&mut hastened)).await.is_some() {
            if stop.run_until_cancelled(self.wake.agent.notified()).await.is_none() {
                return;
            }
        }
    }

    async fn look_for_agent(&self, hastened: &mut Option<Instant>) {
        while let Some(is_back) = self.is_agent_back().await {
            match hastened {
                _ if !is_back => *hastened = None,
                Some(last) if last.elapsed() < HASTEN_EVERY => return,
                _ => {
                    *hastened = Some(Instant::now());
                    return self.hasten().await.unwrap_or_else(|error| warn(&error));
                }
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Returns none if no turn waits for the agent, or it has no server.
    async fn is_agent_back(&self) -> Option<bool> {
        match self.store.turns_wait_for_agent().await {
            Ok(true) => {
                let agent = self.live.borrow().agent.clone();
                agent.is_reachable().await
            }
            Ok(false) => None,
            Err(error) => {
                warn(&error);
                None
            }
        }
    }

    async fn hasten(&self) -> Result<(), StoreError> {
        let turns = self.store.hasten_turns(self.clock.now()).await?;
        tracing::info!(turns, "the agent is reachable again; waiting turns continue");
        self.wake.inbox.notify_one();
        Ok(())
    }
}

fn warn(error: &StoreError) {
    tracing::warn!(%error, "cannot look for turns that wait for the agent");
}
