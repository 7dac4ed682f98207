//! The modules of the SQLite store depend on each other in one order, and only the engine uses SQLite.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::{Path, PathBuf};

/// Each module may use those before it.
const ORDER: [&str; 7] = ["engine", "rows", "outbox", "inbox", "history", "calls", "people"];

fn sqlite() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sqlite")
}

/// Returns the sources of a module with their paths.
fn sources(layer: &str) -> Vec<(PathBuf, String)> {
    let mut folders = vec![sqlite().join(layer)];
    let mut files = vec![sqlite().join(format!("{layer}.rs"))];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.into_iter().map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn a_layer_uses_only_those_below_it() {
    for (floor, layer) in ORDER.iter().enumerate() {
        for (path, source) in sources(layer) {
            for above in &ORDER[floor + 1..] {
                assert!(!source.contains(&format!("sqlite::{above}")), "{} must not use {above}", path.display());
            }
        }
    }
}

#[test]
fn only_the_engine_names_types_of_sqlite() {
    for layer in &ORDER[1..] {
        for (path, source) in sources(layer) {
            assert!(!source.contains("rusqlite"), "{} names rusqlite", path.display());
        }
    }
}

#[test]
fn every_layer_is_listed() {
    for entry in std::fs::read_dir(sqlite()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let is_layer = entry.path().is_dir() && name != "migrations";
        assert!(!is_layer || ORDER.contains(&name.as_str()), "ORDER lacks the layer {name}");
    }
}
