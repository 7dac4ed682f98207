//! What messages cost: the provider is asked some time after each of them, for many at once where there are many.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use telephony_domain::money::Billed;
use telephony_domain::time::Clock;
use telephony_providers::provider::{Provider, ProviderError};
use telephony_store::costs::Unpriced;
use telephony_store::{Store, StoreError};
use tokio_util::sync::CancellationToken;

/// How often we look for messages without a price.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How many at a time: a few pages of the provider's list.
const AT_A_TIME: u32 = 2000;

/// Up to so many are asked for one by one; a list is read for more, which also holds what others send on the account.
const ONE_BY_ONE: usize = 10;

/// So many prices are noted in one step, which arrivals wait for.
const NOTED_AT_A_TIME: usize = 100;

/// The provider's date of a message may be earlier than ours by this, for clocks that differ.
const MARGIN: Duration = Duration::from_secs(120);

/// What asking for prices needs.
pub struct Prices {
    /// Whose prices are wanted.
    pub store: Arc<dyn Store>,
    /// Who knows them.
    pub provider: Arc<dyn Provider>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Prices {
    /// Asks again and again until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if let Err(error) = self.ask().await {
                tracing::error!(%error, hint = error.hint(), "failed to look for messages without a price");
            }
            stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await;
        }
    }

    /// Asks for every price that is due. What the provider does not know yet, or cannot be asked now, is asked for later.
    pub async fn ask(&self) -> Result<(), StoreError> {
        let due = self.store.unpriced(AT_A_TIME, self.clock.now()).await?;
        if due.is_empty() {
            return Ok(());
        }
        match self.billed(&due).await {
            Ok(billed) => {
                for some in billed.chunks(NOTED_AT_A_TIME) {
                    self.store.note_prices(some.to_vec()).await?;
                }
                tracing::debug!(asked = due.len(), told = billed.len(), "asked what messages cost");
            }
            Err(error) => tracing::debug!(asked = due.len(), %error, "failed to ask what messages cost"),
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
                Err(error) => tracing::debug!(%error, "failed to ask what a message costs"),
            }
        }
        Ok(billed)
    }
}
