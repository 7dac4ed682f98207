//! Where the public reaches the webhook, as long as it does: shared by all who tell it to others.

use std::sync::{Arc, PoisonError, RwLock};

/// The webhook's public URL, without a query.
#[derive(Debug, Clone, Default)]
pub struct PublicAddress(Arc<RwLock<Option<String>>>);

impl PublicAddress {
    /// It is this one; none: the public cannot reach us.
    pub fn new(webhook_url: Option<String>) -> Self {
        Self(Arc::new(RwLock::new(webhook_url)))
    }

    /// What it is now.
    pub fn get(&self) -> Option<String> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// It is another from now on.
    pub fn set(&self, webhook_url: Option<String>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = webhook_url;
    }
}
