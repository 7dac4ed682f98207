//! Reads a `.env` file as OpenClaw's loader does; [`Environment`] decides precedence.

use std::path::Path;
use std::sync::Arc;

use crate::environment::Environment;
use crate::place::Place;
use crate::problem::{Problem, ProblemCollector};

/// Adds variables of the file at `path` that `environment` lacks; does nothing without the file.
pub(crate) fn fill(environment: &mut Environment, path: &Path, report: &mut ProblemCollector) {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text.replace("\r\n", "\n").replace('\r', "\n"),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
        Err(error) => {
            let problem = Problem::new("", format!("cannot read the file: {error}")).at(&Place::start_of(path));
            return report.problem(problem);
        }
    };
    let file: Arc<Path> = Arc::from(path);
    let mut variables = Vec::new();
    let mut rest = DotenvLines { text: text.trim_start_matches('\u{feff}'), line: 1 };
    while let Some(line) = rest.next_line() {
        let place = Place::File { file: file.clone(), line: rest.line, column: 1 };
        match rest.assignment(line) {
            Some(assignment) => variables.push((assignment, place)),
            None if is_blank(line) => {}
            None => report.warning(Problem::new("", "expected NAME=value; the line is ignored").at(&place)),
        }
        rest.advance(line);
    }
    // Among duplicates the last one wins, but none replaces an existing variable.
    for ((name, value), place) in variables.into_iter().rev() {
        environment.fill(&name, value, place);
    }
}

struct DotenvLines<'a> {
    text: &'a str,
    line: usize,
}

impl<'a> DotenvLines<'a> {
    fn next_line(&self) -> Option<&'a str> {
        (!self.text.is_empty()).then(|| self.text.split('\n').next().unwrap_or_default())
    }

    /// Advances past `line`, or past the quoted value that starts on it.
    fn advance(&mut self, line: &str) {
        let length = match self.quoted(line) {
            Some((_, end)) => end + self.text[end..].find('\n').unwrap_or(self.text.len() - end),
            None => line.len(),
        };
        self.line += self.text[..length].matches('\n').count() + 1;
        self.text = self.text.get(length + 1..).unwrap_or_default();
    }

    /// Returns name and value of the assignment that starts with `line`.
    fn assignment(&self, line: &str) -> Option<(String, String)> {
        let (name, start) = name(line)?;
        if let Some((value, _)) = self.quoted(line) {
            return Some((name.to_owned(), value));
        }
        let value = line[start..].split('#').next().unwrap_or_default().trim();
        Some((name.to_owned(), value.to_owned()))
    }

    /// Returns the quoted value that starts on `line`, possibly several lines long, and its end in the text.
    fn quoted(&self, line: &str) -> Option<(String, usize)> {
        let (_, start) = name(line)?;
        let open = start + line[start..].find(|c: char| !c.is_whitespace())?;
        let quote = line[open..].chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
        let body = &self.text[open + 1..];
        let end = body.char_indices().find(|&(at, c)| c == quote && !body[..at].ends_with('\\'))?.0;
        let after = body[end + 1..].split('\n').next().unwrap_or_default();
        let value = &body[..end];
        let value = if quote == '"' { value.replace("\\n", "\n").replace("\\r", "\r") } else { value.to_owned() };
        is_blank(after).then_some((value, open + 1 + end + 1))
    }
}

fn is_blank(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}

/// Returns the name assigned on `line` (after an optional `export `, before `=` or `: `) and the start of its value.
fn name(line: &str) -> Option<(&str, usize)> {
    let bare = line.trim_start();
    let bare = bare.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t'])).unwrap_or(bare).trim_start();
    let length = bare.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')))?;
    let (name, rest) = bare.split_at(length);
    let is_assigned = rest.trim_start().starts_with('=') || rest.starts_with(": ");
    let sign = rest.find(['=', ':'])?;
    (is_assigned && !name.is_empty()).then_some((name, line.len() - rest.len() + sign + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Environment {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        std::fs::write(&path, text).unwrap();
        let mut environment = Environment::new([("TAKEN".to_owned(), "process".to_owned())], "/home/operator");
        fill(&mut environment, &path, &mut ProblemCollector::default());
        environment
    }

    #[test]
    fn values_are_trimmed_unquoted_and_cut_at_a_comment() {
        let environment = read(
            "# a comment\nPLAIN = two words # why\nexport EXPORTED=1\nCOLON: yes\n\nSINGLE='a#b\\n' # x\nDOUBLE=\"a\\nb\"\n\
             HASH=abc#def\nEMPTY=\n",
        );
        let expected = [
            ("PLAIN", Some("two words")),
            ("EXPORTED", Some("1")),
            ("COLON", Some("yes")),
            ("SINGLE", Some("a#b\\n")),
            ("DOUBLE", Some("a\nb")),
            ("HASH", Some("abc")),
            ("EMPTY", None),
        ];
        for (name, value) in expected {
            assert_eq!(environment.get(name), value, "{name}");
        }
    }

    #[test]
    fn a_quoted_value_may_span_lines() {
        let environment = read("KEY=\"first\nsecond\"\nNEXT=1\r\nLAST=\"open\n");
        assert_eq!(environment.get("KEY"), Some("first\nsecond"));
        assert_eq!(environment.get("NEXT"), Some("1"));
        assert_eq!(environment.get("LAST"), Some("\"open"));
        assert_eq!(environment.place("NEXT").to_string().rsplit(".env:").next(), Some("3:1)"));
    }

    #[test]
    fn the_process_wins_over_the_file_and_a_later_line_over_an_earlier() {
        let environment = read("TAKEN=file\nTWICE=1\nTWICE=2\n");
        assert_eq!(environment.get("TAKEN"), Some("process"));
        assert_eq!(environment.get("TWICE"), Some("2"));
    }

    #[test]
    fn a_line_that_assigns_nothing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        std::fs::write(&path, "A=1\nwhat is this\n").unwrap();
        let mut report = ProblemCollector::default();
        fill(&mut Environment::new([], "/"), &path, &mut report);
        let warnings = report.finish().unwrap();
        assert!(warnings[0].to_string().ends_with(".env:2:1: expected NAME=value; the line is ignored"));
    }
}
