//! Polls the provider for the status of messages without reports.

use std::sync::Arc;
use std::time::Duration;

use telephony_domain::delivery::StatusReport;
use telephony_providers::provider::ListedMessage;
use telephony_store::StoreError;
use tokio_util::sync::CancellationToken;

use super::PartSender;
use crate::undelivered;

/// Interval between looks for messages to poll.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Messages polled at a time.
const AT_A_TIME: u32 = 20;

/// The delivery of status reports to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reports {
    /// Status reports usually arrive, so few messages are polled.
    Come,
    /// They cannot arrive: no gateway listens, or the provider has no URL.
    StayAway,
}

impl Reports {
    /// Returns the time from handing a message over to its first poll.
    fn patience(self) -> Duration {
        match self {
            Reports::Come => Duration::from_secs(60),
            Reports::StayAway => Duration::from_secs(2),
        }
    }
}

impl PartSender {
    /// Polls messages without reports until `stop`.
    pub async fn run_poll(self: Arc<Self>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let reports = if self.status_url().is_some() { Reports::Come } else { Reports::StayAway };
            if let Err(error) = self.poll(reports).await {
                tracing::error!(%error, hint = error.hint(), "cannot look for messages to poll");
            }
            stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await;
        }
    }

    /// Polls every message that is due.
    pub async fn poll(&self, reports: Reports) -> Result<(), StoreError> {
        let name = self.provider.carrier().name;
        for part in self.store.silent_parts(name, reports.patience(), AT_A_TIME, self.clock.now()).await? {
            match self.provider.fetch(&part.provider_id).await {
                Ok(message) => {
                    if let Some(billed) = message.billed() {
                        self.store.note_prices(name, vec![billed]).await?;
                    }
                    let (store, provider) = (self.store.as_ref(), self.provider.as_ref());
                    undelivered::store(store, provider, name, report(message), self.clock.now()).await?;
                }
                Err(error) => tracing::debug!(part = %part.part, %error, "cannot poll the status of a message"),
            }
        }
        Ok(())
    }
}

pub(super) fn report(message: ListedMessage) -> StatusReport {
    StatusReport {
        provider_id: message.provider_id,
        correlation_id: None,
        status: message.status,
        error_code: message.error_code,
        is_opt_out: message.is_opt_out,
        segments: message.segments,
    }
}
