//! Descriptions of the configuration: a JSON Schema for editors and OpenClaw, and a reference page.

use std::fmt::Write;

use serde_json::{Value as Json, json};

use crate::entry::{Declared, Default, SchemaEntry};
use crate::environment::Environment;
use crate::keys::BlockReader;
use crate::openclaw::HostGateway;
use crate::problem::ProblemCollector;
use crate::secret::Secrets;
use crate::sections::TelephonyConfig;
use crate::sources::Sources;

/// Returns the JSON Schema (draft-07) of `channels.telephony` after resolving includes and variables.
pub fn schema() -> Json {
    let mut root = section(None);
    root["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    root["title"] = json!("channels.telephony");
    for entry in entries() {
        let schema = entry.declared.as_ref().map_or_else(|| section(Some(entry.doc)), |key| key_schema(key, entry.doc));
        let parent = entry.path.split('.').rev().skip(1).collect::<Vec<_>>();
        let parent = parent.into_iter().rev().fold(&mut root, |node, step| &mut node["properties"][step]);
        parent["properties"][entry.name()] = schema;
    }
    root
}

fn section(doc: Option<&str>) -> Json {
    let mut section = json!({"type": "object", "properties": {}, "additionalProperties": false});
    if let Some(doc) = doc {
        section["description"] = json!(doc);
    }
    section
}

fn key_schema(key: &Declared, doc: &str) -> Json {
    let mut schema = key.schema.clone();
    schema["description"] = json!(doc);
    if let Default::Value(value) = &key.default {
        schema["default"] = value.clone();
    }
    schema
}

/// Generates the reference page: every key with its accepted values, default and purpose.
pub fn reference_markdown() -> String {
    let entries = entries();
    let mut page = PREAMBLE.to_owned();
    table(&mut page, "", &entries);
    for section in entries.iter().filter(|entry| entry.declared.is_none()) {
        let _ = write!(page, "\n## `{}`\n\n{}\n\n", section.path, section.doc);
        table(&mut page, &section.path, &entries);
    }
    page
}

const PREAMBLE: &str = "# Configuration reference\n\n<!-- Generated from the code: run `UPDATE_REFERENCE=1 cargo test \
    -p telephony-config` after a change. -->\n\nEvery key under `channels.telephony` of `openclaw.json` (JSON5). \
    `openclaw telephony config check` reports every problem at once, `config show` prints the effective values and \
    their sources, `config schema` prints the JSON Schema. A value in the file takes precedence over the environment \
    variable.\n\n";

fn table(page: &mut String, section: &str, entries: &[SchemaEntry]) {
    page.push_str("| key | accepts | default | purpose |\n|---|---|---|---|\n");
    for entry in entries {
        let parent = entry.path.rsplit_once('.').map_or("", |(parent, _)| parent);
        if let Some(key) = entry.declared.as_ref().filter(|_| parent == section) {
            let takes = key.expected.replace('|', "\\|");
            let _ = writeln!(page, "| `{}` | {takes} | {} | {} |", entry.name(), without(key), entry.doc);
        }
    }
}

fn without(key: &Declared) -> String {
    let default = match &key.default {
        Default::None => None,
        Default::Value(value) => Some(format!("`{value}`")),
        Default::Rule(rule) => Some((*rule).to_owned()),
    };
    let stand_in = key.stand_in.map(|path| format!("`{path}`"));
    let variable = key.variable.map(|name| format!("env `{name}`"));
    let steps: Vec<_> = stand_in.into_iter().chain(variable).chain(default).collect();
    if steps.is_empty() { "—".to_owned() } else { steps.join(", else ") }
}

/// Returns every key and section.
fn entries() -> Vec<SchemaEntry> {
    read_nothing().1
}

/// Reads a block without keys. Returns the default settings, and every key and section.
pub(crate) fn read_nothing() -> (TelephonyConfig, Vec<SchemaEntry>) {
    let environment = Environment::new([], "");
    let sources = Sources::default();
    let secrets = Secrets::new(None, &environment, &sources);
    let mut reading = BlockReader::new(&environment, &secrets, ProblemCollector::default());
    let openclaw = HostGateway::read(None, &environment);
    let telephony = reading.block(None, |keys| TelephonyConfig::read(keys, &openclaw));
    (telephony, reading.entries)
}
