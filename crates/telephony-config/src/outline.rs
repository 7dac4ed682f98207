//! An outline of a configuration file, including OpenClaw's sections.

use jsonc_parser::ast::{Object, ObjectProp, Value};
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

/// Returns the top-level names of a file, and those of its channels prefixed by `channels.`; empty for an unreadable
/// file.
pub fn outline(text: &str) -> Vec<String> {
    let parsed = parse_to_ast(text, &CollectOptions::default(), &ParseOptions::default());
    let Some(Value::Object(root)) = parsed.ok().and_then(|parsed| parsed.value) else { return Vec::new() };
    let mut names = names(&root);
    if let Some(ObjectProp { value: Value::Object(channels), .. }) = root.get("channels") {
        names.extend(self::names(channels).into_iter().map(|name| format!("channels.{name}")));
    }
    names
}

fn names(object: &Object<'_>) -> Vec<String> {
    object.properties.iter().map(|property| property.name.as_str().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_and_channels_are_named_and_nothing_else() {
        let text = "// c\n{ gateway: { port: 1 }, 'channels': { telephony: { enabled: true }, \"sms\": {} }, }";
        assert_eq!(outline(text), ["gateway", "channels", "channels.telephony", "channels.sms"]);
        assert!(outline("{").is_empty() && outline("").is_empty() && outline("[1]").is_empty());
    }
}
