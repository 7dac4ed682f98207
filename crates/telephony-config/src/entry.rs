//! The keys of the configuration, each with its meaning, type and source.

use std::fmt;

use serde::Serialize;
use serde_json::Value as Json;

use crate::place::Place;

/// A key, or a section of keys.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SchemaEntry {
    /// Dotted path in `channels.telephony`.
    pub(crate) path: String,
    /// Purpose, as a sentence.
    pub(crate) doc: &'static str,
    /// Declaration of a key; none for a section.
    pub(crate) declared: Option<Declared>,
    /// Effective value, secrets masked.
    pub(crate) value: Option<Json>,
    /// Source of the value.
    pub(crate) origin: ValueOrigin,
}

/// The accepted values of a key, and its default.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Declared {
    pub(crate) expected: String,
    pub(crate) schema: Json,
    /// Another key of the file that is used instead.
    pub(crate) stand_in: Option<&'static str>,
    /// Environment variable that is used after that.
    pub(crate) variable: Option<&'static str>,
    pub(crate) default: Default,
}

/// The value of a key that is not set.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Default {
    None,
    /// A constant.
    Value(Json),
    /// A value that depends on something else.
    Rule(&'static str),
}

/// The source of an effective value. `Display` prints `FILE:LINE:COLUMN`, `env NAME`, `default` or `not set`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueOrigin {
    /// Set by the operator.
    Said(Place),
    /// The default.
    Default,
    /// Not set, and there is no default.
    Unset,
}

impl fmt::Display for ValueOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ValueOrigin::Said(place) => place.fmt(f),
            ValueOrigin::Default => f.write_str("default"),
            ValueOrigin::Unset => f.write_str("not set"),
        }
    }
}

impl Serialize for ValueOrigin {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl SchemaEntry {
    /// Creates the entry of a section.
    pub(crate) fn section(path: String, doc: &'static str) -> Self {
        Self { path, doc, declared: None, value: None, origin: ValueOrigin::Unset }
    }

    /// Returns the last component of the path.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or_default()
    }
}

/// A key as `config show` prints it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ShownKey {
    /// Path in the whole file.
    pub path: String,
    /// Effective value, secrets masked; none if there is no value.
    pub value: Option<Json>,
    /// Source of the value.
    pub origin: ValueOrigin,
}
