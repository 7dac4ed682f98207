//! Messages to an unknown number: asks the provider once whether the number is ours.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use telephony_domain::number::mask;
use telephony_domain::time::{Clock, Timestamp};
use telephony_providers::provider::Provider;
use telephony_store::{Store, StoreError};
use tokio_util::sync::CancellationToken;

use crate::storage::Storage;
use crate::wake::{self, Wake};

/// Wait before asking again.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(60);

/// The task that identifies unknown numbers.
pub struct UnknownNumbers {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) wake: Arc<Wake>,
    pub(crate) storage: Arc<Storage>,
}

impl UnknownNumbers {
    /// Identifies numbers until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut asked = HashMap::new();
        while !stop.is_cancelled() {
            if let Err(error) = self.resolve(&mut asked).await {
                self.storage.failed("cannot look up unknown numbers", &error);
            }
            stop.run_until_cancelled(wake::wait(&self.wake.numbers, None, self.clock.as_ref())).await;
        }
    }

    async fn resolve(&self, asked: &mut HashMap<String, Timestamp>) -> Result<(), StoreError> {
        let now = self.clock.now();
        asked.retain(|_, at| now.since(*at) < ASK_AGAIN_AFTER && *at <= now);
        for number in self.store.unconfirmed_numbers().await? {
            if asked.contains_key(&number) {
                continue;
            }
            asked.insert(number.clone(), now);
            match self.provider.owns(&number).await {
                Ok(is_ours) => self.resolved(&number, is_ours).await?,
                Err(error) => {
                    tracing::warn!(to = mask(&number), %error, hint = error.hint(), "cannot check whether a number is \
                        ours");
                }
            }
        }
        Ok(())
    }

    async fn resolved(&self, number: &str, is_ours: bool) -> Result<(), StoreError> {
        let messages =
            self.store.resolve_number(self.provider.carrier().name, number, is_ours, self.clock.now()).await?;
        tracing::info!(to = mask(number), is_ours, messages, "found the owner of an unknown number");
        self.wake.inbox.notify_one();
        Ok(())
    }
}
