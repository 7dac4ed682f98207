//! The secrets among the answers: where each is known from, where it goes, and what else of that name there is.

use std::io::stdin;

use secrecy::{ExposeSecret, SecretString};
use telephony_config::{AgentKind, Change, Environment, Telephony, bare_secret, load};

use super::{Before, Setup};
use crate::failure::Failure;
use crate::place::Place;
use crate::terminal;

/// A secret that setup knows to ask for.
pub struct Kind {
    /// What it is called.
    pub name: &'static str,
    /// Its key in the channel's block.
    pub key: &'static str,
    /// The variable that stands in for the key.
    pub variable: &'static str,
    /// Its flag.
    pub flag: &'static str,
    /// Whether the key has to name the variable, because another key of the file would come first.
    is_referred_to: bool,
    of: fn(&Telephony) -> Option<&SecretString>,
}

pub const AUTH_TOKEN: &Kind = &Kind {
    name: "Auth Token",
    key: "twilio.authToken",
    variable: "TWILIO_AUTH_TOKEN",
    flag: "--auth-token",
    is_referred_to: false,
    of: |telephony| telephony.twilio.auth_token.as_ref(),
};

pub const NGROK_TOKEN: &Kind = &Kind {
    name: "ngrok authtoken",
    key: "tunnel.ngrokAuthToken",
    variable: "NGROK_AUTHTOKEN",
    flag: "--ngrok-token",
    is_referred_to: false,
    of: |telephony| telephony.tunnel.ngrok_auth_token.as_ref(),
};

pub const OPENAI_KEY: &Kind = &Kind {
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

pub const OPENCLAW_TOKEN: &Kind = &Kind {
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

/// Where secrets go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// The `.env` of the state folder.
    Dotenv,
    /// The configuration itself.
    Config,
    /// Nowhere: whoever starts the gateway sets them.
    Environment,
}

/// A secret that was given, or is there already.
pub struct Secret {
    /// Which.
    pub kind: &'static Kind,
    /// What it is.
    pub value: SecretString,
}

/// Where each secret goes; none stays where it is.
pub struct Stored {
    /// The secret.
    pub secret: Secret,
    /// Its place.
    pub store: Option<Store>,
}

impl Kind {
    /// The secret that counts now, from wherever it comes.
    pub fn known(&self, before: &Before) -> Option<SecretString> {
        let configured = before.telephony().and_then(self.of).cloned();
        configured.or_else(|| before.environment.get(self.variable).map(|found| self.bare(found)))
    }

    /// The secret in what was typed or given, without what is around it by mistake, which is said.
    pub fn bare(&self, given: &str) -> SecretString {
        let (bare, around) = bare_secret(given);
        if let Some(around) = around {
            terminal::say(format!("warning: the {} has {around} around it, which are ignored.", self.name));
        }
        SecretString::from(bare)
    }
}

/// The secret that a flag gives; `-` is a line of standard input, which nobody else on this machine sees.
pub fn from_flag(kind: &Kind, flag: Option<&String>) -> Result<Option<SecretString>, Failure> {
    let Some(given) = flag else { return Ok(None) };
    let secret = if given == "-" { kind.bare(&line_of_stdin()?) } else { kind.bare(given) };
    match secret.expose_secret() {
        "" if given == "-" => Err(Failure::usage(format!("standard input has no line for {} -", kind.flag))
            .hint("each `-` takes a line, in the order Auth Token, ngrok authtoken, agent's key")),
        "" => Err(Failure::usage(format!("{} is empty", kind.flag)).hint("leave the flag out to keep what is there")),
        _ => Ok(Some(secret)),
    }
}

/// A line without what ends it.
fn line_of_stdin() -> Result<String, Failure> {
    let mut line = String::new();
    stdin().read_line(&mut line)?;
    Ok(line.strip_suffix('\n').map_or(line.as_str(), |line| line.strip_suffix('\r').unwrap_or(line)).to_owned())
}

impl Stored {
    /// Decides with the place that was chosen, unless the secret counts already and nobody chose one.
    pub fn of(secret: Secret, before: &Before, setup: &Setup, chosen: Store) -> Stored {
        let is_there = secret.is_in_force(before) && setup.secrets.is_none();
        Stored { secret, store: (!is_there).then_some(chosen) }
    }

    /// What becomes of its key.
    pub fn change(&self) -> Option<(&'static str, Change)> {
        let Secret { kind, value } = &self.secret;
        let change = match self.store? {
            Store::Config => Change::Set(value.expose_secret().into()),
            Store::Dotenv | Store::Environment if kind.is_referred_to => {
                Change::Set(format!("${{{}}}", kind.variable).into())
            }
            Store::Dotenv | Store::Environment => Change::Remove,
        };
        Some((kind.key, change))
    }

    /// What whoever set this up should know: another secret of that name, which counts in this one's place or does not.
    pub fn notice(&self, before: &Before, place: &Place) -> Option<String> {
        let Secret { kind, value } = &self.secret;
        let (name, variable) = (kind.name, kind.variable);
        let is_other = |found: &str| bare_secret(found).0 != value.expose_secret();
        let in_shell = std::env::var(variable).ok().filter(|found| !found.is_empty());
        let shell_has_another = in_shell.as_deref().is_some_and(is_other);
        match self.store {
            Some(Store::Dotenv) if shell_has_another => Some(format!(
                "{variable} in this environment is another one and wins over .env: unset it where the gateway is started."
            )),
            Some(Store::Config) | None if shell_has_another => {
                Some(format!("{variable} in this environment is another one; the {name} of the configuration counts."))
            }
            Some(Store::Environment) if shell_has_another || before.environment.get(variable).is_some_and(is_other) => {
                Some(format!("{variable} is set to another one: set it to this {name} where the gateway is started."))
            }
            None if in_shell.is_some() => match stored(kind, place) {
                None => Some(format!(
                    "The {name} is in this environment only, as {variable}; a service would not have it. \
                     `--secrets dotenv` keeps it."
                )),
                Some(found) if is_other(found.expose_secret()) => Some(format!(
                    "The {name} is taken from {variable}; another one is stored, which counts where that is not set. \
                     `--secrets dotenv` stores this one."
                )),
                Some(_) => None,
            },
            _ => None,
        }
    }
}

impl Secret {
    /// Whether the configuration comes to it already.
    pub fn is_in_force(&self, before: &Before) -> bool {
        let known = before.telephony().and_then(self.kind.of);
        known.is_some_and(|known| known.expose_secret() == self.value.expose_secret())
    }
}

/// The secret that counts where this process's variable is not set.
fn stored(kind: &Kind, place: &Place) -> Option<SecretString> {
    let others =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let others = others.filter(|(name, _)| name != kind.variable);
    let home = std::env::home_dir().unwrap_or_else(|| "/".into());
    let loaded = load(&Environment::new(others, home), place.config.as_deref()).ok()?;
    (kind.of)(&loaded.telephony).cloned()
}
