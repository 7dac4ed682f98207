//! The secrets among the answers: their sources, their destinations and conflicts between them.

use std::io::stdin;

use secrecy::{ExposeSecret, SecretString};
use telephony_config::{AgentKind, Environment, KeyChange, Preset, TelephonyConfig, bare_secret, load};

use super::args::SetupArgs;
use super::before::Before;
use crate::config_arg::ConfigArg;
use crate::failure::Failure;
use crate::terminal;

/// A kind of secret that setup asks for.
pub struct SecretKind {
    /// Its name for people.
    pub name: &'static str,
    pub key: &'static str,
    /// Environment variable that replaces the key.
    pub variable: &'static str,
    pub flag: &'static str,
    /// True if the key has to refer to the variable, because a different key of the file would take precedence.
    is_referred_to: bool,
    of: fn(&TelephonyConfig) -> Option<&SecretString>,
}

pub const AUTH_TOKEN: &SecretKind = &SecretKind {
    name: "Auth Token",
    key: "twilio.authToken",
    variable: "TWILIO_AUTH_TOKEN",
    flag: "--auth-token",
    is_referred_to: false,
    of: |telephony| telephony.twilio.auth_token.as_ref(),
};

pub const NGROK_TOKEN: &SecretKind = &SecretKind {
    name: "ngrok authtoken",
    key: "tunnel.ngrokAuthToken",
    variable: "NGROK_AUTHTOKEN",
    flag: "--ngrok-token",
    is_referred_to: false,
    of: |telephony| telephony.tunnel.ngrok_auth_token.as_ref(),
};

pub const OPENAI_KEY: &SecretKind = &SecretKind {
    name: "key of the agent's API",
    key: "agent.apiKey",
    variable: "OPENAI_API_KEY",
    flag: "--agent-key",
    is_referred_to: false,
    of: |telephony| match &telephony.agent.kind {
        AgentKind::OpenAi(settings) => settings.api_key.as_ref(),
        _ => None,
    },
};

/// Under its own variable, so that the key of one company never goes to another.
pub const ANTHROPIC_KEY: &SecretKind = &SecretKind {
    name: "Anthropic API key",
    key: "agent.apiKey",
    variable: "ANTHROPIC_API_KEY",
    flag: "--agent-key",
    is_referred_to: true,
    of: |telephony| key_for(telephony, "anthropic"),
};

pub const GEMINI_KEY: &SecretKind = &SecretKind {
    name: "Gemini API key",
    key: "agent.apiKey",
    variable: "GEMINI_API_KEY",
    flag: "--agent-key",
    is_referred_to: true,
    of: |telephony| key_for(telephony, "gemini"),
};

/// Returns the key of the agent that asks the server of this name.
fn key_for<'t>(telephony: &'t TelephonyConfig, name: &str) -> Option<&'t SecretString> {
    let base_url = Preset::called(name)?.base_url;
    match &telephony.agent.kind {
        AgentKind::OpenAi(settings) if settings.base_url == base_url => settings.api_key.as_ref(),
        _ => None,
    }
}

pub const OPENCLAW_TOKEN: &SecretKind = &SecretKind {
    name: "token of OpenClaw's gateway",
    key: "agent.token",
    variable: "OPENCLAW_GATEWAY_TOKEN",
    flag: "--agent-key",
    is_referred_to: true,
    of: |telephony| match &telephony.agent.kind {
        AgentKind::OpenClaw(settings) => settings.token.as_ref(),
        _ => None,
    },
};

/// The destination of secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretDestination {
    Dotenv,
    Config,
    /// Not stored: the operator sets them where the gateway starts.
    Environment,
}

/// A secret, given or already known.
pub struct SetupSecret {
    pub kind: &'static SecretKind,
    pub value: SecretString,
}

/// A secret and its destination; none if it stays where it is.
pub struct Stored {
    pub secret: SetupSecret,
    pub store: Option<SecretDestination>,
}

impl SecretKind {
    /// Returns the secret in effect, from any source.
    pub fn known(&self, before: &Before) -> Option<SecretString> {
        let configured = before.telephony().and_then(self.of).cloned();
        configured.or_else(|| before.environment.get(self.variable).map(|found| self.bare(found)))
    }

    /// Strips quotes and spaces around a secret, with a warning.
    pub fn bare(&self, given: &str) -> SecretString {
        let (bare, around) = bare_secret(given);
        if let Some(around) = around {
            terminal::say(format!("warning: ignored {around} around the {}.", self.name));
        }
        SecretString::from(bare)
    }
}

