//! Problems of the configuration, all reported at once, each with its position and a hint.

use std::fmt;

use serde::Serialize;

use crate::place::Place;
use crate::sources::Sources;

/// A problem or warning. `Display` prints `FILE:LINE:COLUMN: path: message`, then the hint on its own line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Position; none if the key is missing.
    pub place: Option<Place>,
    /// Dotted key from the top of the file; empty for the whole file.
    pub path: String,
    /// The value found and those expected; never a secret.
    pub message: String,
    /// Advice for the operator, if there is any.
    pub hint: Option<String>,
    /// True where the channel is not configured at all.
    #[serde(skip)]
    pub(crate) is_unconfigured: bool,
    /// The line that it is about, with a caret below the spot.
    #[serde(skip)]
    pub(crate) excerpt: Option<String>,
}

impl Problem {
    /// Creates a problem with the key `path`.
    pub(crate) fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            place: None,
            path: path.into(),
            message: message.into(),
            hint: None,
            is_unconfigured: false,
            excerpt: None,
        }
    }

    pub(crate) fn at(mut self, place: &Place) -> Self {
        self.place = Some(place.clone());
        self
    }

    /// Sets the position, if known.
    pub(crate) fn near(mut self, place: Option<&Place>) -> Self {
        self.place = place.cloned();
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl Problem {
    /// Returns the problem for a person, with the line it is about in front of the hint.
    pub fn in_full(&self) -> String {
        let bare = Problem { hint: None, ..self.clone() }.to_string();
        let hint = self.hint.as_ref().map(|hint| format!("  hint: {}", hint.replace('\n', "\n  ")));
        [Some(bare), self.excerpt.clone(), hint].into_iter().flatten().collect::<Vec<_>>().join("\n")
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {}", hint.replace('\n', "\n  ")),
            None => Ok(()),
        }
    }
}

/// All problems of a configuration, in file order; never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Iterates over the problems.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }

    /// Returns all problems for a person, each with the line it is about.
    pub fn in_full(&self) -> String {
        self.0.iter().map(Problem::in_full).collect::<Vec<_>>().join("\n")
    }

    /// Adds to each problem the line that it is about.
    pub(crate) fn with_excerpts(mut self, sources: &Sources<'_>) -> Problems {
        sources.add_excerpts(&mut self.0);
        self
    }

    /// Returns true if all that is wrong is that the channel is not configured yet.
    pub fn is_unconfigured(&self) -> bool {
        matches!(self.0.as_slice(), [only] if only.is_unconfigured)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

/// Collects problems and warnings while reading.
#[derive(Debug, Default)]
pub(crate) struct ProblemCollector {
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl ProblemCollector {
    pub(crate) fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    pub(crate) fn warning(&mut self, warning: Problem) {
        self.warnings.push(warning);
    }

    /// Drops problems and warnings about keys that are not wanted.
    pub(crate) fn retain(&mut self, is_wanted: impl Fn(&str) -> bool) {
        self.problems.retain(|problem| is_wanted(&problem.path));
        self.warnings.retain(|warning| is_wanted(&warning.path));
    }

    /// Returns the warnings if there are no problems, else the problems.
    pub(crate) fn finish(mut self) -> Result<Vec<Problem>, Problems> {
        sort(&mut self.warnings);
        if self.is_clean() { Ok(self.warnings) } else { Err(self.fail()) }
    }

    /// Returns the problems after a fatal one.
    pub(crate) fn fail(&mut self) -> Problems {
        sort(&mut self.problems);
        self.problems.dedup();
        Problems(std::mem::take(&mut self.problems))
    }

    /// Returns true if there is a problem with this key.
    pub(crate) fn has_problem_with(&self, path: &str) -> bool {
        self.problems.iter().any(|problem| problem.path == path)
    }

    /// Returns true if there are no problems so far.
    pub(crate) fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }
}

fn sort(problems: &mut [Problem]) {
    problems.sort_by(|a, b| a.place.as_ref().map(Place::order).cmp(&b.place.as_ref().map(Place::order)));
}
