//! Checks that the store can be used.

use async_trait::async_trait;

use crate::StoreError;

/// Tries the store without changing anything in it.
#[async_trait]
pub trait Soundness: Send + Sync {
    /// Writes, and changes nothing: fails as a message that came now would.
    async fn try_writing(&self) -> Result<(), StoreError>;

    /// Fails when the file was removed or replaced.
    fn check_is_there(&self) -> Result<(), StoreError>;
}
