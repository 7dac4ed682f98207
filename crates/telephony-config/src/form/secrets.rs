//! Secrets: written out, named by a SecretRef, or in a variable; never shown.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value as Json, json};

use super::{At, Form};
use crate::document::{Node, Value};
use crate::secret::Found;
use crate::substitute::is_variable;

/// A secret that was typed or given outside the configuration, without what is around it by mistake, and what that was.
pub fn bare_secret(text: &str) -> (&str, Option<&'static str>) {
    bare(text, true)
}

/// What is shown in place of a secret.
pub(crate) const MASK: &str = "••••••••";
/// Quotes that are around a secret by mistake.
const QUOTES: [(char, char); 5] = [('"', '"'), ('\'', '\''), ('`', '`'), ('“', '”'), ('‘', '’')];
/// What the guides write where a secret belongs.
const PLACEHOLDERS: [&str; 3] = ["your_auth_token_here", "your_auth_token", "your_ngrok_token"];

/// A secret.
pub(crate) struct Secret;

impl Form for Secret {
    type Value = SecretString;

    fn expected(&self) -> String {
        "a text or a secret reference { source, provider, id }".to_owned()
    }

    fn schema(&self) -> Json {
        json!({"anyOf": [
            {"type": "string", "minLength": 1},
            {
                "type": "object",
                "properties": {
                    "source": {"type": "string", "enum": ["env", "file", "exec"]},
                    "provider": {"type": "string", "pattern": "^[a-z][a-z0-9_-]{0,63}$"},
                    "id": {"type": "string", "minLength": 1},
                },
                "required": ["source", "id"],
                "additionalProperties": false,
            },
        ]})
    }

    fn read(&self, node: &Node, at: &mut At<'_>) -> Option<SecretString> {
        let found = match &node.value {
            Value::Object(_) => resolved(node, at)?,
            Value::Text(text) if !text.is_empty() => written(node, text, at)?,
            _ => return at.wrong(node, format!("found {}, expected {}", node.kind(), self.expected())),
        };
        let (bare, around) = bare(found.secret.expose_secret(), found.source.is_some());
        let source = found.source.map_or_else(String::new, |source| format!(" from {source}"));
        if bare.is_empty() {
            return at.wrong(node, format!("the secret{source} is empty but for blanks, line breaks or quotes"));
        }
        if let Some(around) = around {
            at.warn(node, format!("the secret{source} has {around} around it, which are ignored: remove them"));
        }
        if PLACEHOLDERS.contains(&bare) || bare.bytes().all(|b| b == b'x') {
            at.warn(node, "this is a placeholder: put your own in its place");
        }
        Some(SecretString::from(bare))
    }

    fn show(&self, _value: &SecretString) -> Json {
        json!(MASK)
    }
}

/// The secret in a text of the file, or in the variable that the text names.
fn written(node: &Node, text: &str, at: &mut At<'_>) -> Option<Found> {
    if node.is_verbatim() {
        return Some(Found { secret: SecretString::from(text), source: Some(node.place.to_string()) });
    }
    let braced = || text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    match text.strip_prefix('$').filter(|name| is_variable(name)) {
        Some(name) => at.secrets.variable(name).map_err(|error| at.wrong::<()>(node, error.to_string())).ok(),
        None => {
            let secret = SecretString::from(at.text(node, "")?);
            let variable = braced().filter(|name| is_variable(name));
            Some(Found { secret, source: variable.map(|name| at.environment.place(name).to_string()) })
        }
    }
}

/// A secret without blanks around it, and what was around it. Outside the configuration quotes are around it by
/// mistake, too: container tools take those of a file of variables for part of the value.
fn bare(text: &str, may_be_quoted: bool) -> (&str, Option<&'static str>) {
    let trimmed = text.trim_matches(is_blank);
    let within = |(open, close): &(char, char)| trimmed.strip_prefix(*open)?.strip_suffix(*close);
    match QUOTES.iter().find_map(within).filter(|_| may_be_quoted) {
        Some(quoted) => (quoted.trim_matches(is_blank), Some("quotes")),
        None => (trimmed, (trimmed.len() < text.len()).then_some("blanks or line breaks")),
    }
}

/// Returns true if a character is no part of any secret, and easily copied along: also a byte order mark.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2060}')
}

fn resolved(node: &Node, at: &mut At<'_>) -> Option<Found> {
    match at.secrets.resolve(node) {
        Ok(found) => Some(found),
        Err(error) => at.wrong(node, format!("failed to get the secret: {error}")),
    }
}
