//! Finds messages and calls whose webhook never arrived, in the provider's own lists.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use telephony_domain::message::Arrival;
use telephony_domain::number::mask;
use telephony_domain::retry::Disposition;
use telephony_domain::time::{Clock, Timestamp};
use telephony_providers::provider::{Provider, ProviderError};
use telephony_store::inbox::Accepted;
use telephony_store::journal::JournalEvent;
use telephony_store::lines::Gap;
use telephony_store::{Store, StoreError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::apply::Applier;
use crate::calls::{CallRunner, MissedError};
use crate::metrics::Metrics;
use crate::outbox::PartSender;
use crate::wake::Wake;

/// Interval between checks, also after a list could not be fetched.
const LOOK_EVERY: Duration = Duration::from_secs(10 * 60);
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(60);

/// Shortest interval between checks that rejected requests trigger.
const LOOK_FOR_REFUSED_EVERY: Duration = Duration::from_secs(60);

/// Age up to which a message is left to its webhook, which may still arrive and has more details than the list. Twilio
/// sends it within a second or so.
const ON_ITS_WAY: Duration = Duration::from_secs(5);

/// Interval between readings of the clock, which may jump.
const LOOK_AT_CLOCK_EVERY: Duration = Duration::from_millis(500);

/// The task that finds missed messages and calls.
pub struct Backfill {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) provider: Arc<dyn Provider>,
    /// Stores missed messages as if their webhook had arrived.
    pub(crate) applier: Arc<Applier>,
    pub(crate) calls: Arc<CallRunner>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) wake: Arc<Wake>,
    pub(crate) metrics: Arc<Metrics>,
    /// Completes a restore once everything since the backup is stored.
    pub(crate) outbox: Arc<PartSender>,
}

