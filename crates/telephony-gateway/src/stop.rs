//! The grace period of running work after a stop signal.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// Time for running work to finish after a stop signal. Service managers wait for 10 s.
pub const GRACE: Duration = Duration::from_secs(5);

/// Waits for the stop signal and the end of the grace period.
pub async fn grace_over(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(GRACE).await;
}
