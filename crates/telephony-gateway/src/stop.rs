//! How the daemon is asked to stop: no new work, what runs may end.

use std::time::Duration;

use tokio::sync::watch;

/// The time that running work has to end after a stop signal. Service managers wait for 10 s.
pub const GRACE: Duration = Duration::from_secs(5);

/// Asks everybody who holds a [`Stop`] to stop; dropping it asks too.
#[derive(Debug)]
pub struct Stopper(watch::Sender<bool>);

/// Tells when to stop.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stopper {
    /// A stopper and what it stops.
    pub fn new() -> (Self, Stop) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), Stop(receiver))
    }

    /// Asks to stop.
    pub fn ask(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// Returns once somebody asked to stop.
    pub async fn asked(&self) {
        self.0.clone().wait_for(|asked| *asked).await.ok();
    }

    /// Returns once somebody asked to stop and the grace is over.
    pub async fn grace_over(&self) {
        self.asked().await;
        tokio::time::sleep(GRACE).await;
    }

    /// What `work` comes to, or none where somebody asks to stop first.
    pub async fn unless_asked<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.asked() => None,
            done = work => Some(done),
        }
    }

    /// Whether somebody asked to stop.
    pub fn is_asked(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }
}
