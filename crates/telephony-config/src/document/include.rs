//! Opens files and resolves `$include` in the sections that we read, within OpenClaw's limits.

use std::path::{Component, Path, PathBuf};

use crate::document::{Member, Node, Value, quote};
use crate::environment::Environment;
use crate::place::Place;
use crate::problem::{Problem, ProblemCollector};
use crate::sources::Sources;

/// Sections that we read; everything else is OpenClaw's.
const READ: [&[&str]; 4] = [&["channels", "telephony"], &["gateway"], &["env"], &["secrets"]];
/// Deepest nesting of includes, as in OpenClaw.
const MAX_DEPTH: usize = 10;

/// Reads `file` with its includes; `None` after reporting a problem.
pub(crate) fn open(
    file: &Path,
    environment: &Environment,
    sources: &mut Sources<'_>,
    report: &mut ProblemCollector,
) -> Option<Node> {
    let roots = allowed_roots(file, environment);
    let node = sources.read(file, report, |problem| problem.at(&Place::start_of(file)))?;
    let mut includes = Includes { roots, chain: vec![normalize(file)], sources, report };
    Some(includes.expand(node, &mut Vec::new()))
}

struct Includes<'a, 's> {
    roots: Vec<PathBuf>,
    /// Files being included, the outermost first.
    chain: Vec<PathBuf>,
    sources: &'a mut Sources<'s>,
    report: &'a mut ProblemCollector,
}

impl Includes<'_, '_> {
    /// Resolves the includes of `node`, which is at `path` in the whole file.
    fn expand(&mut self, node: Node, path: &mut Vec<String>) -> Node {
        if !is_read(path) {
            return node;
        }
        let place = node.place;
        let value = match node.value {
            Value::List(nodes) => Value::List(nodes.into_iter().map(|node| self.expand(node, path)).collect()),
            Value::Object(members) => return self.expand_object(place, members, path),
            value => value,
        };
        Node { place, value }
    }

    fn expand_object(&mut self, place: Place, members: Vec<Member>, path: &mut Vec<String>) -> Node {
        self.refuse_duplicates(&members, path);
        let (includes, siblings): (Vec<_>, Vec<_>) = members.into_iter().partition(|member| member.name == "$include");
        let siblings: Vec<_> = siblings.into_iter().map(|member| self.expand_member(member, path)).collect();
        let has_siblings = !siblings.is_empty();
        let rest = Node { place, value: Value::Object(siblings) };
        match includes.last().map(|include| (self.include(&include.node, path), &include.node)) {
            None | Some((None, _)) => rest,
            Some((Some(included), _)) if !has_siblings => included,
            Some((Some(included), _)) if included.members().is_some() => included.merge(rest),
            Some((Some(_), include)) => {
                self.problem(
                    include,
                    path,
                    "the included file is not an object, but there are keys beside the \
                    $include",
                );
                rest
            }
        }
    }

    fn expand_member(&mut self, member: Member, path: &mut Vec<String>) -> Member {
        path.push(member.name.clone());
        let node = self.expand(member.node, path);
        path.pop();
        Member { node, ..member }
    }

    /// Returns the content of an `$include`: one file unchanged, or several merged in order.
    fn include(&mut self, include: &Node, path: &mut Vec<String>) -> Option<Node> {
        match &include.value {
            Value::Text(file) => self.include_file(include, file, path),
            Value::List(files) => {
                let nodes: Vec<_> = files.iter().filter_map(|file| self.include_entry(file, path)).collect();
                nodes.into_iter().reduce(Node::merge)
            }
            _ => {
                let message = format!("found {}, expected a file name or a list of file names", include.describe());
                self.problem(include, path, message);
                None
            }
        }
    }

    fn include_entry(&mut self, entry: &Node, path: &mut Vec<String>) -> Option<Node> {
        let Value::Text(file) = &entry.value else {
            self.problem(entry, path, format!("found {}, expected a file name", entry.describe()));
            return None;
        };
        self.include_file(entry, file, path)
    }

