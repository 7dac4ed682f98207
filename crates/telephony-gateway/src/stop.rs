//! The grace that running work has once the daemon is asked to stop: no new work, what runs may end.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// Time for running work to finish after a stop signal. Service managers wait for 10 s.
pub const GRACE: Duration = Duration::from_secs(5);

/// Returns once `stop` was asked for and the grace is over.
pub async fn grace_over(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(GRACE).await;
}
