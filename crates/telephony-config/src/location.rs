//! Paths of the configuration and the state.

use std::path::{Path, PathBuf};

use crate::environment::Environment;

/// Files that may contain the configuration, and the state folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// OpenClaw's configuration file, which may not exist.
    pub config: PathBuf,
    /// Source of that path.
    pub chosen_by: ChosenBy,
    /// Our own file of the same form, for an OpenClaw that rejects unknown channels; not read with `--config`.
    pub own: Option<PathBuf>,
    /// OpenClaw's state folder, which contains its `.env`.
    pub openclaw_state: PathBuf,
    /// State folder of the channel, accessible only to its owner.
    pub state: PathBuf,
}

/// The source of the configuration file's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChosenBy {
    /// The argument of `--config`.
    Argument,
    /// The environment variable `OPENCLAW_CONFIG_PATH`.
    Variable,
    /// The default in the state folder.
    StateFolder,
}

/// Finds the paths: `--config` (`argument`), else `OPENCLAW_CONFIG_PATH`, else `openclaw.json` in the state folder.
pub fn locate(environment: &Environment, argument: Option<&Path>) -> Location {
    let openclaw_state = environment.path("OPENCLAW_STATE_DIR").unwrap_or_else(|| default_state(environment));
    let state = openclaw_state.join("telephony");
    let named = argument.map(|path| (path.to_owned(), ChosenBy::Argument));
    let (config, chosen_by) = named
        .or_else(|| Some((environment.path("OPENCLAW_CONFIG_PATH")?, ChosenBy::Variable)))
        .unwrap_or_else(|| (openclaw_state.join("openclaw.json"), ChosenBy::StateFolder));
    let own = Some(state.join("openclaw.json")).filter(|own| argument.is_none() && *own != config);
    Location { config, chosen_by, own, openclaw_state, state }
}

/// Returns `~/.openclaw`, or `~/.openclaw-<profile>` for a named profile.
fn default_state(environment: &Environment) -> PathBuf {
    let profile = environment.get("OPENCLAW_PROFILE").map(str::trim).filter(|name| !matches!(*name, "" | "default"));
    environment.home().join(profile.map_or(".openclaw".to_owned(), |name| format!(".openclaw-{name}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(variables: &[(&str, &str)], argument: Option<&str>) -> Location {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        locate(&Environment::new(variables, "/home/operator"), argument.map(Path::new))
    }

    #[test]
    fn the_home_folder_is_the_last_resort() {
        let location = location(&[("OPENCLAW_CONFIG_PATH", "  "), ("OPENCLAW_STATE_DIR", "null")], None);
        assert_eq!(location.config, Path::new("/home/operator/.openclaw/openclaw.json"));
        assert_eq!(location.own.unwrap(), Path::new("/home/operator/.openclaw/telephony/openclaw.json"));
        assert_eq!(location.state, Path::new("/home/operator/.openclaw/telephony"));
    }

    #[test]
    fn the_argument_wins_over_variables_and_the_config_path_over_the_state_folder() {
        let variables = [("OPENCLAW_CONFIG_PATH", "~/a.json"), ("OPENCLAW_STATE_DIR", "/var/oc")];
        assert_eq!(location(&variables, None).config, Path::new("/home/operator/a.json"));
        assert_eq!(location(&variables, None).state, Path::new("/var/oc/telephony"));
        let chosen = location(&variables, Some("here.json"));
        assert_eq!((chosen.config.to_str(), chosen.own), (Some("here.json"), None));
        assert_eq!(location(&variables[1..], None).config, Path::new("/var/oc/openclaw.json"));
    }

    #[test]
    fn another_home_or_profile_moves_everything() {
        let moved = location(&[("OPENCLAW_HOME", "~/svc"), ("OPENCLAW_PROFILE", "work")], None);
        assert_eq!(moved.config, Path::new("/home/operator/svc/.openclaw-work/openclaw.json"));
    }

    #[test]
    fn our_own_file_is_not_read_twice() {
        let variables = [("OPENCLAW_STATE_DIR", "/s"), ("OPENCLAW_CONFIG_PATH", "/s/telephony/openclaw.json")];
        assert_eq!(location(&variables, None).own, None);
    }
}
