//! Checks that the store is usable.

use async_trait::async_trait;

use crate::StoreError;

/// Tests the store without changing its content.
#[async_trait]
pub trait Soundness: Send + Sync {
    /// Tests writing without changing anything: fails as storing a new message would.
    async fn try_writing(&self) -> Result<(), StoreError>;

    /// Fails if the file was removed or replaced.
    fn check_is_there(&self) -> Result<(), StoreError>;

    /// Fails if the file was overwritten in place by another store or by something else.
    async fn check_content(&self) -> Result<(), StoreError>;
}
