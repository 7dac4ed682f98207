//! Hands messages out: takes each part that is due, one after the other in a conversation, several at a time otherwise.

mod poll;
mod reconcile;
mod send;
mod under_way;

use std::sync::{Arc, PoisonError, RwLock};

use telephony_domain::limit::Terms;
use telephony_domain::time::{Clock, Timestamp};
use telephony_providers::provider::Provider;
use telephony_store::outbox::StartedPart;
use telephony_store::{Holder, Next, Store};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use crate::address::PublicAddress;
use crate::metrics::Metrics;
use crate::places;
use crate::stop::Stop;
use crate::wake::{self, Wake};

pub use self::poll::Reports;
pub use self::under_way::UnderWay;

/// Requests to the provider under way at a time; Twilio answers 429 to an account that has too many.
const REQUESTS: usize = 16;

/// What sending needs; used by the gateway and by a command that finds no gateway running.
pub struct Outbox {
    /// The durable outbox.
    pub store: Arc<dyn Store>,
    /// Who carries it.
    pub provider: Arc<dyn Provider>,
    /// How fast lines send, and how much.
    pub terms: RwLock<Terms>,
    /// Where reports go; none where we cannot be reached.
    pub status_url: RwLock<Option<String>>,
    /// The webhook's public URL, below which the provider fetches files of ours; none where we cannot be reached.
    pub address: PublicAddress,
    /// The name on our attempts.
    pub holder: Holder,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who is woken, and by whom.
    pub wake: Arc<Wake>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Parts that are being handed over, however long that seems by a clock that is set meanwhile.
    pub under_way: UnderWay,
}

impl Outbox {
    /// Sends until `stop`, then waits for what is under way.
    ///
    /// A part that is asked for is always waited for: one that was started and not sent would be in doubt.
    pub async fn run(self: Arc<Self>, stop: Stop) {
        let requests = Arc::new(Semaphore::new(REQUESTS));
        let mut sending = JoinSet::new();
        while let Some(places) = stop.unless_asked(places::all_free(&requests)).await.flatten() {
            match self.store.start_parts(&self.holder, self.terms(), None, places.len(), self.clock.now()).await {
                Ok(Next::Taken(due)) => {
                    for (part, place) in due.into_iter().zip(places) {
                        sending.spawn(self.clone().send_from(part, place));
                    }
                }
                Ok(Next::Idle(due)) => self.wait(due, &stop).await,
                Err(error) => {
                    tracing::error!(%error, hint = error.hint(), "failed to look for messages to send");
                    self.wait(None, &stop).await;
                }
            }
            while sending.try_join_next().is_some() {}
        }
        while sending.join_next().await.is_some() {}
    }

    async fn send_from(self: Arc<Self>, part: StartedPart, place: OwnedSemaphorePermit) {
        self.send(part).await;
        drop(place);
        self.wake.outbox.notify_one();
    }

    async fn wait(&self, due: Option<Timestamp>, stop: &Stop) {
        stop.unless_asked(wake::wait(&self.wake.outbox, due, self.clock.as_ref())).await;
    }

    /// How fast and how much is sent now.
    pub fn terms(&self) -> Terms {
        *self.terms.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on so fast and so much.
    pub fn set_terms(&self, terms: Terms) {
        *self.terms.write().unwrap_or_else(PoisonError::into_inner) = terms;
        self.wake.outbox.notify_one();
    }

    fn status_url(&self) -> Option<String> {
        self.status_url.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
