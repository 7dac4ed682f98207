//! Texts: unrestricted, parsed, a Twilio SID, or a URL.

use serde_json::{Value as Json, json};
use telephony_domain::plural::counted;

use super::{At, Form};
use crate::document::{Node, quote};
use crate::web_address::{WebAddress, hide_userinfo};

/// A text that is not blank.
pub(crate) struct TextForm;

impl Form for TextForm {
    type Value = String;

    fn expected(&self) -> String {
        "a text".to_owned()
    }

    fn schema(&self) -> Json {
        json!({"type": "string", "pattern": "\\S"})
    }

    fn read(&self, node: &Node, at: &mut At<'_>) -> Option<String> {
        let text = at.text(node, "a text")?;
        if text.trim().is_empty() { at.misread(node, "a text that is not empty") } else { Some(text) }
    }

    fn show(&self, value: &String) -> Json {
        json!(value)
    }
}

/// A text that is parsed: its description, a pattern for the schema, and the parser.
pub(crate) struct Parsed<T> {
    pub(crate) expected: &'static str,
    pub(crate) pattern: Option<&'static str>,
    pub(crate) parse: fn(&str) -> Option<T>,
}

impl<T: ToString> Form for Parsed<T> {
    type Value = T;

    fn expected(&self) -> String {
        self.expected.to_owned()
    }

    fn schema(&self) -> Json {
        match self.pattern {
            Some(pattern) => json!({"type": "string", "pattern": pattern}),
            None => json!({"type": "string"}),
        }
    }

    fn read(&self, node: &Node, at: &mut At<'_>) -> Option<T> {
        let text = at.text(node, self.expected)?;
        let found = || format!("found {}, expected {}", quote(&text), self.expected);
        (self.parse)(&text).or_else(|| at.wrong(node, found()))
    }

    fn show(&self, value: &T) -> Json {
        json!(value.to_string())
    }
}

/// A Twilio SID: two letters for its kind, and 32 more characters.
pub(crate) struct Sid(pub(crate) &'static str);

impl Form for Sid {
    type Value = String;

    fn expected(&self) -> String {
        format!("{} and 32 letters and digits, 34 characters in total", self.0)
    }

    fn schema(&self) -> Json {
        json!({"type": "string", "pattern": format!("^{}([0-9A-Za-z]{{32}}|x+)$", self.0)})
    }

    fn read(&self, node: &Node, at: &mut At<'_>) -> Option<String> {
        let text = at.text(node, &self.expected())?;
        let rest = text.strip_prefix(self.0).unwrap_or_default();
        if !rest.is_empty() && rest.bytes().all(|b| b == b'x') {
            at.warn(node, format!("{} is a placeholder: replace it with your own value", quote(&text)));
            return Some(text);
        }
        if rest.len() == 32 && rest.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Some(text);
        }
        if text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
            // Never show a token, even in the wrong field.
            return at
                .wrong(node, format!("found 32 hexadecimal digits, like an Auth Token, expected {}", self.expected()));
        }
        let count = counted(text.chars().count(), "character");
        at.wrong(node, format!("found {} ({count}), expected {}", quote(&text), self.expected()))
    }

    fn show(&self, value: &String) -> Json {
        json!(value)
    }
}

/// An `http` or `https` URL, kept byte for byte.
pub(crate) struct UrlForm;

impl Form for UrlForm {
    type Value = String;

    fn expected(&self) -> String {
        "a URL that starts with https:// or http://".to_owned()
    }

    fn schema(&self) -> Json {
        json!({"type": "string", "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://[^/?#\\s]"})
    }

    fn read(&self, node: &Node, at: &mut At<'_>) -> Option<String> {
        let text = at.text(node, &self.expected())?;
        if WebAddress::parse(&text).is_some() {
            return Some(text);
        }
        at.wrong(node, format!("found {}, expected {}", quote(&hide_userinfo(&text)), self.expected()))
    }

    fn show(&self, value: &String) -> Json {
        json!(hide_userinfo(value))
    }
}
