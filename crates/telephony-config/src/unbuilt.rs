//! Which keys are read but do nothing yet.

use crate::entry::{Default, Entry, Origin};
use crate::keys::full_path;
use crate::place::Place;
use crate::problem::Problem;

/// Keys and sections whose capability is not built yet. Shrinks as things are built.
const NOT_BUILT: &[&str] = &["voice"];

/// One warning that names every key among `entries` which asks for something that is not built yet.
pub(crate) fn warning(entries: &[Entry]) -> Option<Problem> {
    let asked: Vec<_> = entries.iter().filter(|entry| is_asked(entry) && is_unbuilt(entry)).collect();
    let places = asked.iter().find_map(|entry| match &entry.origin {
        Origin::Said(place) => Some(place),
        _ => None,
    });
    let names: Vec<_> = asked.iter().map(|entry| entry.path.as_str()).collect();
    let message = format!("not built yet, without effect in this release: {}", names.join(", "));
    (!names.is_empty()).then(|| Problem::new(full_path(""), message).near(places))
}

/// Whether an entry has a value that is neither simply its default nor a variable that is there for others too.
fn is_asked(entry: &Entry) -> bool {
    let Some(declared) = &entry.declared else { return false };
    if matches!(entry.origin, Origin::Said(Place::Variable { .. })) {
        return false;
    }
    let is_default = matches!(&declared.default, Default::Value(default) if entry.value.as_ref() == Some(default));
    entry.value.is_some() && !is_default
}

fn is_unbuilt(entry: &Entry) -> bool {
    NOT_BUILT
        .iter()
        .any(|unbuilt| entry.path.strip_prefix(unbuilt).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}
