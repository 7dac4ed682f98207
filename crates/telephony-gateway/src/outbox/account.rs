//! Probes an account that the provider rejects, until the operator has fixed it.

use std::sync::Arc;

use telephony_domain::retry::Disposition;
use telephony_domain::time::Timestamp;
use telephony_providers::provider::ProviderError;
use telephony_store::account_stops::ProbeOutcome;
use telephony_store::{Next, StoreError};
use tokio_util::sync::CancellationToken;

use super::PartSender;
use crate::wake;

impl PartSender {
    /// Probes the account whenever that is due, until `stop`.
    pub async fn run_probes(self: Arc<Self>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            match stop.run_until_cancelled(self.probe_account()).await {
                None => return,
                Some(Ok(due)) => {
                    stop.run_until_cancelled(wake::wait(&self.wake.account, due, self.clock.as_ref())).await;
                }
                Some(Err(error)) => {
                    tracing::error!(%error, hint = error.hint(), "cannot probe the account");
                    stop.run_until_cancelled(wake::wait(&self.wake.account, None, self.clock.as_ref())).await;
                }
            }
        }
    }

    /// Probes the account if that is due. Returns when the next probe is.
    pub async fn probe_account(&self) -> Result<Option<Timestamp>, StoreError> {
        if let Next::Idle(due) = self.store.begin_probe(self.clock.now()).await? {
            return Ok(due);
        }
        let outcome = outcome(self.provider.probe().await);
        tracing::debug!(?outcome, "probed the account");
        self.store.end_probe(outcome, self.clock.now()).await?;
        self.wake.outbox.notify_one();
        Ok(None)
    }
}

fn outcome(probed: Result<(), ProviderError>) -> ProbeOutcome {
    match probed {
        Ok(()) => ProbeOutcome::Served,
        Err(error) => match error.disposition() {
            Disposition::AwaitOperator => ProbeOutcome::Refused { code: error.code(), reason: error.with_hint() },
            Disposition::GiveUp => ProbeOutcome::Served,
            Disposition::Retry { .. } | Disposition::Unknown => ProbeOutcome::NoAnswer,
        },
    }
}
