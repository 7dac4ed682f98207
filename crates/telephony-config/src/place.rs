//! Sources of values: a position in a file, or an environment variable.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// The source of a value. `Display` prints `FILE:LINE:COLUMN` or `env NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A position in a file.
    File {
        /// The file, as it was opened.
        file: Arc<Path>,
        /// Line in the file, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
    },
    /// An environment variable.
    Variable {
        /// Name of the environment variable.
        name: String,
        /// The file that set it (`.env`, or `env.vars` in the configuration); none for the process itself.
        set_in: Option<Box<Place>>,
    },
}

impl Place {
    /// Returns the first position in `file`.
    pub(crate) fn start_of(file: &Path) -> Place {
        Place::File { file: Arc::from(file), line: 1, column: 1 }
    }

    /// Returns the sort key of problems: file, line and column, variables last.
    pub(crate) fn order(&self) -> (bool, Option<&Path>, usize, usize) {
        match self {
            Place::File { file, line, column } => (false, Some(file), *line, *column),
            Place::Variable { .. } => (true, None, 0, 0),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File { file, line, column } => write!(f, "{}:{line}:{column}", file.display()),
            Place::Variable { name, set_in: None } => write!(f, "env {name}"),
            Place::Variable { name, set_in: Some(place) } => write!(f, "env {name} ({place})"),
        }
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
