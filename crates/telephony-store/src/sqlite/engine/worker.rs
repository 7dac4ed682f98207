//! A thread that owns a connection and runs jobs; `writer` and `reader` handle transactions.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::waiting::JobQueue;
use super::work::Work;
use crate::StoreError;

struct WorkerRequest<T, F> {
    work: F,
    outcome: Option<Result<T, StoreError>>,
    asker: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Work for WorkerRequest<T, F>
where
    T: Send,
    F: FnMut(&Connection) -> Result<T, StoreError> + Send,
{
    fn run(&mut self, db: &Connection) -> Result<(), StoreError> {
        // A fault in one job ends that job: the thread serves all others.
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.work)(db))).unwrap_or(Err(StoreError::Fault));
        let ended = outcome.as_ref().map(drop).map_err(StoreError::clone);
        self.outcome = Some(outcome);
        ended
    }

    fn answer(self: Box<Self>, stored: Result<(), StoreError>) {
        let outcome = match (self.outcome, stored) {
            (Some(Ok(done)), Ok(())) => Ok(done),
            (Some(Err(error)), _) | (_, Err(error)) => Err(error),
            (None, Ok(())) => Err(StoreError::Stopped),
        };
        // The caller may be gone; the changes stay.
        let _ = self.asker.send(outcome);
    }
}

/// The handle of the thread. Dropping it waits for all jobs.
#[derive(Debug)]
pub(crate) struct WorkerHandle {
    waiting: Arc<JobQueue>,
    thread: Option<JoinHandle<()>>,
}

impl WorkerHandle {
    /// Starts a thread that runs `serve` until no more jobs can arrive.
    pub(crate) fn start(
        name: &str,
        serve: impl FnOnce(&JobQueue) + Send + 'static,
    ) -> Result<WorkerHandle, StoreError> {
        let waiting = Arc::new(JobQueue::default());
        let ours = waiting.clone();
        let thread = Builder::new().name(name.to_owned()).spawn(move || {
            // Also after a panic, no caller must wait for this thread.
            let _closing = WorkerEnd(&ours);
            serve(&ours);
        });
        let thread = thread.map_err(|error| StoreError::Other(format!("cannot start its thread: {error}")))?;
        Ok(WorkerHandle { waiting, thread: Some(thread) })
    }

    /// Returns the number of jobs not started yet.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.length()
    }

    /// Runs `work` on the thread and waits for its result.
    pub(crate) async fn ask<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let (asker, answer) = oneshot::channel();
        self.waiting.push(Box::new(WorkerRequest { work, outcome: None, asker }))?;
        answer.await.map_err(|_| StoreError::Stopped)?
    }
}

impl Drop for WorkerHandle {
    fn drop(&mut self) {
        self.waiting.close();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was already reported.
            let _ = thread.join();
        }
    }
}

/// Ends the waits on a thread that ends.
struct WorkerEnd<'a>(&'a JobQueue);

impl Drop for WorkerEnd<'_> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}
