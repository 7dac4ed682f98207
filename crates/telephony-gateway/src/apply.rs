//! Applies the journal's entries to the database in order. They stay in the journal until that is done.
//!
//! The third stage of an incoming message: `intake.rs` has acknowledged it, and `inbox/turn.rs` answers it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use telephony_domain::address::SenderOrigin;
use telephony_domain::delivery::{Advance, StatusReport};
use telephony_domain::message::Arrival;
use telephony_domain::notice::Notice;
use telephony_domain::number::mask;
use telephony_domain::time::Timestamp;
use telephony_providers::provider::Provider;
use telephony_store::inbox::{Accepted, ArrivalRules};
use telephony_store::journal::{Batch, Damage, Journal, JournalEntry, JournalEvent};
use telephony_store::outbox::Reported;
use telephony_store::{Store, StoreError};
use tokio::sync::watch::Receiver;
use tokio_util::sync::CancellationToken;

use crate::damage::Damages;
use crate::metrics::Metrics;
use crate::notices::NoticeWriter;
use crate::settings::Live;
use crate::storage::Storage;
use crate::tampering::{self, Signatures};
use crate::tasks::without_panic;
use crate::unanswered::Unanswered;
use crate::undelivered;
use crate::wake::Wake;

/// Pause before retrying entries that could not be stored.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Failed attempts after which an entry no longer holds up all others.
const TRIES: u32 = 5;

/// Stores acknowledged events and wakes the tasks that process them.
pub struct Applier {
    pub(crate) journal: Arc<Journal>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) provider: Arc<dyn Provider>,
    /// Current settings, with the rules for arriving messages.
    pub(crate) live: Receiver<Arc<Live>>,
    pub(crate) wake: Arc<Wake>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) unanswered: Unanswered,
    pub(crate) checks_signatures: bool,
    pub(crate) signatures: Arc<Signatures>,
    pub(crate) storage: Arc<Storage>,
    pub(crate) notices: NoticeWriter,
    pub(crate) damages: Damages,
}

impl Applier {
    /// Returns once every acknowledged event is applied.
    pub async fn cleared(&self) {
        self.journal.applied(self.journal.end()).await;
    }

