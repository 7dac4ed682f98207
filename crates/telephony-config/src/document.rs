//! The values in a file as a tree with their positions; forms and sections interpret them.

pub(crate) mod include;
pub(crate) mod parse;

use crate::place::Place;

/// A value and its position.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) value: Value,
}

#[derive(Debug, Clone)]
pub(crate) enum Value {
    Null,
    Switch(bool),
    Number(f64),
    Text(String),
    List(Vec<Node>),
    Object(Vec<Member>),
}

/// One `name: value` of an object; a duplicate name is kept twice.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) node: Node,
}

impl Node {
    /// Creates a literal text from a source other than a file.
    pub(crate) fn verbatim(text: &str, place: Place) -> Node {
        Node { place, value: Value::Text(text.to_owned()) }
    }

    /// Returns true for a literal text: `$` and braces stand for themselves.
    pub(crate) fn is_verbatim(&self) -> bool {
        matches!(self.place, Place::Variable { .. })
    }

    /// Returns the members of an object.
    pub(crate) fn members(&self) -> Option<&[Member]> {
        match &self.value {
            Value::Object(members) => Some(members),
            _ => None,
        }
    }

    /// Returns the value if it is a text, as written.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the member `name` of an object, the last one if it is duplicated.
    pub(crate) fn get(&self, name: &str) -> Option<&Node> {
        self.members()?.iter().rev().find(|member| member.name == name).map(|member| &member.node)
    }

    /// Returns the value at `path`.
    pub(crate) fn find(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, name| node.get(name))
    }

    /// Describes the value in a problem: short, on one line.
    pub(crate) fn describe(&self) -> String {
        match &self.value {
            Value::Null => "null".to_owned(),
            Value::Switch(value) => value.to_string(),
            Value::Number(value) if value.is_infinite() => format!("{}Infinity", if *value < 0.0 { "-" } else { "" }),
            Value::Number(value) => value.to_string(),
            Value::Text(text) => quote(text),
            Value::List(nodes) if nodes.is_empty() => "an empty list".to_owned(),
            Value::List(_) => "a list".to_owned(),
            Value::Object(_) => "an object".to_owned(),
        }
    }

    /// Names the kind of value, for a problem that must not show it.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "null",
            Value::Switch(true) => "true",
            Value::Switch(false) => "false",
            Value::Number(_) => "a number",
            Value::Text(text) if text.is_empty() => "an empty text",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Object(_) => "an object",
        }
    }

    /// Merges as OpenClaw does: objects key by key, lists concatenated, otherwise `over` wins.
    pub(crate) fn merge(self, over: Node) -> Node {
        let value = match (self.value, over.value) {
            (Value::Object(under), Value::Object(over)) => Value::Object(merge_members(under, over)),
            (Value::List(mut under), Value::List(over)) => {
                under.extend(over);
                Value::List(under)
            }
            (_, value) => value,
        };
        Node { place: over.place, value }
    }
}

fn merge_members(under: Vec<Member>, over: Vec<Member>) -> Vec<Member> {
    over.into_iter().fold(under, |mut merged, member| {
        match merged.iter().rposition(|known| known.name == member.name) {
            Some(index) => {
                let known = merged.remove(index);
                merged.insert(index, Member { node: known.node.merge(member.node), ..member });
            }
            None => merged.push(member),
        }
        merged
    })
}

/// Longest invalid value shown in a problem (characters).
const SHOWN: usize = 60;

/// Quotes a text and shortens a long one.
pub(crate) fn quote(text: &str) -> String {
    let shown: String = text.chars().take(SHOWN).collect();
    let mark = if shown.len() < text.len() { "…" } else { "" };
    format!("{:?}{mark}", shown)
}
