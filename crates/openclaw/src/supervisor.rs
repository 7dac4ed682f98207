//! What the service manager is told (systemd's `sd_notify`); nothing where none started us.

use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use telephony_domain::time::{Clock, SystemClock};
use telephony_store::{Store, StoreError};
use tokio::task::JoinHandle;

/// Webhooks are taken.
pub fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The configuration is read again; [`ready`] follows.
pub fn reloading() {
    let now = NotifyState::monotonic_usec_now();
    tell(&[NotifyState::Reloading].into_iter().chain(now).collect::<Vec<_>>());
}

/// No new work is taken.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "failed to tell the service manager");
    }
}

/// Shows signs of life for as long as the store answers, twice as often as asked for. A disk that refuses is an answer:
/// starting again would not mend it. A thread that is gone is none.
pub fn show_life(store: Arc<dyn Store>) -> Option<JoinHandle<()>> {
    let every = sd_notify::watchdog_enabled()? / 2;
    Some(tokio::spawn(async move {
        loop {
            if answers(store.as_ref(), every).await {
                tell(&[NotifyState::Watchdog]);
            }
            tokio::time::sleep(every).await;
        }
    }))
}

async fn answers(store: &dyn Store, within: Duration) -> bool {
    let question = store.end_notice("nothing", SystemClock.now());
    !matches!(tokio::time::timeout(within, question).await, Err(_) | Ok(Err(StoreError::Stopped)))
}
