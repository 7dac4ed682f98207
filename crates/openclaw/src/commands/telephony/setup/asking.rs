//! The basis of every question: a terminal, if there is one, and the existing settings.

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value as Json;
use telephony_config::{KeyChange, TelephonyConfig};

use super::args::{SetupArgs, missing};
use super::before::Before;
use super::prompt::SetupTerminal;
use super::secrets::{SecretKind, SetupSecret};
use crate::failure::Failure;

/// Changes to keys of the channel's block.
pub(super) type Changes = Vec<(&'static str, KeyChange)>;

/// The setup flags, existing settings and terminal.
pub(super) struct Asking<'a> {
    pub(super) setup: &'a SetupArgs,
    pub(super) before: &'a Before,
    pub(super) prompt: &'a SetupTerminal,
}

impl Asking<'_> {
    pub(super) fn existing(&self) -> Option<&TelephonyConfig> {
        self.before.telephony()
    }

    /// Returns true if setup also asks for values that have a default.
    pub(super) fn asks_everything(&self) -> bool {
        self.prompt.is_there() && !self.setup.consent.yes
    }

    /// Returns the text of a key in the channel's block, as it was written.
    pub(super) fn written(&self, key: &str) -> Option<String> {
        self.shown(key)?.as_str().map(str::to_owned)
    }

    /// Returns the list of a key in the channel's block.
    pub(super) fn written_list(&self, key: &str) -> Vec<String> {
        let list = self.shown(key).and_then(|value| value.as_array().cloned()).unwrap_or_default();
        list.iter().filter_map(Json::as_str).map(str::to_owned).collect()
    }

    fn shown(&self, key: &str) -> Option<Json> {
        let shown = self.before.loaded.as_ref()?.show();
        shown.into_iter().find(|shown| shown.path == format!("channels.telephony.{key}"))?.value
    }

    /// Returns a required text from its flag, a question, or the existing settings.
    pub(super) fn needed(
        &self,
        flag: &Option<String>,
        name: &str,
        question: &str,
        known: Option<&str>,
    ) -> Result<String, Failure> {
        if let Some(given) = flag {
            return Ok(given.clone());
        }
        if let (Some(known), false) = (known, self.asks_everything()) {
            return Ok(known.to_owned());
        }
        self.prompt.text(question, known, |_| Ok(()))?.ok_or_else(|| missing(name, question))
    }

    /// Returns an optional secret: given, else known, else asked for.
    pub(super) fn secret(
        &self,
        kind: &'static SecretKind,
        given: Option<SecretString>,
        question: &str,
    ) -> Result<Option<SetupSecret>, Failure> {
        let value = match given.or_else(|| kind.known(self.before)) {
            None if self.asks_everything() => {
                self.prompt.optional_secret(question)?.map(|typed| kind.bare(typed.expose_secret()))
            }
            value => value,
        };
        Ok(value.map(|value| SetupSecret { kind, value }))
    }

    pub(super) fn pick(&self, question: &str, choices: &[(&str, &str)], known: &str) -> Result<String, Failure> {
        let labels: Vec<_> = choices.iter().map(|(name, meaning)| format!("{name}: {meaning}")).collect();
        let default = choices.iter().position(|(name, _)| *name == known).unwrap_or(0);
        let chosen = self.prompt.choice(question, &labels, default)?.unwrap_or(default);
        Ok(choices[chosen].0.to_owned())
    }
}

pub(super) fn set(value: impl Into<Json>) -> KeyChange {
    KeyChange::Set(value.into())
}

/// Fails unless `given` is one of `choices`.
pub(super) fn one_of(flag: &str, given: &str, choices: &[(&str, &str)]) -> Result<String, Failure> {
    let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
    if names.contains(&given) {
        return Ok(given.to_owned());
    }
    Err(Failure::usage(format!("unknown value `{given}` for {flag}")).hint(format!("expected {}", names.join(", "))))
}
