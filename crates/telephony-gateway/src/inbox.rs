//! Has turns answered: takes what is due, up to so many at a time, each in a task of its own.

mod attachments;
mod comeback;
mod outbound_media;
mod reply;
mod turn;

use std::sync::Arc;

use telephony_domain::program::ProgramName;
use telephony_domain::time::{Clock, Timestamp};
use telephony_providers::provider::Provider;
use telephony_store::{LeaseHolder, Next, Store};
use tokio::sync::Semaphore;
use tokio::sync::watch::Receiver;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;
use crate::permits;
use crate::reach::Reach;
use crate::settings::Live;
use crate::storage::Storage;
use crate::wake::{self, Wake};
use turn::Worker;

/// What answering needs.
pub struct TurnRunner {
    /// The durable inbox.
    pub store: Arc<dyn Store>,
    /// Who has the attachments of messages.
    pub provider: Arc<dyn Provider>,
    /// How many attachments are fetched at a time.
    pub downloads: Semaphore,
    /// The URLs by which the provider could fetch files that go with answers.
    pub reach: Receiver<Reach>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Who answers, who is admitted, how answers become messages.
    pub live: Receiver<Arc<Live>>,
    /// The name that texts call our program by.
    pub program: ProgramName,
    /// How many turns at a time.
    pub sessions: Arc<Semaphore>,
    /// The name on our leases.
    pub holder: LeaseHolder,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who is woken, and by whom.
    pub wake: Arc<Wake>,
    /// The storage state.
    pub storage: Arc<Storage>,
}

impl TurnRunner {
    /// Answers turns until `stop`, then waits for those being answered or, after a grace, hands them back.
    ///
    /// A lease that is asked for is always waited for: one that nobody holds in hand would keep its turn for 30 s.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut turns = JoinSet::new();
        while let Some(permits) = stop.run_until_cancelled(permits::all_free(&self.sessions)).await.flatten() {
            let merges = !self.live.borrow().arrivals.coalesce.is_zero();
            match self.store.lease_turns(&self.holder, merges, permits.len(), self.clock.now()).await {
                Ok(Next::Taken(due)) => {
                    for (turn, place) in due.into_iter().zip(permits) {
                        let worker = Worker { inbox: self.clone(), live: self.live.borrow().clone() };
                        turns.spawn(worker.work(turn, place, stop.clone()));
                    }
                }
                Ok(Next::Idle(due)) => self.wait(due, &stop).await,
                Err(error) => {
                    self.storage.failed("failed to look for messages to answer", &error);
                    self.wait(None, &stop).await;
                }
            }
            while let Some(ended) = turns.try_join_next() {
                tell_panic(ended);
            }
        }
        while let Some(ended) = turns.join_next().await {
            tell_panic(ended);
        }
    }

    async fn wait(&self, due: Option<Timestamp>, stop: &CancellationToken) {
        stop.run_until_cancelled(wake::wait(&self.wake.inbox, due, self.clock.as_ref())).await;
    }
}

/// A panic in a turn is a bug; the turn's lease expires and it is tried again.
fn tell_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a turn ended in a panic; it will be tried again");
    }
}
