//! Deletes old data from the store a little at a time, so that no arrival waits for it.

use std::sync::Arc;
use std::time::Duration;

use telephony_domain::time::Clock;
use telephony_store::journal::Journal;
use telephony_store::{Store, StoreError};
use tokio::sync::watch::Receiver;
use tokio_util::sync::CancellationToken;

use crate::settings::Live;

/// Interval between looks for old data.
const EVERY: Duration = Duration::from_secs(60);

/// Rows deleted in one step: a few milliseconds of the thread that also stores arrivals.
const AT_A_TIME: u32 = 50;

/// Pause between steps for other work.
const BETWEEN_STEPS: Duration = Duration::from_millis(100);

/// The task that deletes old data.
pub struct Retention {
    pub store: Arc<dyn Store>,
    /// Journal, whose copies are deleted too.
    pub journal: Arc<Journal>,
    pub clock: Arc<dyn Clock>,
    /// Settings with the retention time.
    pub live: Receiver<Arc<Live>>,
}

impl Retention {
    /// Deletes old data until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            if let Err(error) = self.delete_old(&stop).await {
                tracing::error!(%error, hint = error.hint(), "cannot delete old data");
            }
            stop.run_until_cancelled(tokio::time::sleep(EVERY)).await;
        }
    }

    async fn delete_old(&self, stop: &CancellationToken) -> Result<(), StoreError> {
        self.store.forget_strangers(self.clock.now()).await?;
        let mut deleted = 0;
        while !stop.is_cancelled() {
            let now = self.clock.now();
            let before = now - self.live.borrow().retention;
            match self.store.expire(before, AT_A_TIME, now).await? {
                0 => break,
                step => deleted += step,
            }
            stop.run_until_cancelled(tokio::time::sleep(BETWEEN_STEPS)).await;
        }
        self.store.remove_loose_files(self.clock.now()).await?;
        self.journal.remove_copies(self.clock.now() - self.live.borrow().retention)?;
        if deleted > 0 {
            tracing::info!(deleted, "deleted messages and turns that are older than store.retentionDays");
        }
        Ok(())
    }
}
