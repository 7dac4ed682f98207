//! The provider's routes before our changes, so that they can be restored.

use async_trait::async_trait;
use telephony_domain::time::Timestamp;

use crate::StoreError;

/// A change to one setting of a route, made or at least intended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteChange {
    /// Id of the route at the provider.
    pub route: String,
    /// Number or messaging service.
    pub address: String,
    /// Name of the setting.
    pub name: String,
    /// Value that we replaced.
    pub before: String,
    /// Value that we set.
    pub after: String,
}

/// The record of route changes.
#[async_trait]
pub trait RouteChanges: Send + Sync {
    /// Records intended changes. Call it before asking the provider: an unrecorded change could never be undone.
    async fn changing_routes(&self, changes: Vec<RouteChange>, now: Timestamp) -> Result<(), StoreError>;

    /// Returns the changes that were not undone, oldest first.
    async fn route_changes(&self) -> Result<Vec<RouteChange>, StoreError>;

    /// Forgets the changes of the setting `name` of `route`, which has its original value again.
    async fn route_restored(&self, route: &str, name: &str) -> Result<(), StoreError>;
}
