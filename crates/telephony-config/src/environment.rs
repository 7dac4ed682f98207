//! The variables and home folder for reading a configuration; the binary passes the process's own.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use crate::place::Place;

/// Environment variables and the home folder of the user. `Debug` shows names only.
#[derive(Clone)]
pub struct Environment {
    home: PathBuf,
    variables: BTreeMap<String, Variable>,
}

#[derive(Clone)]
struct Variable {
    value: String,
    set_in: Option<Place>,
}

impl Environment {
    /// Creates an environment from variables and the user's home folder.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>, home: impl Into<PathBuf>) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name, Variable { value, set_in: None })).collect();
        Self { home: home.into(), variables }
    }

    /// Sets the variable `name` to `value`.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), Variable { value: value.to_owned(), set_in: None });
        self
    }

    /// Returns the variable `name`; an empty one counts as missing.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(|variable| variable.value.as_str()).filter(|value| !value.is_empty())
    }

    /// Returns every variable, for child processes; after loading, this includes those of `.env` and `env.vars`.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().map(|(name, variable)| (name.as_str(), variable.value.as_str()))
    }

    /// Returns the source of the variable `name`.
    pub(crate) fn place(&self, name: &str) -> Place {
        let set_in = self.variables.get(name).and_then(|variable| variable.set_in.clone()).map(Box::new);
        Place::Variable { name: name.to_owned(), set_in }
    }

    /// Sets a variable unless it exists.
    pub(crate) fn fill(&mut self, name: &str, value: String, set_in: Place) {
        self.variables.entry(name.to_owned()).or_insert(Variable { value, set_in: Some(set_in) });
    }

    /// Returns the home folder: `OPENCLAW_HOME`, else the user's own.
    pub(crate) fn home(&self) -> PathBuf {
        self.path("OPENCLAW_HOME").unwrap_or_else(|| self.home.clone())
    }

    /// Returns the path in the variable `name`; blanks and the words `undefined` and `null` count as missing.
    pub(crate) fn path(&self, name: &str) -> Option<PathBuf> {
        let value = self.get(name)?.trim();
        let is_path = !matches!(value, "" | "undefined" | "null");
        is_path.then(|| expand(value, if name == "OPENCLAW_HOME" { self.home.clone() } else { self.home() }))
    }

    /// Expands a leading `~` to the home folder.
    pub(crate) fn expand(&self, text: &str) -> PathBuf {
        expand(text, self.home())
    }
}

fn expand(text: &str, home: PathBuf) -> PathBuf {
    match text.strip_prefix('~') {
        Some("") => home,
        Some(rest) if rest.starts_with('/') => home.join(rest.trim_start_matches('/')),
        _ => PathBuf::from(text),
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("home", &self.home)
            .field("variables", &self.variables.keys().collect::<Vec<_>>())
            .finish()
    }
}
