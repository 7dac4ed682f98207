//! The gateway's tasks by name. A task that panics, or ends too early, is noticed at once.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

/// A reason why the gateway cannot continue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BrokenTask {
    /// A bug in this program.
    #[error("the task `{0}` panicked")]
    Panicked(&'static str),
    /// A task ended without being stopped.
    #[error("the task `{0}` ended unexpectedly")]
    Ended(&'static str),
}

/// Tasks that run until they are stopped.
#[derive(Debug)]
pub(crate) struct Tasks {
    running: JoinSet<()>,
    broken: watch::Sender<Option<BrokenTask>>,
}

impl Tasks {
    pub(crate) fn new() -> Self {
        Self { running: JoinSet::new(), broken: watch::Sender::new(None) }
    }

    /// Runs `work`, which must not end before `stop` is requested.
    pub(crate) fn spawn(
        &mut self,
        name: &'static str,
        stop: CancellationToken,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        let broken = self.broken.clone();
        self.running.spawn(async move {
            let why = match AssertUnwindSafe(work).catch_unwind().await {
                Err(_) => BrokenTask::Panicked(name),
                Ok(()) if stop.is_cancelled() => return,
                Ok(()) => BrokenTask::Ended(name),
            };
            tracing::error!(task = name, "the gateway is broken: {why}");
            broken.send_if_modified(|known| known.replace(why).is_none());
        });
    }

    /// Runs work that may be dropped at any await point, so that a request to the provider does not delay stopping.
    pub(crate) fn spawn_dropped(
        &mut self,
        name: &'static str,
        stop: CancellationToken,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        let asked = stop.clone();
        self.spawn(name, stop, async move {
            asked.run_until_cancelled(work).await;
        });
    }

    /// Waits until a task breaks, and returns the first one.
    pub(crate) async fn broken(&self) -> BrokenTask {
        let mut broken = self.broken.subscribe();
        match broken.wait_for(Option::is_some).await.map(|broken| *broken) {
            Ok(Some(why)) => why,
            _ => std::future::pending().await,
        }
    }

    /// Waits for all tasks at most for `time`, then aborts the rest.
    pub(crate) async fn end_within(mut self, time: Duration) {
        let deadline = Instant::now() + time;
        while let Ok(Some(_)) = timeout_at(deadline, self.running.join_next()).await {}
        if !self.running.is_empty() {
            tracing::warn!(tasks = self.running.len(), "some tasks did not end in time and were aborted");
            self.running.abort_all();
        }
    }
}

/// Returns the result of `work`, or `fallback` if it panics: a bug in one turn or request must not end the gateway.
pub(crate) async fn without_panic<T>(
    what: &'static str,
    work: impl Future<Output = T>,
    fallback: impl FnOnce() -> T,
) -> T {
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!("{what} panicked, which is a bug in this program: please report it with the log");
        fallback()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_failed_task_is_named_while_the_others_run() {
        for (is_panic, expected) in [(true, BrokenTask::Panicked("two")), (false, BrokenTask::Ended("two"))] {
            let stop = CancellationToken::new();
            let mut tasks = Tasks::new();
            let other = stop.clone();
            tasks.spawn("one", stop.clone(), async move { other.cancelled().await });
            tasks.spawn("two", stop.clone(), async move {
                tokio::task::yield_now().await;
                assert!(!is_panic, "on purpose");
            });
            assert_eq!(tasks.broken().await, expected);
            tasks.spawn("three", stop.clone(), async { panic!("on purpose") });
            stop.cancel();
            tasks.end_within(Duration::from_secs(60)).await;
        }
    }

    #[tokio::test]
    async fn hanging_tasks_are_aborted_and_stopped_tasks_are_not_failures() {
        let stop = CancellationToken::new();
        let mut tasks = Tasks::new();
        tasks.spawn_dropped("dropped", stop.clone(), std::future::pending());
        tasks.spawn("hanging", stop.clone(), std::future::pending());
        stop.cancel();
        let broken = tasks.broken.subscribe();
        tasks.end_within(Duration::from_millis(10)).await;
        assert_eq!(*broken.borrow(), None);
    }

    #[tokio::test]
    async fn a_panic_in_one_request_is_its_own_failure() {
        assert_eq!(without_panic("a request", async { 1 }, || 2).await, 1);
        assert_eq!(without_panic("a request", async { panic!("on purpose") }, || 2).await, 2);
    }
}
