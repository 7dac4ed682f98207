//! The files that a configuration is read from, and those that would be read if they existed; a change to any of them
//! matters.

use std::cell::RefCell;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::document::{Node, parse};
use crate::excerpt::excerpt;
use crate::place::Place;
use crate::problem::{Problem, ProblemCollector};

/// Largest file that is read (bytes), as in OpenClaw.
const MAX_BYTES: u64 = 2 * 1024 * 1024;

/// The files opened and the files looked for.
#[derive(Debug, Default)]
pub(crate) struct Sources<'a> {
    /// A file and a text that replaces its content.
    pub(crate) instead: Option<(&'a Path, &'a str)>,
    /// Files read, in order.
    pub(crate) opened: Vec<PathBuf>,
    /// Files requested, existing or not.
    pub(crate) looked_for: RefCell<Vec<PathBuf>>,
    /// The text of each, for showing the line of a problem.
    pub(crate) texts: Vec<(PathBuf, String)>,
}

impl Sources<'_> {
    /// Records that the configuration depends on `file`.
    pub(crate) fn look_for(&self, file: &Path) {
        let mut looked_for = self.looked_for.borrow_mut();
        if !looked_for.iter().any(|known| known == file) {
            looked_for.push(file.to_owned());
        }
    }

    /// Returns true if the file exists.
    pub(crate) fn has(&self, file: &Path) -> bool {
        self.look_for(file);
        self.text_instead(file).is_some() || file.exists()
    }

    /// Returns the values of `file`; `None` after reporting a problem at the position that `locate` returns.
    pub(crate) fn read(
        &mut self,
        file: &Path,
        report: &mut ProblemCollector,
        locate: impl FnOnce(Problem) -> Problem,
    ) -> Option<Node> {
        self.look_for(file);
        let text = self.text_instead(file).map_or_else(|| read_text(file), |text| Ok(text.to_owned()));
        let node = match text {
            Ok(text) => {
                let node = parse::parse(file, &text, report);
                self.texts.push((file.to_owned(), text));
                node?
            }
            Err(error) => {
                report.problem(locate(Problem::new("", format!("cannot read {}: {error}", file.display()))));
                return None;
            }
        };
        if !self.opened.iter().any(|known| known == file) {
            self.opened.push(file.to_owned());
        }
        Some(node)
    }

    /// Adds to each of `problems` the line of these files that it is about.
    pub(crate) fn add_excerpts(&self, problems: &mut [Problem]) {
        for problem in problems.iter_mut().filter(|problem| !problem.is_unconfigured) {
            let Some(Place::File { file, line, column }) = &problem.place else { continue };
            let text = self.texts.iter().find(|(known, _)| **known == **file);
            problem.excerpt = text.and_then(|(_, text)| excerpt(text, *line, *column, &problem.message));
        }
    }

    fn text_instead(&self, file: &Path) -> Option<&str> {
        let (instead, text) = self.instead?;
        let is_it = file == instead || file.canonicalize().is_ok_and(|real| real == instead);
        is_it.then_some(text)
    }
}

fn read_text(file: &Path) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    std::fs::File::open(file)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(std::io::Error::other(format!("it is larger than {MAX_BYTES} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| std::io::Error::other("it is not UTF-8 text"))
}
