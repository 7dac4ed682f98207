//! Secrets: literal, as a SecretRef, or in a variable; never shown.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value as Json, json};

use super::{At, Form};
use crate::document::{Node, Value};
use crate::secret::ResolvedSecret;
use crate::substitute::is_variable;

/// Strips spaces and quotes around a secret from outside the configuration. Returns the secret and what was stripped.
pub fn bare_secret(text: &str) -> (&str, Option<&'static str>) {
    bare(text, true)
}

/// Text shown in place of a secret.
pub(crate) const MASK: &str = "••••••••";
/// Quotes that are copied along by mistake.
const QUOTES: [(char, char); 5] = [('"', '"'), ('\'', '\''), ('`', '`'), ('“', '”'), ('‘', '’')];
/// Placeholders in the guides.
const PLACEHOLDERS: [&str; 3] = ["your_auth_token_here", "your_auth_token", "your_ngrok_token"];

pub(crate) struct SecretForm;

impl Form for SecretForm {
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
            return at.wrong(node, format!("the secret{source} contains nothing but blanks, line breaks or quotes"));
        }
        if let Some(around) = around {
            at.warn(node, format!("ignored {around} around the secret{source}: remove them"));
        }
        if bare.contains(is_blank) {
            at.warn(node, format!("a blank or line break is inside the secret{source}: copy it again"));
        }
        if PLACEHOLDERS.contains(&bare) || bare.bytes().all(|b| b == b'x') {
            at.warn(node, "this is a placeholder: replace it with your own value");
        }
        Some(SecretString::from(bare))
    }

    fn show(&self, _value: &SecretString) -> Json {
        json!(MASK)
    }
}

/// Returns the secret in a text of the file, or in the variable that the text names.
fn written(node: &Node, text: &str, at: &mut At<'_>) -> Option<ResolvedSecret> {
    if node.is_verbatim() {
        return Some(ResolvedSecret { secret: SecretString::from(text), source: Some(node.place.to_string()) });
    }
    let braced = || text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    match text.strip_prefix('$').filter(|name| is_variable(name)) {
        Some(name) => at.secrets.variable(name).map_err(|error| at.wrong::<()>(node, error.to_string())).ok(),
        None => {
            let secret = SecretString::from(at.text(node, "")?);
            let variable = braced().filter(|name| is_variable(name));
            Some(ResolvedSecret { secret, source: variable.map(|name| at.environment.place(name).to_string()) })
        }
    }
}

/// Strips blanks around a secret and returns what was stripped. Outside the configuration also strips quotes, because
/// container tools treat the quotes in an env file as part of the value.
fn bare(text: &str, may_be_quoted: bool) -> (&str, Option<&'static str>) {
    let trimmed = text.trim_matches(is_blank);
    let within = |(open, close): &(char, char)| trimmed.strip_prefix(*open)?.strip_suffix(*close);
    match QUOTES.iter().find_map(within).filter(|_| may_be_quoted) {
        Some(quoted) => (quoted.trim_matches(is_blank), Some("quotes")),
        None => (trimmed, (trimmed.len() < text.len()).then_some("blanks or line breaks")),
    }
}

/// Returns true for characters that no secret contains and that are easily copied along, including a byte order mark.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2060}')
}

fn resolved(node: &Node, at: &mut At<'_>) -> Option<ResolvedSecret> {
    match at.secrets.resolve(node) {
        Ok(found) => Some(found),
        Err(error) => at.wrong(node, format!("cannot read the secret: {error}")),
    }
}
