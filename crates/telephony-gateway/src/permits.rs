//! Permits for concurrent work.

use std::iter;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Waits until a permit is free, and takes all free permits. None if there will never be one.
pub async fn all_free(permits: &Arc<Semaphore>) -> Option<Vec<OwnedSemaphorePermit>> {
    let first = permits.clone().acquire_owned().await.ok()?;
    let others = iter::from_fn(|| permits.clone().try_acquire_owned().ok());
    Some(iter::once(first).chain(others).collect())
}
