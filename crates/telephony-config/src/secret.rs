//! Resolves a SecretRef to its secret.

mod exec;
mod file;

use secrecy::SecretString;

use crate::document::{Node, Value, quote};
use crate::environment::Environment;
use crate::sources::Sources;
use crate::substitute::{is_variable, substitute};

/// A reason why a secret is not available.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum SecretError {
    /// The reference is malformed.
    #[error("{0}")]
    Reference(String),
    /// The provider does not exist, or has a different source.
    #[error("secrets.providers.{provider} with source \"{source_name}\" does not exist")]
    NoProvider { provider: String, source_name: &'static str },
    /// The provider's settings are invalid.
    #[error("secrets.providers.{provider}.{key}: {message}")]
    Provider { provider: String, key: &'static str, message: String },
    /// The provider's list of variables does not contain this one.
    #[error("secrets.providers.{provider}.allowlist does not contain {variable}")]
    NotAllowed { provider: String, variable: String },
    /// The variable is missing or empty.
    #[error("the environment variable {0} is not set")]
    NoVariable(String),
    /// The file cannot be used.
    #[error("{file}: {message}")]
    File { file: String, message: String },
    /// The program failed or its answer is invalid.
    #[error("{command}: {message}")]
    Exec { command: String, message: String },
}

pub(crate) struct ResolvedSecret {
    pub(crate) secret: SecretString,
    /// Its source; none if it is literally in the configuration.
    pub(crate) source: Option<String>,
}

/// Resolves secrets from the environment and the configuration's `secrets`.
pub(crate) struct Secrets<'a> {
    environment: &'a Environment,
    settings: Option<&'a Node>,
    sources: &'a Sources<'a>,
}

/// A SecretRef: a provider and an id.
struct SecretReference<'n> {
    source: SecretSource,
    provider: Option<&'n str>,
    id: &'n str,
}

#[derive(Clone, Copy)]
enum SecretSource {
    Env,
    File,
    Exec,
}

impl SecretSource {
    fn name(self) -> &'static str {
        match self {
            SecretSource::Env => "env",
            SecretSource::File => "file",
            SecretSource::Exec => "exec",
        }
    }
}

impl<'a> Secrets<'a> {
    /// Creates a resolver with the `secrets` of the whole file (`root`).
    pub(crate) fn new(root: Option<&'a Node>, environment: &'a Environment, sources: &'a Sources<'a>) -> Self {
        Self { environment, settings: root.and_then(|root| root.get("secrets")), sources }
    }

    /// Resolves the object `reference`.
    pub(crate) fn resolve(&self, reference: &Node) -> Result<ResolvedSecret, SecretError> {
        let reference = SecretReference::read(reference)?;
        let provider = reference.provider.unwrap_or_else(|| self.default_provider(reference.source));
        if !is_alias(provider) {
            let message = format!("provider: found {}, expected a name such as \"default\"", quote(provider));
            return Err(SecretError::Reference(message));
        }
        let settings = self.settings.and_then(|settings| settings.find(&["providers", provider]));
        let settings = settings.filter(|node| text_of(node, "source") == Some(reference.source.name()));
        let provider = match settings {
            Some(node) => SecretProvider { name: provider, node, environment: self.environment, sources: self.sources },
            None if matches!(reference.source, SecretSource::Env)
                && provider == self.default_provider(SecretSource::Env) =>
            {
                return self.variable(reference.id);
            }
            None => {
                let source_name = reference.source.name();
                return Err(SecretError::NoProvider { provider: provider.to_owned(), source_name });
            }
        };
        match reference.source {
            SecretSource::Env => provider.allows(reference.id).and_then(|()| self.variable(reference.id)),
            SecretSource::File => file::read(&provider, reference.id),
            SecretSource::Exec => exec::run(&provider, reference.id),
        }
    }

    /// Returns the variable `name`.
    pub(crate) fn variable(&self, name: &str) -> Result<ResolvedSecret, SecretError> {
        if !is_variable(name) || name.starts_with('_') {
            let message = format!("id: found {}, expected the upper-case name of a variable", quote(name));
            return Err(SecretError::Reference(message));
        }
        let value = self.environment.get(name).ok_or_else(|| SecretError::NoVariable(name.to_owned()))?;
        Ok(ResolvedSecret { secret: SecretString::from(value), source: Some(self.environment.place(name).to_string()) })
    }

