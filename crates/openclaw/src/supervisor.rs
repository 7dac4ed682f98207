//! Notifies the service manager (systemd's `sd_notify`); does nothing without one.

use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use telephony_domain::time::{Clock, SystemClock};
use telephony_store::{Store, StoreError};
use tokio::task::JoinHandle;

/// Reports that webhooks are accepted.
pub fn ready() {
    notify(&[NotifyState::Ready]);
}

/// Reports a reload of the configuration; [`ready`] follows.
pub fn reloading() {
    let now = NotifyState::monotonic_usec_now();
    notify(&[NotifyState::Reloading].into_iter().chain(now).collect::<Vec<_>>());
}

/// Reports that no new work is accepted.
pub fn stopping() {
    notify(&[NotifyState::Stopping]);
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "cannot notify the service manager");
    }
}

/// Sends watchdog notifications while the store responds, twice as often as required. A disk error counts as a
/// response, because a restart would not fix it; a dead thread does not.
pub fn show_life(store: Arc<dyn Store>) -> Option<JoinHandle<()>> {
    let every = sd_notify::watchdog_enabled()? / 2;
    Some(tokio::spawn(async move {
        loop {
            if answers(store.as_ref(), every).await {
                notify(&[NotifyState::Watchdog]);
            }
            tokio::time::sleep(every).await;
        }
    }))
}

async fn answers(store: &dyn Store, within: Duration) -> bool {
    let question = store.end_notice("nothing", SystemClock.now());
    !matches!(tokio::time::timeout(within, question).await, Err(_) | Ok(Err(StoreError::Stopped)))
}