/// Returns the secret passed by a flag; `-` reads a line of stdin, which other users of this machine cannot see.
pub fn from_flag(kind: &SecretKind, flag: Option<&String>) -> Result<Option<SecretString>, Failure> {
    let Some(given) = flag else { return Ok(None) };
    let secret = if given == "-" { kind.bare(&line_of_stdin()?) } else { kind.bare(given) };
    match secret.expose_secret() {
        "" if given == "-" => Err(Failure::usage(format!("stdin has no line for {} -", kind.flag))
            .hint("each `-` reads one line, in the order Auth Token, ngrok authtoken, agent's key")),
        "" => Err(Failure::usage(format!("{} is empty", kind.flag)).hint("omit the flag to keep the current one")),
        _ => Ok(Some(secret)),
    }
}

/// Reads a line without its line break.
fn line_of_stdin() -> Result<String, Failure> {
    let mut line = String::new();
    stdin().read_line(&mut line)?;
    Ok(line.strip_suffix('\n').map_or(line.as_str(), |line| line.strip_suffix('\r').unwrap_or(line)).to_owned())
}

impl Stored {
    /// Chooses the destination: none if the secret is in effect already and the operator did not ask for one.
    pub fn of(secret: SetupSecret, before: &Before, setup: &SetupArgs, chosen: SecretDestination) -> Stored {
        let is_there = secret.is_in_force(before) && setup.secrets.is_none();
        Stored { secret, store: (!is_there).then_some(chosen) }
    }

    /// Returns the change to its key.
    pub fn change(&self) -> Option<(&'static str, KeyChange)> {
        let SetupSecret { kind, value } = &self.secret;
        let change = match self.store? {
            SecretDestination::Config => KeyChange::Set(value.expose_secret().into()),
            SecretDestination::Dotenv | SecretDestination::Environment if kind.is_referred_to => {
                KeyChange::Set(format!("${{{}}}", kind.variable).into())
            }
            SecretDestination::Dotenv | SecretDestination::Environment => KeyChange::Remove,
        };
        Some((kind.key, change))
    }

    /// Warns about a different secret in the environment, which takes precedence over this one or not.
    pub fn notice(&self, before: &Before, config_arg: &ConfigArg) -> Option<String> {
        let SetupSecret { kind, value } = &self.secret;
        let (name, variable) = (kind.name, kind.variable);
        let is_other = |found: &str| bare_secret(found).0 != value.expose_secret();
        let in_shell = std::env::var(variable).ok().filter(|found| !found.is_empty());
        let shell_has_another = in_shell.as_deref().is_some_and(is_other);
        match self.store {
            Some(SecretDestination::Dotenv) if shell_has_another => Some(format!(
                "{variable} in this environment has a different value, which takes precedence over .env: unset it \
                where the gateway starts."
            )),
            Some(SecretDestination::Config) | None if shell_has_another => Some(format!(
                "{variable} in this environment has a different value; the {name} in the configuration \
                    is used."
            )),
            Some(SecretDestination::Environment)
                if shell_has_another || before.environment.get(variable).is_some_and(is_other) =>
            {
                Some(format!("{variable} has a different value: set it to this {name} where the gateway starts."))
            }
            None if in_shell.is_some() => match stored(kind, config_arg) {
                None => Some(format!(
                    "The {name} is only in this environment, as {variable}; a service would not have it. `--secrets \
                    dotenv` stores it."
                )),
                Some(found) if is_other(found.expose_secret()) => Some(format!(
                    "The {name} comes from {variable}; a different one is stored, and is used where that variable is \
                    not set. `--secrets dotenv` stores this one."
                )),
                Some(_) => None,
            },
            _ => None,
        }
    }
}

impl SetupSecret {
    /// Returns true if the configuration already yields this secret.
    pub fn is_in_force(&self, before: &Before) -> bool {
        let known = before.telephony().and_then(self.kind.of);
        known.is_some_and(|known| known.expose_secret() == self.value.expose_secret())
    }
}

/// Returns the secret in effect if this process's variable were not set.
fn stored(kind: &SecretKind, config_arg: &ConfigArg) -> Option<SecretString> {
    let others =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let others = others.filter(|(name, _)| name != kind.variable);
    let home = std::env::home_dir().unwrap_or_else(|| "/".into());
    let loaded = load(&Environment::new(others, home), config_arg.config.as_deref()).ok()?;
    (kind.of)(&loaded.telephony).cloned()
}