    fn default_provider(&self, source: SecretSource) -> &'a str {
        let chosen = self.settings.and_then(|settings| settings.find(&["defaults", source.name()]));
        chosen.and_then(Node::text).unwrap_or("default")
    }
}

impl<'n> SecretReference<'n> {
    fn read(node: &'n Node) -> Result<Self, SecretError> {
        let wrong = |message: String| SecretError::Reference(message);
        let known = ["source", "provider", "id"];
        let members = node.members().unwrap_or_default();
        if let Some(member) = members.iter().find(|member| !known.contains(&member.name.as_str())) {
            return Err(wrong(format!(
                "unknown key `{}` in a secret reference; it has source, provider and id",
                member.name
            )));
        }
        let source = match text_of(node, "source") {
            Some("env") => SecretSource::Env,
            Some("file") => SecretSource::File,
            Some("exec") => SecretSource::Exec,
            Some("store") => {
                return Err(wrong(
                    "source \"store\" belongs to OpenClaw and is not supported here: use \"env\", \"file\" or \"exec\""
                        .to_owned(),
                ));
            }
            _ => return Err(wrong("source: expected \"env\", \"file\" or \"exec\"".to_owned())),
        };
        let provider = match node.get("provider") {
            None => None,
            Some(node) => Some(node.text().ok_or_else(|| wrong("provider: expected a name".to_owned()))?),
        };
        let id = text_of(node, "id").ok_or_else(|| wrong("id: expected a text".to_owned()))?;
        Ok(Self { source, provider, id })
    }
}

/// An entry of `secrets.providers`.
struct SecretProvider<'a> {
    name: &'a str,
    node: &'a Node,
    environment: &'a Environment,
    sources: &'a Sources<'a>,
}

impl SecretProvider<'_> {
    fn allows(&self, variable: &str) -> Result<(), SecretError> {
        match self.texts("allowlist")? {
            Some(names) if !names.iter().any(|name| name == variable) => {
                Err(SecretError::NotAllowed { provider: self.name.to_owned(), variable: variable.to_owned() })
            }
            _ => Ok(()),
        }
    }

    fn text(&self, key: &'static str) -> Result<Option<String>, SecretError> {
        self.node.get(key).map(|node| self.fill(key, node)).transpose()
    }

    fn required(&self, key: &'static str) -> Result<String, SecretError> {
        self.text(key)?.ok_or_else(|| self.wrong(key, "missing key"))
    }

    fn texts(&self, key: &'static str) -> Result<Option<Vec<String>>, SecretError> {
        match self.node.get(key).map(|node| &node.value) {
            None => Ok(None),
            Some(Value::List(nodes)) => {
                nodes.iter().map(|node| self.fill(key, node)).collect::<Result<_, _>>().map(Some)
            }
            Some(_) => Err(self.wrong(key, "expected a list of texts")),
        }
    }

    fn whole(&self, key: &'static str, default: u64) -> Result<u64, SecretError> {
        match self.node.get(key).map(|node| &node.value) {
            None => Ok(default),
            Some(Value::Number(number)) if *number >= 1.0 && number.fract() == 0.0 => Ok(*number as u64),
            Some(_) => Err(self.wrong(key, "expected a whole number, at least 1")),
        }
    }

    fn switch(&self, key: &'static str, default: bool) -> Result<bool, SecretError> {
        match self.node.get(key).map(|node| &node.value) {
            None => Ok(default),
            Some(Value::Switch(value)) => Ok(*value),
            Some(_) => Err(self.wrong(key, "expected true or false")),
        }
    }

    fn fill(&self, key: &'static str, node: &Node) -> Result<String, SecretError> {
        let text = node.text().ok_or_else(|| self.wrong(key, "expected a text"))?;
        substitute(text, self.environment).map_err(SecretError::NoVariable)
    }

    fn wrong(&self, key: &'static str, message: impl Into<String>) -> SecretError {
        SecretError::Provider { provider: self.name.to_owned(), key, message: message.into() }
    }
}

fn text_of<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    node.get(key).and_then(Node::text)
}

/// Returns true if `name` is a valid provider name: `[a-z][a-z0-9_-]{0,63}`.
fn is_alias(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= 64
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'))
}
