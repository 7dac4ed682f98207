//! Keys that contain secrets, and a way to hide their values in a file.

use std::ops::Range;

use jsonc_parser::ast::{ObjectProp, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

/// Keys whose values are secrets.
const NAMES: [&str; 9] = [
    "authToken",
    "previousAuthTokens",
    "apiKeySecret",
    "sharedKeys",
    "ngrokAuthToken",
    "apiKey",
    "token",
    "password",
    "pin",
];

/// Returns true if a key, dotted from the top, contains a secret.
pub fn is_secret(path: &str) -> bool {
    path.split('.').any(|name| NAMES.contains(&name))
}

/// Replaces every secret in `text` by dots, in all sections; references to variables and external secrets stay. A text
/// that cannot be parsed is not changed.
pub fn without_secrets(text: &str) -> String {
    let parsed = parse_to_ast(text, &CollectOptions::default(), &ParseOptions::default());
    let mut secrets = Vec::new();
    if let Some(value) = parsed.ok().and_then(|parsed| parsed.value) {
        collect(&value, false, &mut secrets);
    }
    let mut shown = text.to_owned();
    for range in secrets.into_iter().rev() {
        shown.replace_range(range, "•••");
    }
    shown
}

/// Adds the ranges of texts, without their quotes, in file order.
fn collect(value: &Value<'_>, is_within: bool, secrets: &mut Vec<Range<usize>>) {
    match value {
        Value::StringLit(text) if is_within && !text.value.starts_with("${") => {
            let range = text.range();
            secrets.push(range.start + 1..range.end - 1);
        }
        Value::Array(array) => array.elements.iter().for_each(|element| collect(element, is_within, secrets)),
        Value::Object(object) if is_within && object.get("source").is_some() => {}
        Value::Object(object) => {
            for ObjectProp { name, value, .. } in &object.properties {
                collect(value, is_within || is_secret(name.as_str()), secrets);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_secret_keys_are_never_shown() {
        let file = "{ gateway: { auth: { token: 'owner' } }, // token: kept\n\
                    twilio: { accountSid: 'AC1', \"authToken\": \"${TOKEN}\", previousAuthTokens: [\n  \"older\",\n],\n\
                    sharedKeys: { one: 'first' }, apiKeySecret: { source: 'env', id: 'KEY' } } }";
        let shown = file.replace("owner", "•••").replace("older", "•••").replace("first", "•••");
        assert_eq!(without_secrets(file), shown);
        assert_eq!(without_secrets("{"), "{");
    }
}
