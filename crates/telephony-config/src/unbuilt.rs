//! Keys that are read but have no effect yet.

use crate::entry::{Default, SchemaEntry, ValueOrigin};
use crate::keys::full_path;
use crate::place::Place;
use crate::problem::Problem;

/// Keys and sections of capabilities that do not exist yet.
const NOT_BUILT: &[&str] = &["voice.mode"];

/// Returns one warning with every key among `entries` that requests a missing capability.
pub(crate) fn warning(entries: &[SchemaEntry]) -> Option<Problem> {
    let asked: Vec<_> = entries.iter().filter(|entry| is_asked(entry) && is_unbuilt(entry)).collect();
    let places = asked.iter().find_map(|entry| match &entry.origin {
        ValueOrigin::Said(place) => Some(place),
        _ => None,
    });
    let names: Vec<_> = asked.iter().map(|entry| entry.path.as_str()).collect();
    let message = format!("not supported in this release, so without effect: {}", names.join(", "));
    (!names.is_empty()).then(|| Problem::new(full_path(""), message).near(places))
}

/// Returns true if the value is neither the default nor from a variable that other programs use too.
fn is_asked(entry: &SchemaEntry) -> bool {
    let Some(declared) = &entry.declared else { return false };
    if matches!(entry.origin, ValueOrigin::Said(Place::Variable { .. })) {
        return false;
    }
    let is_default = matches!(&declared.default, Default::Value(default) if entry.value.as_ref() == Some(default));
    entry.value.is_some() && !is_default
}

fn is_unbuilt(entry: &SchemaEntry) -> bool {
    NOT_BUILT
        .iter()
        .any(|unbuilt| entry.path.strip_prefix(unbuilt).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}
