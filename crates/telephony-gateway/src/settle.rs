//! Stores what the journal holds, in order. What was acknowledged stays in the journal until that is done.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use telephony_store::StoreError;
use telephony_store::journal::{self, Batch, Entry, Journal};

use crate::damage::Damages;
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
    /// Receives what cannot be read.
    pub damages: Damages,
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
        let Batch { entries, damages, end } = match batch {
            Ok(batch) => batch,
            Err(error) => {
                self.desk.storage.failed("cannot read the journal; retrying", &error);
                stop.unless_asked(tokio::time::sleep(AGAIN_AFTER)).await;
                return false;
            }
        };
        let mut left = self.try_each(entries.into_iter().map(|entry| Open { entry, failures: 0 })).await;
        while !left.is_empty() {
            if stop.unless_asked(tokio::time::sleep(AGAIN_AFTER)).await.is_none() {
                return false;
            }
            left = self.try_each(left).await;
        }
        if !damages.is_empty() {
            self.damages.report(&damages).await;
        }
        self.journal.settle(end);
        true
    }

    /// Stores these; those of different people share commits. Returns what has to be tried again.
    async fn try_each(&self, entries: impl IntoIterator<Item = Open>) -> Vec<Open> {
        let mut rows: BTreeMap<String, VecDeque<Open>> = BTreeMap::new();
        for open in entries {
            rows.entry(who(&open.entry).to_owned()).or_default().push_back(open);
        }
        let left = join_all(rows.into_values().map(|row| self.in_order(row))).await;
        let (mut waiting, mut first) = (Vec::new(), None);
        for (row, error) in left {
            waiting.extend(row);
            first = first.or(error);
        }
        if let Some(error) = first {
            self.desk.storage.failed("cannot store incoming messages; they stay in the journal, retrying", &error);
        }
        waiting
    }

    /// Stores what one person said, one after the other: who says STOP and then START means START. Returns those from the
    /// first that could not be stored on, and why it could not.
    async fn in_order(&self, mut row: VecDeque<Open>) -> (VecDeque<Open>, Option<StoreError>) {
        while let Some(mut open) = row.pop_front() {
            let Err(error) = self.desk.store(open.entry.clone()).await else { continue };
            open.failures += u32::from(!error.is_of_the_store());
            if open.failures < TRIES {
                row.push_front(open);
                return (row, Some(error));
            }
            let provider_id = provider_id(&open.entry);
            tracing::error!(provider_id, %error, hint = error.hint(), "could not be stored: it is left to be found in the provider's lists");
        }
        (row, None)
    }
}

/// An entry that is not stored yet.
struct Open {
    entry: Entry,
    /// How often it could not be stored although others could.
    failures: u32,
}

/// Whose entries keep their order.
fn who(entry: &Entry) -> &str {
    match &entry.told {
        journal::Event::Message(arrival) => &arrival.from,
        journal::Event::Report(report) => &report.provider_id,
    }
}

fn provider_id(entry: &Entry) -> &str {
    match &entry.told {
        journal::Event::Message(arrival) => &arrival.provider_id,
        journal::Event::Report(report) => &report.provider_id,
    }
}
