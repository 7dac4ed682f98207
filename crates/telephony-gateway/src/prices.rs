//! Asks the provider for prices some time after each message or call, for messages in bulk if there are many.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use telephony_domain::money::Billed;
use telephony_domain::time::Clock;
use telephony_providers::provider::{Provider, ProviderError};
use telephony_store::costs::Unpriced;
use telephony_store::{Store, StoreError};
use tokio_util::sync::CancellationToken;

/// Interval between checks for messages without a price.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Messages per check: a few pages of the provider's list.
const AT_A_TIME: u32 = 2000;

/// The maximum number of prices fetched one by one; for more, the task reads a list, which also contains the account's
/// other messages.
const ONE_BY_ONE: usize = 10;

/// Calls per check.
const CALLS_AT_A_TIME: u32 = 20;

/// Prices stored in one transaction, which arrivals may wait for.
const NOTED_AT_A_TIME: usize = 100;

/// Largest difference between the provider's clock and ours.
const MARGIN: Duration = Duration::from_secs(120);

/// The task that asks for prices.
pub struct Prices {
    /// Message store.
    pub store: Arc<dyn Store>,
    /// Provider.
    pub provider: Arc<dyn Provider>,
    /// Clock.
    pub clock: Arc<dyn Clock>,
}

impl Prices {
    /// Asks regularly until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if let Err(error) = self.ask().await {
                tracing::error!(%error, hint = error.hint(), "cannot look for messages without a price");
            }
            stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await;
        }
    }

    /// Asks for every price that is due. A price that is not known yet, or a failed request, is retried later.
    pub async fn ask(&self) -> Result<(), StoreError> {
        self.ask_for_calls().await?;
        let due = self.store.unpriced(self.provider.carrier().name, AT_A_TIME, self.clock.now()).await?;
        if due.is_empty() {
            return Ok(());
        }
        match self.billed(&due).await {
            Ok(billed) => {
                for some in billed.chunks(NOTED_AT_A_TIME) {
                    self.store.note_prices(self.provider.carrier().name, some.to_vec()).await?;
                }
                tracing::debug!(asked = due.len(), found = billed.len(), "fetched message prices");
            }
            Err(error) => tracing::debug!(asked = due.len(), %error, "cannot fetch message prices"),
        }
        Ok(())
    }

    /// Asks for prices and durations of calls, one by one: there are few.
    async fn ask_for_calls(&self) -> Result<(), StoreError> {
        let name = self.provider.carrier().name;
        for id in self.store.unpriced_calls(name, CALLS_AT_A_TIME, self.clock.now()).await? {
            match self.provider.call_report(&id).await {
                Ok(Some(report)) => self.store.note_call_price(name, &id, report.duration, report.price).await?,
                Ok(None) => {}
                Err(error) => tracing::debug!(%error, "cannot fetch the price of a call"),
            }
        }
        Ok(())
    }

    async fn billed(&self, due: &[Unpriced]) -> Result<Vec<Billed>, ProviderError> {
        if let (true, Some(first)) = (due.len() > ONE_BY_ONE, due.iter().map(|unpriced| unpriced.time).min()) {
            let wanted: HashSet<&str> = due.iter().map(|unpriced| unpriced.provider_id.as_str()).collect();
            let mut billed = self.provider.billed(first - MARGIN).await?;
            billed.retain(|billed| wanted.contains(billed.provider_id.as_str()));
            return Ok(billed);
        }
        let mut billed = Vec::new();
        for unpriced in due {
            match self.provider.fetch(&unpriced.provider_id).await {
                Ok(listed) => billed.extend(listed.billed()),
                Err(error) => tracing::debug!(%error, "cannot fetch the price of a message"),
            }
        }
        Ok(billed)
    }
}
