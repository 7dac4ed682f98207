//! Changes our block in a configuration file, and variables in a `.env`, and keeps everything else as written:
//! comments, order, quotes and other sections.

use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstInputValue, CstObject, CstRootNode};
use serde_json::Value as Json;

use crate::environment::Environment;
use crate::substitute::substitute;

/// A reason why a file cannot be changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RewriteError {
    /// It cannot be parsed.
    #[error("invalid JSON5: {0}")]
    Unreadable(String),
    /// A section exists but is not an object.
    #[error("`{0}` is not an object")]
    NoSection(String),
}

/// A change to a key.
#[derive(Debug, Clone, PartialEq)]
pub enum KeyChange {
    /// Sets the value in place, or at the end of its section.
    Set(Json),
    /// Removes the key with its value.
    Remove,
}

/// Returns `text` with changed keys of `channels.telephony`, dotted from there (`twilio.accountSid`). An empty text
/// becomes a new file. A reference (`${NAME}`) that already has the wanted value in `environment` is kept.
pub fn rewrite(text: &str, changes: &[(&str, KeyChange)], environment: &Environment) -> Result<String, RewriteError> {
    let text = if text.trim().is_empty() { "{}\n" } else { text };
    let root = CstRootNode::parse(text, &ParseOptions::default())
        .map_err(|error| RewriteError::Unreadable(error.to_string()))?;
    let top = root.object_value().ok_or_else(|| RewriteError::NoSection("the whole file".to_owned()))?;
    top.ensure_multiline();
    let block = section(&section(&top, "channels")?, "telephony")?;
    for (path, change) in changes {
        apply(&block, path, change, environment)?;
    }
    Ok(root.to_string())
}

fn apply(block: &CstObject, path: &str, change: &KeyChange, environment: &Environment) -> Result<(), RewriteError> {
    let (sections, name) = path.rsplit_once('.').unwrap_or(("", path));
    let mut object = block.clone();
    for part in sections.split('.').filter(|part| !part.is_empty()) {
        if *change == KeyChange::Remove && object.get(part).is_none() {
            return Ok(());
        }
        object = section(&object, part)?;
    }
    match (object.get(name), change) {
        (Some(property), KeyChange::Remove) => property.remove(),
        (None, KeyChange::Remove) => {}
        (Some(property), KeyChange::Set(value)) => {
            let written = property.value().and_then(|value| value.to_serde_value());
            if !written.is_some_and(|written| comes_to(&written, value, environment)) {
                property.set_value(input(value));
            }
        }
        (None, KeyChange::Set(value)) => {
            object.append(name, input(value));
        }
    }
    Ok(())
}

/// Returns true if `written` equals `wanted` after substituting its variables.
fn comes_to(written: &Json, wanted: &Json, environment: &Environment) -> bool {
    match (written, wanted) {
        (Json::String(written), Json::String(wanted)) => {
            written == wanted || substitute(written, environment).as_ref() == Ok(wanted)
        }
        (Json::Array(written), Json::Array(wanted)) => {
            written.len() == wanted.len()
                && written.iter().zip(wanted).all(|(written, wanted)| comes_to(written, wanted, environment))
        }
        _ => written == wanted,
    }
}

/// Returns the section with this name; creates it if missing.
fn section(object: &CstObject, name: &str) -> Result<CstObject, RewriteError> {
    let is_new = object.get(name).is_none();
    let section = object.object_value_or_create(name).ok_or_else(|| RewriteError::NoSection(name.to_owned()))?;
    if is_new {
        section.ensure_multiline();
    }
    Ok(section)
}

fn input(value: &Json) -> CstInputValue {
    match value {
        Json::Null => CstInputValue::Null,
        Json::Bool(value) => CstInputValue::Bool(*value),
        Json::Number(value) => CstInputValue::Number(value.to_string()),
        Json::String(value) => CstInputValue::String(value.clone()),
        Json::Array(values) => CstInputValue::Array(values.iter().map(input).collect()),
        Json::Object(members) => {
            CstInputValue::Object(members.iter().map(|(name, value)| (name.clone(), input(value))).collect())
        }
    }
}

/// Sets variables in the text of a `.env`: in the last line that has the variable, else at the end.
pub fn rewrite_dotenv(text: &str, variables: &[(&str, &str)]) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for (name, value) in variables {
        let line = format!("{name}={}", quoted(value));
        match lines.iter().rposition(|line| assigns(line, name)) {
            Some(place) => lines[place] = line,
            None => lines.push(line),
        }
    }
    lines.iter().map(|line| line.clone() + "\n").collect()
}