impl Backfill {
    /// Checks at once and then regularly until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let go_on = async {
            let mut refused_from = Instant::now();
            let mut unlisted_calls = UnlistedCalls::default();
            loop {
                let is_complete =
                    self.store_restored().await && self.look(&mut unlisted_calls).await && self.catch_up().await;
                let pause = if is_complete { LOOK_EVERY } else { LOOK_AGAIN_AFTER };
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = self.wake.missed.notified() => {}
                    () = self.is_refused(refused_from) => refused_from = Instant::now() + LOOK_FOR_REFUSED_EVERY,
                }
            }
        };
        stop.run_until_cancelled(go_on).await;
    }

    /// Waits until a request was rejected, but at least until `from`.
    async fn is_refused(&self, from: Instant) {
        tokio::time::sleep_until(from).await;
        self.wake.refused.notified().await;
    }

    /// Stores the journal entries of a restored backup. Returns false if it could not.
    async fn store_restored(&self) -> bool {
        let restored = match self.store.restored().await {
            Ok(None) => return true,
            Ok(Some(_)) => self.store.restored_entries().await,
            Err(error) => Err(error),
        };
        let entries = match restored {
            Ok(entries) => entries,
            Err(error) => return cannot_store(&error),
        };
        tracing::warn!(
            "a backup was restored: nothing is answered or sent until the account's lists show what happened since"
        );
        for mut entry in entries {
            // Later messages may be stored already: a STOP after this START counts.
            if let JournalEvent::Message(arrival) = &mut entry.event {
                arrival.provider_time.get_or_insert(entry.at);
            }
            match self.applier.apply(entry.clone()).await {
                Ok(()) => {}
                Err(error) if error.is_of_the_store() => return cannot_store(&error),
                // The provider's lists may have it.
                Err(error) => self.applier.leave_out(&entry, &error).await,
            }
        }
        self.applier.cleared().await;
        true
    }

    async fn catch_up(&self) -> bool {
        self.outbox.catch_up().await.unwrap_or_else(|error| cannot_store(&error))
    }

    /// Fills every gap. Returns false if it could not.
    async fn look(&self, unlisted_calls: &mut UnlistedCalls) -> bool {
        let knows_pools = self.watch_pools().await;
        let gaps = match self.store.gaps(self.clock.now()).await {
            Ok(gaps) => gaps,
            Err(error) => {
                tracing::error!(%error, hint = error.hint(), "cannot look for gaps");
                return false;
            }
        };
        let mut is_complete = knows_pools;
        for gap in &gaps {
            is_complete &= self.fill(gap, unlisted_calls).await;
        }
        is_complete
    }

    /// Learns the numbers of a messaging service, which are not in the configuration. Returns false if some are
    /// unknown.
    async fn watch_pools(&self) -> bool {
        let lines = match self.store.lines().await {
            Ok(lines) => lines,
            Err(error) => return cannot_store(&error),
        };
        let mut is_complete = true;
        for line in lines.iter().filter(|line| line.sender.messaging_service.is_some()) {
            is_complete &= match self.provider.numbers_of(&line.sender).await {
                Ok(numbers) => self.store.watch(numbers).await.map_or_else(|error| cannot_store(&error), |()| true),
                Err(error) => {
                    tracing::warn!(line = %line.id, %error, hint = error.hint(), "cannot list a messaging service's \
                        numbers");
                    false
                }
            };
        }
        is_complete
    }

    async fn fill(&self, gap: &Gap, unlisted_calls: &mut UnlistedCalls) -> bool {
        let (began, started, to) = (self.clock.now(), Instant::now(), mask(&gap.number));
        let arrivals = match self.provider.received(&gap.number, gap.since).await {
            Ok(arrivals) => arrivals,
            Err(error) => {
                tracing::warn!(to, %error, hint = error.hint(), "cannot list incoming messages; retrying");
                return false;
            }
        };
        let is_young = |arrival: &Arrival| arrival.provider_time.is_some_and(|taken| began.since(taken) < ON_ITS_WAY);
        let (young, old): (Vec<_>, Vec<_>) = arrivals.into_iter().rev().partition(is_young);
        if !self.take(old, &to).await {
            return false;
        }
        if !young.is_empty() {
            self.wait_for_webhooks(began).await;
            if !self.take(young, &to).await {
                return false;
            }
        }
        match self.calls.store_missed(&gap.number, gap.since).await {
            Ok(()) => unlisted_calls.listed(&gap.number),
            Err(MissedError::Store(error)) => return cannot_store(&error),
            Err(MissedError::Provider(error)) => {
                if unlisted_calls.is_news(&gap.number, &error) {
                    tracing::warn!(to, %error, hint = error.hint(), "cannot list incoming calls");
                }
                // The messages are complete. The next check looks for the calls again, unless they will stay unknown.
                if matches!(error.disposition(), Disposition::Retry { .. } | Disposition::Unknown) {
                    return true;
                }
            }
        }
        // A clock of ours that is ahead, and is corrected later, would hide what comes until then.
        let by_provider = self.provider.time().map(|time| time - started.elapsed());
        match self.store.gap_closed(gap, by_provider.unwrap_or(began).min(began)).await {
            Ok(()) => true,
            Err(error) => cannot_store(&error),
        }
    }

    /// Waits until the webhooks of messages new at `began` must have arrived. A clock that was set back ends the wait.
    async fn wait_for_webhooks(&self, began: Timestamp) {
        while (began..began + ON_ITS_WAY).contains(&self.clock.now()) {
            tokio::time::sleep(LOOK_AT_CLOCK_EVERY).await;
        }
    }

    /// Stores the missed messages among these, oldest first. Returns false if it could not.
    async fn take(&self, arrivals: Vec<Arrival>, to: &str) -> bool {
        // Messages whose webhook arrived meanwhile are not missed.
        self.applier.cleared().await;
        let mut missed = 0;
        for arrival in arrivals {
            let provider_id = arrival.provider_id.clone();
            match self.applier.accept(arrival, self.clock.now()).await {
                Ok(Accepted::Repeat) => {}
                Ok(_) => missed += 1,
                Err(error) if error.is_of_the_store() => return cannot_store(&error),
                // Continue with the messages behind it.
                Err(error) => self.applier.leave_out_message(&provider_id, &error).await,
            }
        }
        if missed > 0 {
            self.metrics.missed(missed);
            tracing::info!(to, missed, "stored messages whose webhook never arrived");
        }
        true
    }
}

/// Numbers of ours whose calls cannot be listed, with the reason: a check in ten minutes that fails for the same reason
/// is not logged again.
#[derive(Default)]
struct UnlistedCalls(HashMap<String, ProviderError>);

impl UnlistedCalls {
    fn is_news(&mut self, number: &str, error: &ProviderError) -> bool {
        self.0.insert(number.to_owned(), error.clone()).as_ref() != Some(error)
    }

    fn listed(&mut self, number: &str) {
        self.0.remove(number);
    }
}

fn cannot_store(error: &StoreError) -> bool {
    tracing::error!(%error, hint = error.hint(), "cannot store incoming messages; retrying");
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_that_cannot_be_listed_are_logged_once_for_each_reason() {
        let failed = |cause: &str| ProviderError::NoAnswer { server: "api.example".into(), cause: cause.into() };
        let mut unlisted = UnlistedCalls::default();
        assert!(unlisted.is_news("+15550001234", &failed("slow")));
        assert!(!unlisted.is_news("+15550001234", &failed("slow")));
        assert!(unlisted.is_news("+15550001235", &failed("slow")));
        assert!(unlisted.is_news("+15550001234", &failed("cut")));
        unlisted.listed("+15550001234");
        assert!(unlisted.is_news("+15550001234", &failed("cut")));
    }
}
