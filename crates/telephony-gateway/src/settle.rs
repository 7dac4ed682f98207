//! Stores what the journal holds, in order. What was acknowledged stays in the journal until that is done.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use telephony_store::StoreError;
use telephony_store::journal::{Batch, Entry, Journal, Told};

use crate::intake::Desk;
use crate::stop::Stop;

/// What could not be stored is tried again after this long.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// An entry that alone cannot be stored so often holds up all others no longer.
const TRIES: u32 = 5;

/// What storing needs.
pub struct Settle {
    /// What was acknowledged.
    pub journal: Arc<Journal>,
    /// Who stores it.
    pub desk: Arc<Desk>,
}

impl Settle {
    /// Stores what there is until `stop`, and then what was acknowledged before.
    pub async fn run(self, stop: Stop) {
        while let Some(batch) = stop.unless_asked(self.journal.next()).await {
            self.store(batch, &stop).await;
        }
        while !self.journal.is_settled() && self.store(self.journal.next().await, &stop).await {}
    }

    /// Returns whether the batch is settled; only who is asked to stop gives up, and leaves the rest to the next start.
    async fn store(&self, batch: Result<Batch, StoreError>, stop: &Stop) -> bool {
        let Batch { entries: mut left, end } = match batch {
            Ok(batch) => batch,
            Err(error) => {
                tracing::error!(%error, hint = error.hint(), "failed to read what came; it is tried again");
                stop.unless_asked(tokio::time::sleep(AGAIN_AFTER)).await;
                return false;
            }
        };
        for tries in 1.. {
            left = self.try_each(left, tries).await;
            if left.is_empty() {
                break;
            }
            if stop.unless_asked(tokio::time::sleep(AGAIN_AFTER)).await.is_none() {
                return false;
            }
        }
        self.journal.settle(end);
        true
    }

    /// Stores these, which share commits. Returns those that have to be tried again.
    async fn try_each(&self, entries: Vec<Entry>, tries: u32) -> Vec<Entry> {
        let stored = join_all(entries.iter().map(|entry| self.desk.store(entry.clone()))).await;
        let failed = entries.into_iter().zip(stored).filter_map(|(entry, stored)| Some((entry, stored.err()?)));
        let (set_aside, left): (Vec<_>, Vec<_>) =
            failed.partition(|(_, error)| tries >= TRIES && !error.is_of_the_store());
        for (entry, error) in set_aside {
            let provider_id = provider_id(&entry);
            tracing::error!(provider_id, %error, hint = error.hint(), "could not be stored: it is left to be found in the provider's lists");
        }
        if let Some((_, error)) = left.first() {
            let (waiting, hint) = (left.len(), error.hint());
            tracing::error!(waiting, %error, hint, "what came could not be stored; it is kept and tried again");
        }
        left.into_iter().map(|(entry, _)| entry).collect()
    }
}

fn provider_id(entry: &Entry) -> &str {
    match &entry.told {
        Told::Message(arrival) => &arrival.provider_id,
        Told::Report(report) => &report.provider_id,
    }
}
