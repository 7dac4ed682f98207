//! Secrets: written out, named by a SecretRef, or in a variable; never shown.

use secrecy::SecretString;
use serde_json::{Value as Json, json};

use super::{At, Form};
use crate::document::{Node, Value};
use crate::substitute::is_variable;

/// What is shown in place of a secret.
pub(crate) const MASK: &str = "••••••••";
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
        let variable = match &node.value {
            Value::Object(_) => return resolved(node, at),
            Value::Text(text) if !node.is_verbatim() => text.strip_prefix('$').filter(|name| is_variable(name)),
            _ => None,
        };
        if let Some(name) = variable {
            return at.secrets.variable(name).map_err(|error| at.wrong::<()>(node, error.to_string())).ok();
        }
        let text = match &node.value {
            Value::Text(text) if !text.is_empty() => at.text(node, "")?,
            _ => return at.wrong(node, format!("found {}, expected {}", node.kind(), self.expected())),
        };
        if PLACEHOLDERS.contains(&text.as_str()) || text.bytes().all(|b| b == b'x') {
            at.warn(node, "this is a placeholder: put your own in its place");
        }
        Some(SecretString::from(text))
    }

    fn show(&self, _value: &SecretString) -> Json {
        json!(MASK)
    }
}

fn resolved(node: &Node, at: &mut At<'_>) -> Option<SecretString> {
    match at.secrets.resolve(node) {
        Ok(secret) => Some(secret),
        Err(error) => at.wrong(node, format!("failed to get the secret: {error}")),
    }
}
