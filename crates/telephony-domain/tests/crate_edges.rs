//! The dependencies between our crates are those in ARCHITECTURE.md.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::path::Path;

/// Allowed dependencies of each crate.
const ALLOWED: [(&str, &[&str]); 8] = [
    ("telephony-domain", &[]),
    ("telephony-config", &["telephony-domain"]),
    ("telephony-store", &["telephony-domain"]),
    ("telephony-providers", &["telephony-domain"]),
    ("telephony-agents", &["telephony-config", "telephony-domain"]),
    ("telephony-tunnels", &["telephony-config"]),
    (
        "telephony-gateway",
        &["telephony-agents", "telephony-domain", "telephony-providers", "telephony-store", "telephony-tunnels"],
    ),
    ("twilio-simulator", &[]),
];

/// The only crate that may depend on all others.
const BINARY: &str = "openclaw";

#[test]
fn each_crate_depends_only_on_those_it_may_know() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut allowed = BTreeMap::from(ALLOWED);
    for folder in std::fs::read_dir(crates).unwrap() {
        let name = folder.unwrap().file_name().into_string().unwrap();
        if name == BINARY {
            continue;
        }
        let may = allowed.remove(name.as_str()).unwrap_or_else(|| panic!("ALLOWED lacks the crate {name}"));
        let manifest = std::fs::read_to_string(crates.join(&name).join("Cargo.toml")).unwrap();
        for known in dependencies(&manifest) {
            assert!(may.contains(&known.as_str()), "{name} must not depend on {known}");
        }
    }
    assert!(allowed.is_empty(), "ALLOWED names crates that do not exist: {allowed:?}");
}

/// Returns our crates in `[dependencies]`.
fn dependencies(manifest: &str) -> Vec<String> {
    let section = manifest.split("\n[dependencies]\n").nth(1).unwrap_or_default();
    let section = section.split("\n[").next().unwrap_or_default();
    let names = section.lines().filter_map(|line| line.split(['.', ' ', '=']).next());
    names.filter(|name| name.starts_with("telephony-") || name.starts_with("twilio-")).map(str::to_owned).collect()
}

#[test]
fn a_dependency_is_found_however_it_is_written() {
    let manifest = "[package]\nname = \"x\"\n\n[dependencies]\ntelephony-domain.workspace = true\n\
                    telephony-store = { path = \"../s\" }\nserde = \"1\"\n\n[dev-dependencies]\ntwilio-simulator = \"1\"\n";
    assert_eq!(dependencies(manifest), ["telephony-domain", "telephony-store"]);
}