fn assigns(line: &str, name: &str) -> bool {
    let line = line.trim_start();
    let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
    line.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('='))
}

/// In single quotes, only a single quote is special.
fn quoted(value: &str) -> String {
    let is_plain = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:/+@%".contains(&byte));
    if is_plain {
        value.to_owned()
    } else if value.contains('\'') {
        format!("\"{value}\"")
    } else {
        format!("'{value}'")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(path: &str, value: Json) -> (&str, KeyChange) {
        (path, KeyChange::Set(value))
    }

    fn empty() -> Environment {
        Environment::new([], "/")
    }

    #[test]
    fn a_reference_with_the_wanted_value_stays_a_reference() {
        let text = "{channels: {telephony: { fromNumber: '${LINE}', publicUrl: '${OTHER}', allowFrom: ['${LINE}'] }}}";
        let environment = empty().with("LINE", "+1555");
        let changes = [
            set("fromNumber", json!("+1555")),
            set("publicUrl", json!("https://x.y")),
            set("allowFrom", json!(["+1555"])),
        ];
        let changed = rewrite(text, &changes, &environment).unwrap();
        assert_eq!(changed.matches("'${LINE}'").count(), 2, "{changed}");
        assert!(changed.contains("publicUrl: \"https://x.y\""), "{changed}");
        let elsewhere = rewrite(text, &changes, &environment.with("LINE", "+1666")).unwrap();
        assert_eq!(elsewhere.matches("${LINE}").count(), 0, "{elsewhere}");
    }

    #[test]
    fn other_text_stays_unchanged() {
        let text = "// mine\n{\n  gateway: { port: 18789, }, // kept\n  'channels': {\n    sms: {},\n  },\n}\n";
        let changes = [set("enabled", json!(true)), set("twilio.accountSid", json!("AC1"))];
        let changed = rewrite(text, &changes, &empty()).unwrap();
        for line in ["// mine", "  gateway: { port: 18789, }, // kept", "    sms: {},"] {
            assert!(changed.contains(line), "{changed}");
        }
        let read = |text: &str| -> Json { jsonc_parser::parse_to_serde_value(text, &ParseOptions::default()).unwrap() };
        assert_eq!(
            read(&changed),
            json!({"gateway": {"port": 18789},
                   "channels": {"sms": {}, "telephony": {"enabled": true, "twilio": {"accountSid": "AC1"}}}})
        );
        assert_eq!(rewrite(&changed, &changes, &empty()).unwrap(), changed, "a second time changes nothing");
    }

    #[test]
    fn a_key_is_changed_where_it_stands_and_removed_with_nothing_else() {
        let text =
            "{channels: {telephony: {\n  // who\n  fromNumber: '+1555', twilio: { authToken: 's', edge: 'x' } }}}";
        let changes = [
            set("fromNumber", json!("+1666")),
            ("twilio.authToken", KeyChange::Remove),
            ("tunnel.provider", KeyChange::Remove),
        ];
        let changed = rewrite(text, &changes, &empty()).unwrap();
        assert!(changed.contains("// who\n") && changed.contains("edge: 'x'"), "{changed}");
        assert!(changed.contains("fromNumber: \"+1666\"") && !changed.contains("authToken"), "{changed}");
        assert!(!changed.contains("tunnel"), "{changed}");
    }

    #[test]
    fn a_new_file_is_json_and_a_broken_one_is_left() {
        let made = rewrite("", &[set("serve.port", json!(1))], &empty()).unwrap();
        assert_eq!(
            serde_json::from_str::<Json>(&made).unwrap(),
            json!({"channels": {"telephony": {"serve": {"port": 1}}}})
        );
        assert!(matches!(rewrite("{", &[], &empty()), Err(RewriteError::Unreadable(_))));
        assert_eq!(rewrite("{channels: 1}", &[], &empty()), Err(RewriteError::NoSection("channels".to_owned())));
        assert_eq!(rewrite("[]", &[], &empty()), Err(RewriteError::NoSection("the whole file".to_owned())));
    }

    #[test]
    fn a_variable_is_set_where_it_stands() {
        let text = "# mine\nexport A=1\nB=2\n";
        assert_eq!(rewrite_dotenv(text, &[("A", "x"), ("C", "a b#")]), "# mine\nA=x\nB=2\nC='a b#'\n");
        assert_eq!(rewrite_dotenv("", &[("A", "1")]), "A=1\n");
        assert_eq!(rewrite_dotenv("AB=1", &[("A", "it's")]), "AB=1\nA=\"it's\"\n");
    }
}
