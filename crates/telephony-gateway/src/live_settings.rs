//! Settings that can change while the gateway runs.

use std::sync::{Arc, PoisonError, RwLock};

use telephony_agents::Agent;

use crate::settings::Settings;

/// The current settings. Each piece of work reads them once.
pub struct Live {
    /// Agent.
    pub agent: Arc<dyn Agent>,
    /// All other settings.
    pub settings: Settings,
}

/// Holds the current settings.
pub struct LiveSettings(RwLock<Arc<Live>>);

impl LiveSettings {
    /// Creates it with the initial settings.
    pub fn new(rules: Live) -> LiveSettings {
        LiveSettings(RwLock::new(Arc::new(rules)))
    }

    /// Returns the current settings.
    pub fn now(&self) -> Arc<Live> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the settings; running work continues with the old ones.
    pub fn replace(&self, rules: Live) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
    }
}
