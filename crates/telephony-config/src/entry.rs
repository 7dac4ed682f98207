//! The keys of the configuration, each with what it means, what it is and where that was said.

use std::fmt;

use serde::Serialize;
use serde_json::Value as Json;

use crate::place::Place;

/// One key, or one section of keys.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    /// The path in `channels.telephony`, dotted.
    pub(crate) path: String,
    /// What it is for, in a sentence.
    pub(crate) doc: &'static str,
    /// What was declared about a key; none for a section.
    pub(crate) declared: Option<Declared>,
    /// The effective value, secrets masked.
    pub(crate) value: Option<Json>,
    /// Where the value comes from.
    pub(crate) origin: Origin,
}

/// What may be said for a key, and what holds when nothing is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Declared {
    pub(crate) expected: String,
    pub(crate) schema: Json,
    /// Another key of the file that stands in.
    pub(crate) stand_in: Option<&'static str>,
    /// The variable that stands in after that.
    pub(crate) variable: Option<&'static str>,
    pub(crate) default: Default,
}

/// What holds when nothing is said.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Default {
    /// Nothing.
    None,
    /// Always the same.
    Value(Json),
    /// It depends.
    Rule(&'static str),
}

/// Where an effective value comes from. `Display` reads `FILE:LINE:COLUMN`, `env NAME`, `default` or `not set`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Somebody said it.
    Said(Place),
    /// Nobody said anything.
    Default,
    /// There is no value.
    Unset,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Said(place) => place.fmt(f),
            Origin::Default => f.write_str("default"),
            Origin::Unset => f.write_str("not set"),
        }
    }
}

impl Serialize for Origin {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Entry {
    /// A section called `path`.
    pub(crate) fn section(path: String, doc: &'static str) -> Self {
        Self { path, doc, declared: None, value: None, origin: Origin::Unset }
    }

    /// The last step of the path.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or_default()
    }
}

/// One key as `config show` prints it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shown {
    /// The path in the whole file.
    pub path: String,
    /// The effective value, secrets masked; none when there is no value.
    pub value: Option<Json>,
    /// Where the value comes from.
    pub origin: Origin,
}