    /// Stores entries until `stop`, and then those acknowledged before it.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        while let Some(batch) = stop.run_until_cancelled(self.journal.next()).await {
            self.apply_batch(batch, &stop).await;
        }
        while !self.journal.is_applied() && self.apply_batch(self.journal.next().await, &stop).await {}
    }

    /// Returns true once the batch is applied; on a stop request it may give up, and the next start applies the rest.
    async fn apply_batch(&self, batch: Result<Batch, StoreError>, stop: &CancellationToken) -> bool {
        let Batch { entries, damages, end } = match batch {
            Ok(batch) => batch,
            Err(error) => {
                self.storage.failed("cannot read the journal; retrying", &error);
                stop.run_until_cancelled(tokio::time::sleep(AGAIN_AFTER)).await;
                return false;
            }
        };
        let mut left = self.try_each(entries.into_iter().map(|entry| UnstoredEntry { entry, failures: 0 })).await;
        while !left.is_empty() {
            if stop.run_until_cancelled(tokio::time::sleep(AGAIN_AFTER)).await.is_none() {
                return false;
            }
            left = self.try_each(left).await;
        }
        if !damages.is_empty() && !self.report_damages(&damages, stop).await {
            return false;
        }
        self.journal.mark_applied(end);
        true
    }

    /// Has Twilio's lists searched for the lost entries, and reports the damage. Returns false on a stop request.
    async fn report_damages(&self, damages: &[Damage], stop: &CancellationToken) -> bool {
        while let Err(error) = self.widen_gaps(damages).await {
            self.storage.failed("cannot look for lost messages in the account's list; retrying", &error);
            if stop.run_until_cancelled(tokio::time::sleep(AGAIN_AFTER)).await.is_none() {
                return false;
            }
        }
        self.damages.report(damages).await;
        true
    }

    /// Without an entry before the damage, the usual gap is enough: it begins before all unstored events.
    async fn widen_gaps(&self, damages: &[Damage]) -> Result<(), StoreError> {
        match damages.iter().filter_map(|damage| damage.since).min() {
            Some(since) => self.store.widen_gaps(since).await,
            None => Ok(()),
        }
    }

    /// Stores these entries; those of different contacts share commits. Returns the ones to retry.
    async fn try_each(&self, entries: impl IntoIterator<Item = UnstoredEntry>) -> Vec<UnstoredEntry> {
        let mut lanes: BTreeMap<String, VecDeque<UnstoredEntry>> = BTreeMap::new();
        for open in entries {
            lanes.entry(who(&open.entry).to_owned()).or_default().push_back(open);
        }
        let left = join_all(lanes.into_values().map(|lane| self.in_order(lane))).await;
        let (mut waiting, mut first) = (Vec::new(), None);
        for (lane, error) in left {
            waiting.extend(lane);
            first = first.or(error);
        }
        if let Some(error) = first {
            self.storage.failed("cannot store incoming messages; they stay in the journal, retrying", &error);
        }
        waiting
    }

    /// Stores the entries of one contact in order, because STOP and then START means START. Returns those from the
    /// first failure on, and the error.
    async fn in_order(&self, mut lane: VecDeque<UnstoredEntry>) -> (VecDeque<UnstoredEntry>, Option<StoreError>) {
        while let Some(mut open) = lane.pop_front() {
            let Err(error) = self.apply(open.entry.clone()).await else { continue };
            open.failures += u32::from(!error.is_of_the_store());
            if open.failures < TRIES {
                lane.push_front(open);
                return (lane, Some(error));
            }
            self.wake.missed.notify_one();
            self.leave_out(&open.entry, &error).await;
        }
        (lane, None)
    }

    /// Reports an entry that is skipped because it cannot be stored.
    pub(crate) async fn leave_out(&self, entry: &JournalEntry, error: &StoreError) {
        match &entry.event {
            JournalEvent::Message(arrival) => self.leave_out_message(&arrival.provider_id, error).await,
            JournalEvent::Report(StatusReport { provider_id, .. }) => {
                let hint = error.hint();
                tracing::error!(provider_id, %error, hint, "skipped a status report that cannot be stored");
            }
        }
    }

    /// Reports a message that is skipped because it cannot be stored.
    pub(crate) async fn leave_out_message(&self, provider_id: &str, error: &StoreError) {
        tracing::error!(provider_id, %error, hint = error.hint(), "skipped a message that cannot be stored");
        self.notices.raise(Notice::MessageSkipped).await;
    }

    /// Applies an entry under the conditions at its arrival. One that panics fails, because it would come again at each
    /// restart.
    pub(crate) async fn apply(&self, entry: JournalEntry) -> Result<(), StoreError> {
        without_panic("applying an entry", self.try_applying(entry), || Err(StoreError::Fault)).await
    }

    async fn try_applying(&self, entry: JournalEntry) -> Result<(), StoreError> {
        match entry.event {
            JournalEvent::Message(arrival) => {
                let rules = if entry.is_unverified { self.rules_without_operator() } else { self.rules() };
                let signed = arrival.signed.clone();
                match self.accept_by(&entry.provider, rules, arrival, entry.at).await? {
                    Accepted::Repeat => self.metrics.message("repeat"),
                    Accepted::Tampered => self.report_tampered_journal_entry().await,
                    _ => {}
                }
                signed.iter().for_each(|signed| self.signatures.release(signed));
                Ok(())
            }
            // The provider is polled for messages without reports.
            JournalEvent::Report(report) if entry.is_unverified && self.checks_signatures => {
                tracing::info!(provider_id = report.provider_id, "skipped an unverified report");
                Ok(())
            }
            JournalEvent::Report(report) => self.report(&entry.provider, report, entry.at).await,
        }
    }

    /// Reports two divisions of one signed request into fields that were both acknowledged, which can only happen while
    /// a restart works through the journal.
    async fn report_tampered_journal_entry(&self) {
        self.metrics.webhook("recut");
        tracing::warn!("ignored a message: its signature was already used with other fields");
        tampering::report(&self.notices).await;
    }

    /// Stores a message; when this returns `Ok` it is on disk.
    pub async fn accept(&self, arrival: Arrival, now: Timestamp) -> Result<Accepted, StoreError> {
        let accepting = self.accept_by(self.provider.carrier().name, self.rules(), arrival, now);
        without_panic("storing what was missed", accepting, || Err(StoreError::Fault)).await
    }

    fn rules(&self) -> Arc<ArrivalRules> {
        self.live.borrow().arrivals.clone()
    }

    /// Returns rules without an operator, because anyone may have sent an unverified message.
    fn rules_without_operator(&self) -> Arc<ArrivalRules> {
        Arc::new(ArrivalRules { operator: None, ..(*self.rules()).clone() })
    }

    async fn accept_by(
        &self,
        provider: &str,
        rules: Arc<ArrivalRules>,
        arrival: Arrival,
        now: Timestamp,
    ) -> Result<Accepted, StoreError> {
        let (provider_id, from, origin) = (arrival.provider_id.clone(), arrival.from.clone(), arrival.origin());
        let accepted = self.store.accept(provider, arrival, rules, now).await?;
        tracing::debug!(provider_id, from = mask(&from), ?accepted, "message stored");
        if let Some(name) = name(accepted) {
            self.metrics.message(name);
        }
        match accepted {
            Accepted::Waiting(_) => self.wake.inbox.notify_one(),
            Accepted::Unconfirmed(_) => self.wake.numbers.notify_one(),
            Accepted::OperatorCommand(_) => self.wake.operator.notify_one(),
            Accepted::Keyword(..) | Accepted::Refused(..) => self.say_unanswered(&from, &origin, now),
            Accepted::Empty(_) | Accepted::Repeat | Accepted::Tampered => {}
        }
        Ok(accepted)
    }

    /// Logs that a sender gets no answer. The operator gets a notice from the store.
    fn say_unanswered(&self, from: &str, origin: &SenderOrigin, now: Timestamp) {
        if matches!(origin, SenderOrigin::Phone(_)) {
            return;
        }
        if !self.unanswered.is_news(from, now) {
            return;
        }
        let from = mask(from);
        match origin {
            SenderOrigin::Channel { name, .. } => {
                tracing::warn!(
                    from,
                    channel = name,
                    "messages from this channel are stored but not answered: it is not supported"
                );
            }
            _ => tracing::warn!(
                from,
                "texts from a short code or a name are stored but not answered: read them with `messages`"
            ),
        }
    }

    async fn report(&self, provider: &str, report: StatusReport, now: Timestamp) -> Result<(), StoreError> {
        let (provider_id, status, code) = (report.provider_id.clone(), report.status, report.error_code);
        let reported = undelivered::store(self.store.as_ref(), self.provider.as_ref(), provider, report, now).await?;
        if let Reported::Known(..) = reported {
            self.metrics.report(status);
        }
        match reported {
            Reported::Known(part, Advance::Conflict) => {
                tracing::warn!(%part, provider_id, status = status.as_str(), "a report contradicts an earlier final \
                    one");
            }
            Reported::Known(part, _) if status.is_failure() => {
                let why = code.map(|code| self.provider.explain(code));
                tracing::warn!(%part, provider_id, status = status.as_str(), provider.code = code, why, "a message \
                    did not arrive");
            }
            Reported::Known(part, _) => tracing::debug!(%part, provider_id, status = status.as_str(), "status"),
            Reported::Foreign => tracing::debug!(provider_id, "a report about a message that is not ours"),
        }
        self.wake.outbox.notify_one();
        Ok(())
    }
}

/// An entry that is not stored yet.
struct UnstoredEntry {
    entry: JournalEntry,
    /// Failed attempts while other entries could be stored.
    failures: u32,
}

/// Returns the key of entries that keep their order.
fn who(entry: &JournalEntry) -> &str {
    match &entry.event {
        JournalEvent::Message(arrival) => &arrival.from,
        JournalEvent::Report(report) => &report.provider_id,
    }
}

/// Names the outcome of an arrival for the metrics; none if it was stored before.
fn name(accepted: Accepted) -> Option<&'static str> {
    Some(match accepted {
        Accepted::Waiting(_) => "waiting",
        Accepted::Unconfirmed(_) => "unconfirmed",
        Accepted::Refused(..) => "refused",
        Accepted::Keyword(..) => "keyword",
        Accepted::Empty(_) => "empty",
        Accepted::OperatorCommand(_) => "order",
        Accepted::Repeat | Accepted::Tampered => return None,
    })
}