    fn include_file(&mut self, include: &Node, name: &str, path: &mut Vec<String>) -> Option<Node> {
        let file = match self.resolve(name) {
            Ok(file) => file,
            Err(message) => {
                self.problem(include, path, message);
                return None;
            }
        };
        let at = dotted(path.iter());
        let node =
            self.sources.read(&file, self.report, |problem| Problem { path: at, ..problem.at(&include.place) })?;
        self.chain.push(file);
        let node = self.expand(node, path);
        self.chain.pop();
        Some(node)
    }

    /// Resolves `name` relative to the current file, if it may be included.
    fn resolve(&mut self, name: &str) -> Result<PathBuf, String> {
        let folder = self.chain.last().and_then(|file| file.parent()).unwrap_or(Path::new("."));
        let file = normalize(&folder.join(name));
        self.sources.look_for(&file);
        if self.chain.contains(&file) {
            return Err(format!("{} includes itself", file.display()));
        }
        if self.chain.len() > MAX_DEPTH {
            return Err(format!("includes nest deeper than {MAX_DEPTH} levels"));
        }
        let real = file.canonicalize().unwrap_or_else(|_| file.clone());
        let is_inside = |file: &Path| self.roots.iter().any(|root| file.starts_with(root));
        if is_inside(&file) && is_inside(&real) {
            return Ok(file);
        }
        Err(format!(
            "{} is outside the configuration folder; OPENCLAW_INCLUDE_ROOTS can allow other folders",
            quote(name)
        ))
    }

    /// Reports duplicate keys in our sections; elsewhere the last one wins, as in OpenClaw.
    fn refuse_duplicates(&mut self, members: &[Member], path: &[String]) {
        if path.first().is_some_and(|first| first != "channels") {
            return;
        }
        for (index, member) in members.iter().enumerate() {
            let is_ours = path.len() >= 2 || (READ[0].get(path.len()) == Some(&member.name.as_str()));
            let first = members[..index].iter().find(|earlier| earlier.name == member.name);
            if let Some(first) = first.filter(|_| is_ours) {
                let key = dotted(path.iter().chain([&member.name]));
                let message = format!("duplicate key, first at {}", first.place);
                self.report.problem(Problem::new(key, message).at(&member.place));
            }
        }
    }

    fn problem(&mut self, node: &Node, path: &[String], message: impl Into<String>) {
        self.report.problem(Problem::new(dotted(path), format!("$include: {}", message.into())).at(&node.place));
    }
}

/// Returns true if something at or below `path` is read.
fn is_read(path: &[String]) -> bool {
    READ.iter().any(|read| read.iter().zip(path).all(|(name, step)| name == step))
}

fn dotted<'a>(path: impl IntoIterator<Item = &'a String>) -> String {
    path.into_iter().map(String::as_str).collect::<Vec<_>>().join(".")
}

/// Returns the folders that includes may come from, as written and resolved.
fn allowed_roots(file: &Path, environment: &Environment) -> Vec<PathBuf> {
    let file = normalize(file);
    let own = file.parent().map(Path::to_owned);
    let named = environment.get("OPENCLAW_INCLUDE_ROOTS").unwrap_or_default();
    let named = std::env::split_paths(named).filter_map(|root| Some(environment.expand(root.to_str()?.trim())));
    let roots: Vec<_> = own.into_iter().chain(named.filter(|root| root.is_absolute())).collect();
    let real = roots.iter().filter_map(|root| root.canonicalize().ok());
    real.chain(roots.iter().map(|root| normalize(root))).collect()
}

/// Makes a path absolute without `.` and `..`, textually.
fn normalize(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.components().fold(PathBuf::new(), |mut normal, component| {
        match component {
            Component::ParentDir => drop(normal.pop()),
            Component::CurDir => {}
            other => normal.push(other),
        }
        normal
    })
}
