//! The program accepts everything that our documentation tells people to write.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::bench::{Ran, program, run};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Returns the README and every page below `docs`.
fn pages() -> Vec<PathBuf> {
    let mut pages = vec![root().join("README.md")];
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|extension| extension == "md") {
                pages.push(entry);
            }
        }
    }
    pages
}

/// Returns a page's JSON5 examples that are complete configurations.
fn examples(page: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(page).unwrap();
    let mut examples = Vec::new();
    let mut current: Option<Vec<&str>> = None;
    for line in text.lines() {
        match (&mut current, line.trim()) {
            (None, "```json5") => current = Some(Vec::new()),
            (Some(lines), "```") => {
                examples.push(lines.join("\n"));
                current = None;
            }
            (Some(lines), _) => lines.push(line),
            (None, _) => {}
        }
    }
    examples.retain(|example: &String| example.contains("channels"));
    examples
}

fn check(text: &str, arguments: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("openclaw.json");
    std::fs::write(&file, text).unwrap();
    let mut command = program();
    command.env("HOME", folder.path()).env("TWILIO_ACCOUNT_SID", "AC0123456789abcdef0123456789abcdef");
    command.env("TWILIO_AUTH_TOKEN", "f1e2d3c4b5a6978877665544332211ff").env("OPENAI_API_KEY", "sk-test");
    command.args(arguments).arg("--config").arg(&file).output().unwrap().into()
}

#[test]
fn every_documented_configuration_is_valid() {
    let mut checked = 0;
    for page in pages() {
        for example in &examples(&page) {
            let ran = check(example, &["telephony", "config", "check"]);
            assert_eq!(ran.code, 0, "{page:?}:\n{example}\n{}", ran.stderr);
            checked += 1;
        }
    }
    assert!(checked >= 2, "only {checked} examples were found");
}

#[test]
fn the_printed_schema_accepts_every_documented_configuration_and_no_wrong_key() {
    let schema: Value = serde_json::from_str(&run(&["telephony", "config", "schema"]).stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let block = |text: &str| -> Value {
        let file: Value = jsonc_parser::parse_to_serde_value(text, &jsonc_parser::ParseOptions::default()).unwrap();
        file["channels"]["telephony"].clone()
    };
    for page in pages() {
        for example in &examples(&page) {
            let errors: Vec<String> = validator.iter_errors(&block(example)).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{page:?}: {errors:?}");
        }
    }
    assert!(!validator.is_valid(&block("{channels: {telephony: {portt: 1}}}")));
}
