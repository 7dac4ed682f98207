//! Places for work under way: whoever has one may work, and all that are free are taken together.

use std::iter;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Waits until a place is free and takes it with all others that are. None when there will never be one.
pub async fn all_free(permits: &Arc<Semaphore>) -> Option<Vec<OwnedSemaphorePermit>> {
    let first = permits.clone().acquire_owned().await.ok()?;
    let others = iter::from_fn(|| permits.clone().try_acquire_owned().ok());
    Some(iter::once(first).chain(others).collect())
}
