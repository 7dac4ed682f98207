//! Answers turns: leases those that are due, up to a limit, each in a task of its own.

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
use tracing::Instrument;

use crate::metrics::Metrics;
use crate::permits;
use crate::reach::Reach;
use crate::settings::Live;
use crate::storage::Storage;
use crate::wake::{self, Wake};
pub(crate) use turn::role;

use turn::TurnWorker;

/// The task that answers turns.
pub struct TurnRunner {
    pub(crate) store: Arc<dyn Store>,
    /// Provider, which has the attachments of messages.
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) downloads: Semaphore,
    /// Public URLs where the provider can fetch files of answers.
    pub(crate) reach: Receiver<Reach>,
    pub(crate) metrics: Arc<Metrics>,
    /// Agent, policy and rules for splitting.
    pub(crate) live: Receiver<Arc<Live>>,
    /// Name of our program in texts.
    pub(crate) program: ProgramName,
    pub(crate) sessions: Arc<Semaphore>,
    /// Holder of our leases.
    pub(crate) holder: LeaseHolder,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) wake: Arc<Wake>,
    pub(crate) storage: Arc<Storage>,
}

impl TurnRunner {
    /// Answers turns until `stop`, then waits for the running ones or, after a grace period, hands them back.
    ///
    /// Every lease it requests is handled to the end: an unhandled lease would block its turn for 30 s.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut turns = JoinSet::new();
        while let Some(permits) = stop.run_until_cancelled(permits::all_free(&self.sessions)).await.flatten() {
            let merges = !self.live.borrow().arrivals.coalesce.is_zero();
            match self.store.lease_turns(&self.holder, merges, permits.len(), self.clock.now()).await {
                Ok(Next::Taken(due)) => {
                    for (turn, place) in due.into_iter().zip(permits) {
                        let worker = TurnWorker { inbox: self.clone(), live: self.live.borrow().clone() };
                        let span = turn::span(&turn);
                        turns.spawn(worker.work(turn, place, stop.clone()).instrument(span));
                    }
                }
                Ok(Next::Idle(due)) => self.wait(due, &stop).await,
                Err(error) => {
                    self.storage.failed("cannot look for messages to answer", &error);
                    self.wait(None, &stop).await;
                }
            }
            while let Some(ended) = turns.try_join_next() {
                log_panic(ended);
            }
        }
        while let Some(ended) = turns.join_next().await {
            log_panic(ended);
        }
    }

    async fn wait(&self, due: Option<Timestamp>, stop: &CancellationToken) {
        stop.run_until_cancelled(wake::wait(&self.wake.inbox, due, self.clock.as_ref())).await;
    }
}

/// Logs a panic in a turn, which is a bug. The turn's lease expires and it is retried.
fn log_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a turn panicked; it will be retried");
    }
}
