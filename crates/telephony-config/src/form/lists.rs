//! Several values of one form: as a list, or by name.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::{At, Form};
use crate::document::{Node, Value};

/// A list of values.
pub(crate) struct ListForm<F>(pub(crate) F);

impl<F: Form> Form for ListForm<F> {
    type Value = Vec<F::Value>;

    fn expected(&self) -> String {
        format!("a list, each entry {}", self.0.expected())
    }

    fn schema(&self) -> Json {
        json!({"type": "array", "items": self.0.schema()})
    }

    fn read(&self, node: &Node, at: &mut At<'_>) -> Option<Vec<F::Value>> {
        let Value::List(nodes) = &node.value else {
            return at.wrong(node, format!("found {}, expected {}", node.kind(), self.expected()));
        };
        let read = |(index, node)| at.step(&format!("[{index}]"), &self.0, node);
        let values: Vec<_> = nodes.iter().enumerate().map(read).collect();
        values.into_iter().collect()
    }

    fn show(&self, value: &Vec<F::Value>) -> Json {
        value.iter().map(|value| self.0.show(value)).collect()
    }
}

/// Values by names that the operator chooses.
pub(crate) struct Named<F> {
    /// Name of the keys, for problems.
    pub(crate) name: &'static str,
    pub(crate) form: F,
}

impl<F: Form> Form for Named<F> {
    type Value = BTreeMap<String, F::Value>;

    fn expected(&self) -> String {
        format!("an object: {} to {}", self.name, self.form.expected())
    }

    fn schema(&self) -> Json {
        json!({"type": "object", "additionalProperties": self.form.schema()})
    }

    fn read(&self, node: &Node, at: &mut At<'_>) -> Option<BTreeMap<String, F::Value>> {
        let Some(members) = node.members() else {
            return at.wrong(node, format!("found {}, expected {}", node.kind(), self.expected()));
        };
        let values: Vec<_> = members
            .iter()
            .map(|member| Some((member.name.clone(), at.step(&format!(".{}", member.name), &self.form, &member.node)?)))
            .collect();
        values.into_iter().collect()
    }

    fn show(&self, value: &BTreeMap<String, F::Value>) -> Json {
        value
            .iter()
            .map(|(name, value)| (name.clone(), self.form.show(value)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
}
