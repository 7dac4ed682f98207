//! A type name that more than one module can see stands for one type in all our crates.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[test]
fn no_two_types_share_a_name() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut definitions: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for folder in std::fs::read_dir(crates).unwrap() {
        for file in sources(&folder.unwrap().path().join("src")) {
            for name in types(&std::fs::read_to_string(&file).unwrap()) {
                let file = file.strip_prefix(crates).unwrap().to_owned();
                definitions.entry(name).or_default().push(file);
            }
        }
    }
    assert!(definitions.contains_key("PhoneNumber"), "no definitions found in {}", crates.display());
    definitions.retain(|_, files| files.len() > 1);
    assert!(definitions.is_empty(), "rename one type of each pair: {definitions:#?}");
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let found = entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] });
    found.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// Returns the types that the module of a source file shows to others.
fn types(source: &str) -> Vec<String> {
    source.lines().filter_map(shown_type).map(str::to_owned).collect()
}

fn shown_type(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("pub")?;
    let rest = if rest.starts_with('(') { rest.split_once(") ")?.1 } else { rest.trim_start() };
    let rest = ["struct ", "enum ", "trait ", "type "].iter().find_map(|keyword| rest.strip_prefix(keyword))?;
    rest.split(|letter: char| !letter.is_alphanumeric()).next()
}

#[test]
fn types_are_found_with_any_visibility_but_private() {
    let source = "pub struct One(u8);\n    pub(crate) enum Two<T> {\npub(in crate::a) trait Three: Send {\n\
                  pub type Four = u8;\nstruct Five;\n    type Error = One;\npub fn six() {}\n";
    assert_eq!(types(source), ["One", "Two", "Three", "Four"]);
}
