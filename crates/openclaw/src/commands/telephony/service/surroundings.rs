//! The environment of the gateway as a service: it lacks the shell's variables and may have a different home folder.

use std::path::{Path, PathBuf};

use telephony_config::{ChosenBy, Environment, Loaded, Location, Place, Problems, ValueOrigin, load, locate};

use crate::config_arg::ConfigArg;
use crate::failure::Failure;

/// Variables that locate files or OpenClaw; the unit sets them to their current values.
const PASSED_ON: [&str; 2] = ["OPENCLAW_INCLUDE_ROOTS", "OPENCLAW_GATEWAY_PORT"];

/// The configuration as the service reads it.
pub(super) struct Surroundings {
    /// Variables that the unit sets so that the service finds the same files.
    pub(super) variables: Vec<(&'static str, String)>,
    /// The file of `--config`, absolute.
    pub(super) config: Option<PathBuf>,
    /// The channel's state folder, absolute.
    pub(super) state: PathBuf,
    /// The path of OpenClaw's `.env`.
    pub(super) dotenv: PathBuf,
    /// The configuration files, and `.env` if it exists.
    pub(super) files: Vec<PathBuf>,
    /// True if the channel is enabled.
    pub(super) is_enabled: bool,
    /// Variables of this shell that the configuration uses and the service will lack.
    pub(super) only_here: Vec<String>,
    /// Problems of the configuration without those variables.
    pub(super) lacking: Option<Problems>,
}

impl Surroundings {
    /// Reads the configuration with `home` as the home folder of the service's user.
    pub(super) fn look(config_arg: &ConfigArg, home: &Path) -> Result<Surroundings, Failure> {
        let here = Environment::new(own_variables(), home);
        let location = absolute(locate(&here, config_arg.config.as_deref()))?;
        let config = config_arg.config.as_ref().map(|_| location.config.clone());
        let variables = variables(&here, &location, home);
        let pairs = variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let there = Environment::new(pairs, home);
        let from_here = usable(&here, config.as_deref());
        let from_there = usable(&there, config.as_deref());
        let (loaded, lacking) = match (from_there, &from_here) {
            (Ok(loaded), _) => (loaded, None),
            (Err(problems), Ok(loaded)) => (loaded.clone(), Some(problems)),
            (Err(_), Err(problems)) => return Err(Failure::from_problems(problems.clone())),
        };
        let dotenv = location.openclaw_state.join(".env");
        let sources = loaded.sources.iter().chain(dotenv.exists().then_some(&dotenv));
        Ok(Surroundings {
            files: sources.filter_map(|file| std::path::absolute(file).ok()).collect(),
            is_enabled: loaded.telephony.enabled,
            only_here: from_here.map(|loaded| of_the_shell(&loaded, &variables)).unwrap_or_default(),
            state: location.state,
            dotenv,
            variables,
            config,
            lacking,
        })
    }
}

fn own_variables() -> Vec<(String, String)> {
    let readable =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    readable.collect()
}

/// Makes the paths absolute.
fn absolute(location: Location) -> Result<Location, Failure> {
    let absolute = |path: PathBuf| {
        std::path::absolute(&path)
            .map_err(|error| Failure::new(format!("{} does not resolve: {error}", path.display())))
    };
    Ok(Location {
        config: absolute(location.config)?,
        own: location.own.map(absolute).transpose()?,
        openclaw_state: absolute(location.openclaw_state)?,
        state: absolute(location.state)?,
        ..location
    })
}

/// Returns the variables that a service with this home folder needs to find the same files.
fn variables(here: &Environment, location: &Location, home: &Path) -> Vec<(&'static str, String)> {
    let mut variables = Vec::new();
    let usual = locate(&Environment::new([], home), None);
    if location.openclaw_state != usual.openclaw_state {
        variables.push(("OPENCLAW_STATE_DIR", location.openclaw_state.display().to_string()));
    }
    if location.chosen_by == ChosenBy::Variable {
        variables.push(("OPENCLAW_CONFIG_PATH", location.config.display().to_string()));
    }
    variables.extend(PASSED_ON.iter().filter_map(|name| Some((*name, here.get(name)?.to_owned()))));
    variables
}

/// Reads the configuration and everything that the provider needs.
fn usable(environment: &Environment, config: Option<&Path>) -> Result<Loaded, Problems> {
    let loaded = load(environment, config)?;
    loaded.check_complete().map(|()| loaded)
}

/// Returns the variables of this process that the configuration uses, except those set by the unit.
fn of_the_shell(loaded: &Loaded, set: &[(&'static str, String)]) -> Vec<String> {
    let mut names: Vec<_> = loaded
        .show()
        .into_iter()
        .filter_map(|shown| match shown.origin {
            ValueOrigin::Said(Place::Variable { name, set_in: None }) => Some(name),
            _ => None,
        })
        .filter(|name| !set.iter().any(|(known, _)| known == name))
        .collect();
    names.sort();
    names.dedup();
    names
}
