//! Sends messages: starts each part that is due, in order within a conversation, and several conversations at a time.

mod account;
mod catch_up;
mod in_flight;
mod poll;
mod reconcile;
mod send;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use telephony_domain::id::MessageId;
use telephony_domain::limit::Terms;
use telephony_domain::time::{Clock, Timestamp};
use telephony_providers::provider::Provider;
use telephony_store::outbox::StartedPart;
use telephony_store::{LeaseHolder, Next, Store, StoreError};
use tokio::sync::watch::Receiver;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::metrics::Metrics;
use crate::permits;
use crate::reach::Reach;
use crate::settings::Live;
use crate::stop;
use crate::storage::Storage;
use crate::wake::{self, Wake};

pub use self::in_flight::AttemptsInFlight;
pub use self::poll::Reports;

/// Requests to the provider in flight; Twilio answers 429 to an account with too many.
const REQUESTS: usize = 16;

/// A request that takes longer hangs, and another one may start, so that no conversation waits for another.
const HANGS_AFTER: Duration = Duration::from_secs(2);

/// Requests in flight including hanging ones: as many as can start in the 15 s until they are given up.
const WITH_HANGING: usize = 128;

/// The task that sends parts; used by the gateway, and by a command if no gateway is running.
pub struct PartSender {
    /// Message store.
    pub store: Arc<dyn Store>,
    /// Provider.
    pub provider: Arc<dyn Provider>,
    /// Public URLs for status reports and for our files.
    pub reach: Receiver<Reach>,
    /// Holder of our attempts.
    pub holder: LeaseHolder,
    /// Clock.
    pub clock: Arc<dyn Clock>,
    /// Wake-up signals.
    pub wake: Arc<Wake>,
    /// Storage state.
    pub storage: Arc<Storage>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Attempts in flight, independent of a clock that is set meanwhile.
    pub in_flight: AttemptsInFlight,
}

impl PartSender {
    /// Sends until `stop`, then waits for requests in flight; those that hang become doubts.
    ///
    /// A requested part is always awaited: one that was started and not sent would be in doubt.
    pub async fn run(self: Arc<Self>, live: Receiver<Arc<Live>>, stop: CancellationToken) {
        let requests = Arc::new(Semaphore::new(REQUESTS));
        let mut sending = JoinSet::new();
        while let Some(permits) = stop.run_until_cancelled(permits::all_free(&requests)).await.flatten() {
            let capacity = WITH_HANGING.saturating_sub(sending.len());
            if capacity == 0 {
                drop(permits);
                stop.run_until_cancelled(sending.join_next()).await;
                continue;
            }
            let at_most = capacity.min(permits.len());
            let terms = live.borrow().terms;
            match self.start_parts(terms, None, at_most).await {
                Ok(Next::Taken(due)) => {
                    for (part, place) in due.into_iter().zip(permits) {
                        sending.spawn(self.clone().send_from(part, place, stop.clone()));
                    }
                }
                Ok(Next::Idle(due)) => self.wait(due, &stop).await,
                Err(error) => {
                    self.storage.failed("cannot look for messages to send", &error);
                    self.wait(None, &stop).await;
                }
            }
            while sending.try_join_next().is_some() {}
        }
        while sending.join_next().await.is_some() {}
    }

    /// Starts due parts of all messages, or of one message and those ahead of it.
    pub async fn start_parts(
        &self,
        terms: Terms,
        only: Option<MessageId>,
        at_most: usize,
    ) -> Result<Next<Vec<StartedPart>>, StoreError> {
        let (provider_time, now) = (self.provider.time(), self.clock.now());
        self.store.start_parts(&self.holder, terms, only, at_most, provider_time, now).await
    }

    async fn send_from(self: Arc<Self>, part: StartedPart, place: OwnedSemaphorePermit, stop: CancellationToken) {
        let lease = part.lease;
        tokio::select! {
            () = self.send_and_yield(part, place) => self.wake.outbox.notify_one(),
            () = stop::grace_over(&stop) => self.give_up(lease).instrument(send::span(lease)).await,
        }
    }

    /// Sends `part`, and gives its permit up as soon as the request seems to hang.
    async fn send_and_yield(&self, part: StartedPart, place: OwnedSemaphorePermit) {
        let sending = self.send(part);
        tokio::pin!(sending);
        let is_sent = timeout(HANGS_AFTER, &mut sending).await.is_ok();
        drop(place);
        if !is_sent {
            sending.await;
        }
    }

    async fn wait(&self, due: Option<Timestamp>, stop: &CancellationToken) {
        stop.run_until_cancelled(wake::wait(&self.wake.outbox, due, self.clock.as_ref())).await;
    }

    fn status_url(&self) -> Option<String> {
        self.reach.borrow().status.registered.clone()
    }
}
