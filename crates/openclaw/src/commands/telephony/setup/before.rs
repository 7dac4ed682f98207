//! The settings before setup.

use telephony_config::{Environment, Loaded, Location, TelephonyConfig, load, locate};

use crate::assemble;
use crate::config_arg::ConfigArg;

/// The settings before setup.
pub(super) struct Before {
    pub(super) environment: Environment,
    pub(super) location: Location,
    pub(super) loaded: Option<Loaded>,
}

impl Before {
    pub(super) fn telephony(&self) -> Option<&TelephonyConfig> {
        self.loaded.as_ref().map(|loaded| &loaded.telephony)
    }

    /// Returns true if a configuration file exists, readable or not.
    pub(super) fn has_file(&self) -> bool {
        self.location.config.exists() || self.location.own.as_ref().is_some_and(|own| own.exists())
    }

    pub(super) fn look(config_arg: &ConfigArg) -> Self {
        let environment = assemble::environment();
        let location = locate(&environment, config_arg.config.as_deref());
        let loaded = load(&environment, config_arg.config.as_deref()).ok();
        let environment = loaded.as_ref().map_or(environment, |loaded| loaded.environment.clone());
        Self { environment, location, loaded }
    }
}
