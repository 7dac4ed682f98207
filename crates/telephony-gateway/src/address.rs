//! The webhook's public URL, which can change: shared by all tasks that pass it on.

use std::sync::{Arc, PoisonError, RwLock};

/// The webhook's public URL, without a query.
#[derive(Debug, Clone, Default)]
pub struct PublicAddress(Arc<RwLock<Option<String>>>);

impl PublicAddress {
    /// Creates it with a URL; none if the public cannot reach us.
    pub fn new(webhook_url: Option<String>) -> Self {
        Self(Arc::new(RwLock::new(webhook_url)))
    }

    /// Returns the current URL.
    pub fn get(&self) -> Option<String> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes the URL.
    pub fn set(&self, webhook_url: Option<String>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = webhook_url;
    }
}
