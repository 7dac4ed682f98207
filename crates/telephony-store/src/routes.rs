//! What the provider's routes were before we changed them, so that it can be put back.

use async_trait::async_trait;
use telephony_domain::time::Timestamp;

use crate::StoreError;

/// A change of one setting of a route that was made, or at least meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteChange {
    /// The provider's id of the route.
    pub route: String,
    /// The number or messaging service.
    pub address: String,
    /// The setting's name.
    pub name: String,
    /// Its value before.
    pub before: String,
    /// Its value afterwards.
    pub after: String,
}

/// Changes of routes.
#[async_trait]
pub trait RouteChanges: Send + Sync {
    /// Writes down what is about to be changed. To be called before the provider is asked: a change that is not known
    /// here could never be undone.
    async fn changing_routes(&self, changes: Vec<RouteChange>, now: Timestamp) -> Result<(), StoreError>;

    /// The changes that were not undone, oldest first.
    async fn route_changes(&self) -> Result<Vec<RouteChange>, StoreError>;

    /// The setting `name` of `route` is as it was before all changes: they are forgotten.
    async fn route_restored(&self, route: &str, name: &str) -> Result<(), StoreError>;
}
