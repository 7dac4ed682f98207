//! What the operator decided, and may decide anew while the gateway runs.

use std::sync::{Arc, PoisonError, RwLock};

use telephony_agents::Agent;

use crate::settings::Settings;

/// What the operator decided. Whoever works by it takes it anew for each piece of work.
pub struct Live {
    /// Who answers.
    pub agent: Arc<dyn Agent>,
    /// Everything else.
    pub settings: Settings,
}

/// The rules in force.
pub struct LiveSettings(RwLock<Arc<Live>>);

impl LiveSettings {
    /// These are in force from the start.
    pub fn new(rules: Live) -> LiveSettings {
        LiveSettings(RwLock::new(Arc::new(rules)))
    }

    /// The rules in force now.
    pub fn now(&self) -> Arc<Live> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on these are in force; what is at work goes on by the rules it has.
    pub fn replace(&self, rules: Live) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
    }
}
