//! Forms of single values: each one reads a kind of value, describes what it expects, and displays it.

pub(crate) mod lists;
pub(crate) mod numbers;
pub(crate) mod secrets;
pub(crate) mod texts;

use serde_json::Value as Json;

use crate::document::{Node, Value, quote};
use crate::environment::Environment;
use crate::place::Place;
use crate::problem::{Problem, ProblemCollector};
use crate::secret::Secrets;
use crate::substitute::substitute;

/// A kind of value.
pub(crate) trait Form {
    type Value;

    /// Describes the accepted values; the text follows "expected".
    fn expected(&self) -> String;

    /// Returns the JSON Schema of accepted values.
    fn schema(&self) -> Json;

    /// Reads a value; `None` after reporting a problem.
    fn read(&self, node: &Node, at: &mut At<'_>) -> Option<Self::Value>;

    /// Formats the value as it could appear in the file; a secret is masked.
    fn show(&self, value: &Self::Value) -> Json;
}

/// The value being read: its path and the context for reading it.
pub(crate) struct At<'a> {
    pub(crate) path: String,
    pub(crate) environment: &'a Environment,
    pub(crate) secrets: &'a Secrets<'a>,
    pub(crate) report: &'a mut ProblemCollector,
}

impl At<'_> {
    /// Reports a value that is not as `expected`.
    pub(crate) fn misread<T>(&mut self, node: &Node, expected: &str) -> Option<T> {
        self.wrong(node, format!("found {}, expected {expected}", node.describe()))
    }

    /// Reports a problem with the value.
    pub(crate) fn wrong<T>(&mut self, node: &Node, message: impl Into<String>) -> Option<T> {
        self.report.problem(Problem::new(&self.path, message).at(&node.place));
        None
    }

    /// Reports a warning about the value.
    pub(crate) fn warn(&mut self, node: &Node, message: impl Into<String>) {
        self.report.warning(Problem::new(&self.path, message).at(&node.place));
    }

    /// Returns a text with its variables substituted; reports any other value.
    pub(crate) fn text(&mut self, node: &Node, expected: &str) -> Option<String> {
        let Value::Text(text) = &node.value else { return self.misread(node, expected) };
        if node.is_verbatim() {
            return Some(text.clone());
        }
        match substitute(text, self.environment) {
            Ok(text) => Some(text),
            Err(name) => {
                let problem = Problem::new(&self.path, format!("the environment variable {name} is not set"));
                let hint = format!("set {name}, or write $${{{name}}} for the literal text");
                self.report.problem(problem.at(&node.place).hint(hint));
                None
            }
        }
    }

    /// Reports the unknown key `name`, with a suggestion.
    pub(crate) fn unknown(&mut self, name: &str, place: &Place, known: &[&'static str]) {
        let problem = Problem::new(format!("{}.{name}", self.path), "unknown key").at(place);
        let meant = crate::spelling::nearest(name, known.iter().copied());
        let hint = meant.map_or_else(
            || format!("expected one of {}", known.join(", ")),
            |meant| format!("did you mean `{meant}`?"),
        );
        self.report.problem(problem.hint(hint));
    }

    /// Reads a nested value at `step` (`[0]`, `.name`).
    pub(crate) fn step<F: Form>(&mut self, step: &str, form: &F, node: &Node) -> Option<F::Value> {
        let mut at = At {
            path: format!("{}{step}", self.path),
            environment: self.environment,
            secrets: self.secrets,
            report: self.report,
        };
        form.read(node, &mut at)
    }
}

pub(crate) struct Switch;

impl Form for Switch {
    type Value = bool;

    fn expected(&self) -> String {
        "true or false".to_owned()
    }

    fn schema(&self) -> Json {
        serde_json::json!({"type": "boolean"})
    }

    fn read(&self, node: &Node, at: &mut At<'_>) -> Option<bool> {
        match node.value {
            Value::Switch(value) => Some(value),
            _ => at.misread(node, &self.expected()),
        }
    }

    fn show(&self, value: &bool) -> Json {
        Json::Bool(*value)
    }
}

/// A value, or `null` for a setting that is off.
pub(crate) struct OrNull<F> {
    pub(crate) form: F,
    /// The meaning of `null`, as in "null for …".
    pub(crate) meaning: &'static str,
}

impl<F: Form> Form for OrNull<F> {
    type Value = Option<F::Value>;

    fn expected(&self) -> String {
        format!("{}, or null for {}", self.form.expected(), self.meaning)
    }

    fn schema(&self) -> Json {
        serde_json::json!({"anyOf": [self.form.schema(), {"type": "null"}]})
    }

    fn read(&self, node: &Node, at: &mut At<'_>) -> Option<Option<F::Value>> {
        if matches!(node.value, Value::Null) {
            return Some(None);
        }
        self.form.read(node, at).map(Some)
    }

    fn show(&self, value: &Option<F::Value>) -> Json {
        value.as_ref().map_or(Json::Null, |value| self.form.show(value))
    }
}

/// One of several words, each with its value.
pub(crate) struct ChoiceForm<T: 'static>(pub(crate) &'static [(&'static str, T)]);

impl<T: Copy + PartialEq> Form for ChoiceForm<T> {
    type Value = T;

    fn expected(&self) -> String {
        let words: Vec<_> = self.0.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        match words.as_slice() {
            [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
            words => words.join(""),
        }
    }

    fn schema(&self) -> Json {
        serde_json::json!({"type": "string", "enum": self.0.iter().map(|(word, _)| *word).collect::<Vec<_>>()})
    }

    fn read(&self, node: &Node, at: &mut At<'_>) -> Option<T> {
        let text = at.text(node, &self.expected())?;
        if let Some((_, value)) = self.0.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let words = self.0.iter().map(|(word, _)| *word);
        let problem = Problem::new(&at.path, format!("found {}, expected {}", quote(&text), self.expected()));
        let problem = problem.at(&node.place);
        at.report.problem(match crate::spelling::nearest(&text, words) {
            Some(word) => problem.hint(format!("did you mean \"{word}\"?")),
            None => problem,
        });
        None
    }

    fn show(&self, value: &T) -> Json {
        self.0.iter().find(|(_, known)| known == value).map_or(Json::Null, |(word, _)| Json::from(*word))
    }
}
