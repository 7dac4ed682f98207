//! Reads an object key by key. Asking for a key declares it, so its name, form, default and meaning are in one place
//! for reading, the schema, `config show` and the reference page.

use std::borrow::Cow;

use serde_json::Value as Json;

use crate::document::{Member, Node, Value};
use crate::entry::{Declared, Default, SchemaEntry, ValueOrigin};
use crate::environment::Environment;
use crate::form::{At, Form};
use crate::place::Place;
use crate::problem::{Problem, ProblemCollector};
use crate::secret::Secrets;
use crate::spelling::nearest;

/// Path of our block in the file.
pub(crate) const BLOCK: &str = "channels.telephony";

/// The context and results of reading the whole block.
pub(crate) struct BlockReader<'a> {
    pub(crate) environment: &'a Environment,
    pub(crate) secrets: &'a Secrets<'a>,
    pub(crate) report: ProblemCollector,
    pub(crate) entries: Vec<SchemaEntry>,
    unknown: Vec<(String, Place)>,
}

impl<'a> BlockReader<'a> {
    pub(crate) fn new(environment: &'a Environment, secrets: &'a Secrets<'a>, report: ProblemCollector) -> Self {
        Self { environment, secrets, report, entries: Vec::new(), unknown: Vec::new() }
    }

    /// Reads the block with `read`; `None` only describes its keys.
    pub(crate) fn block<T>(&mut self, block: Option<&Node>, read: impl FnOnce(&mut ObjectKeys<'_, 'a>) -> T) -> T {
        let value = ObjectKeys::read(self, "", block, None, read);
        for (path, place) in std::mem::take(&mut self.unknown) {
            let problem = Problem::new(full_path(&path), "unknown key").at(&place);
            let hint = self.meant(&path).map(|meant| format!("did you mean `{meant}`?"));
            self.report.problem(Problem { hint, ..problem });
        }
        value
    }

    /// Returns the context for reading the value at `path`.
    fn at(&mut self, path: &str) -> At<'_> {
        At { path: full_path(path), environment: self.environment, secrets: self.secrets, report: &mut self.report }
    }

    /// Suggests a key in place of `path`: one beside it, else one of the same name elsewhere.
    fn meant(&self, path: &str) -> Option<String> {
        let (section, name) = path.rsplit_once('.').unwrap_or(("", path));
        let beside = self.entries.iter().map(|entry| entry.path.as_str());
        let beside = beside.filter_map(|known| Some(known.strip_prefix(section)?.trim_start_matches('.')));
        let beside = beside.map(|rest| rest.split('.').next().unwrap_or_default());
        let elsewhere = || self.entries.iter().find(|entry| entry.name() == name).map(|entry| entry.path.clone());
        nearest(name, beside).map(str::to_owned).or_else(elsewhere)
    }
}

/// The keys of an object.
pub(crate) struct ObjectKeys<'r, 'a> {
    pub(crate) reading: &'r mut BlockReader<'a>,
    path: String,
    members: &'r [Member],
    place: Option<&'r Place>,
    asked: Vec<&'static str>,
}

impl<'r, 'a> ObjectKeys<'r, 'a> {
    fn read<T>(
        reading: &'r mut BlockReader<'a>,
        path: &str,
        node: Option<&'r Node>,
        outer: Option<&'r Place>,
        read: impl FnOnce(&mut ObjectKeys<'_, 'a>) -> T,
    ) -> T {
        let members = node.map(|node| (node, node.members()));
        if let Some((node, None)) = members {
            let message = format!("found {}, expected an object {{ … }}", node.kind());
            reading.report.problem(Problem::new(full_path(path), message).at(&node.place));
        }
        let mut keys = ObjectKeys {
            reading,
            path: path.to_owned(),
            members: members.and_then(|(_, members)| members).unwrap_or_default(),
            place: node.map(|node| &node.place).or(outer),
            asked: Vec::new(),
        };
        let value = read(&mut keys);
        keys.note_unknown();
        value
    }

    /// Declares a key of this object; a method of [`DeclaredKey`] reads it.
    pub(crate) fn key<F: Form>(
        &mut self,
        name: &'static str,
        doc: &'static str,
        form: F,
    ) -> DeclaredKey<'_, 'r, 'a, F> {
        DeclaredKey { keys: self, name, doc, form, stand_in: None, node: None, variable: None }
    }

    /// Reads a nested object.
    pub(crate) fn section<T>(
        &mut self,
        name: &'static str,
        doc: &'static str,
        read: impl FnOnce(&mut ObjectKeys<'_, 'a>) -> T,
    ) -> T {
        self.asked.push(name);
        let path = self.path_of(name);
        let node = self.member(name).map(|member| &member.node);
        self.reading.entries.push(SchemaEntry::section(path.clone(), doc));
        ObjectKeys::read(self.reading, &path, node, self.place, read)
    }

    /// Returns the position of the key `name` in this object, or of one below it, such as `voice.summary`.
    pub(crate) fn written(&self, name: &str) -> Option<&'r Place> {
        let mut steps = name.split('.');
        let first = self.member(steps.next()?)?;
        let last = steps.try_fold(first, |member, step| match &member.node.value {
            Value::Object(members) => members.iter().rev().find(|member| member.name == step),
            _ => None,
        });
        last.map(|member| &member.place)
    }

    /// Reports a problem with the key `name`, at its position or else the object's.
    pub(crate) fn problem(&mut self, name: &str, message: impl Into<String>, hint: impl Into<String>) {
        let place = self.written(name).or(self.place);
        let problem = Problem::new(full_path(&self.path_of(name)), message).near(place).hint(hint);
        self.reading.report.problem(problem);
    }

    /// Reports a warning about the key `name`.
    pub(crate) fn warning(&mut self, name: &str, message: impl Into<String>) {
        let warning = Problem::new(full_path(&self.path_of(name)), message).near(self.written(name).or(self.place));
        self.reading.report.warning(warning);
    }

    fn member(&self, name: &str) -> Option<&'r Member> {
        self.members.iter().rev().find(|member| member.name == name)
    }

    /// Returns the value and source of the key `name`: from the file, else from `node` or `variable`.
    fn said<'n>(&self, name: &str, node: Option<&'n Node>, variable: Option<&str>) -> Option<(Cow<'n, Node>, Place)>
    where
        'r: 'n,
    {
        if let Some(member) = self.member(name) {
            return Some((Cow::Borrowed(&member.node), member.place.clone()));
        }
        if let Some(node) = node {
            return Some((Cow::Borrowed(node), node.place.clone()));
        }
        let environment = self.reading.environment;
        let node = Node::verbatim(environment.get(variable?)?, environment.place(variable?));
        let place = node.place.clone();
        Some((Cow::Owned(node), place))
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    fn note_unknown(&mut self) {
        let unknown = self.members.iter().filter(|member| !self.asked.contains(&member.name.as_str()));
        let unknown: Vec<_> = unknown.map(|member| (self.path_of(&member.name), member.place.clone())).collect();
        self.reading.unknown.extend(unknown);
    }
}

/// A declared key, before it is read.
pub(crate) struct DeclaredKey<'k, 'r, 'a, F> {
    keys: &'k mut ObjectKeys<'r, 'a>,
    name: &'static str,
    doc: &'static str,
    form: F,
    stand_in: Option<&'static str>,
    node: Option<&'k Node>,
    variable: Option<&'static str>,
}

impl<'k, F: Form> DeclaredKey<'k, '_, '_, F> {
    /// Uses another key of the file, `path`, if this one is missing.
    pub(crate) fn or_key(mut self, path: &'static str, node: Option<&'k Node>) -> Self {
        self.node = node;
        self.stand_in = Some(path);
        self
    }

    /// Uses a variable if the file does not have the key.
    pub(crate) fn or_variable(mut self, name: &'static str) -> Self {
        self.variable = Some(name);
        self
    }

    /// Returns the value, else `default`.
    pub(crate) fn or(self, default: F::Value) -> F::Value {
        let shown = self.form.show(&default);
        self.finish(Default::Value(shown.clone()), Some(shown)).unwrap_or(default)
    }

    /// Returns the value, else `default`, which depends on `rule`.
    pub(crate) fn or_by_rule(self, rule: &'static str, default: F::Value) -> F::Value {
        let shown = self.form.show(&default);
        self.finish(Default::Rule(rule), Some(shown)).unwrap_or(default)
    }

    /// Returns the value, if there is one.
    pub(crate) fn optional(self) -> Option<F::Value> {
        self.finish(Default::None, None)
    }

    /// Returns the value, else `default`, if there is one; `rule` describes the case without a value.
    pub(crate) fn optional_by_rule(self, rule: &'static str, default: Option<F::Value>) -> Option<F::Value> {
        let shown = default.as_ref().map(|default| self.form.show(default));
        self.finish(Default::Rule(rule), shown).or(default)
    }

    /// Reads the value and records the key with its value or default.
    fn finish(self, default: Default, default_shown: Option<Json>) -> Option<F::Value> {
        let DeclaredKey { keys, name, doc, form, stand_in, node, variable } = self;
        keys.asked.push(name);
        let path = keys.path_of(name);
        let said = keys.said(name, node, variable);
        let value = said.as_ref().and_then(|(node, _)| form.read(node, &mut keys.reading.at(&path)));
        let (shown, origin) = match said {
            Some((_, place)) => (value.as_ref().map(|value| form.show(value)), ValueOrigin::Said(place)),
            None if default_shown.is_some() => (default_shown, ValueOrigin::Default),
            None => (None, ValueOrigin::Unset),
        };
        let declared = Declared { expected: form.expected(), schema: form.schema(), stand_in, variable, default };
        keys.reading.entries.push(SchemaEntry { path, doc, declared: Some(declared), value: shown, origin });
        value
    }
}

/// Returns the full path of a path in our block.
pub(crate) fn full_path(path: &str) -> String {
    if path.is_empty() { BLOCK.to_owned() } else { format!("{BLOCK}.{path}") }
}
