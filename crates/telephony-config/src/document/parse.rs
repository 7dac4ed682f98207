//! Parses JSON5 into a tree; rejects anything that JSON5 itself rejects, with its position.

use std::path::Path;
use std::sync::Arc;

use jsonc_parser::ast;
use jsonc_parser::common::{Range, Ranged};
use jsonc_parser::errors::ParseErrorKind;
use jsonc_parser::tokens::Token;
use jsonc_parser::{CollectOptions, ParseOptions, Scanner, ScannerOptions, parse_to_ast};

use crate::document::{Member, Node, Value};
use crate::place::Place;
use crate::problem::{Problem, ProblemCollector};

/// Parses the text of `file`; `None` after reporting a problem.
pub(crate) fn parse(file: &Path, text: &str, report: &mut ProblemCollector) -> Option<Node> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = LineStarts::new(file, text);
    let options = ParseOptions { allow_missing_commas: false, ..ParseOptions::default() };
    let parsed = match parse_to_ast(text, &CollectOptions::default(), &options) {
        Ok(parsed) => parsed.value,
        Err(error) => {
            let problem = Problem::new("", format!("invalid JSON5: {}", lower_first(&error.kind().to_string())));
            let opening = match error.kind() {
                ParseErrorKind::UnterminatedObject | ParseErrorKind::UnterminatedArray => unclosed(text),
                _ => None,
            };
            report.problem(match opening {
                Some(at) => problem.at(&lines.place(Range::new(at, at + 1))).hint("close this bracket"),
                None => problem.at(&lines.place(error.range())),
            });
            return None;
        }
    };
    let Some(value) = parsed else {
        let problem = Problem::new("", "the file is empty, expected an object `{ … }`");
        report.problem(problem.at(&Place::start_of(file)));
        return None;
    };
    Some(Tree { lines, report }.node(&value))
}

/// Returns the opening bracket that was probably not closed: the first whose closing one is indented less, else the
/// innermost one that is open at the end.
fn unclosed(text: &str) -> Option<usize> {
    let indent = |at: usize| {
        let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
        text[line..].find(|c| c != ' ' && c != '\t')
    };
    let mut scanner = Scanner::new(text, &ScannerOptions::default());
    let mut open = Vec::new();
    while let Ok(Some(token)) = scanner.scan() {
        let at = scanner.token_start();
        match token {
            Token::OpenBrace | Token::OpenBracket => open.push(at),
            Token::CloseBrace | Token::CloseBracket => {
                let opening = open.pop()?;
                if indent(at) < indent(opening) {
                    return Some(opening);
                }
            }
            _ => {}
        }
    }
    open.pop()
}

/// Positions in a text.
struct LineStarts<'a> {
    file: Arc<Path>,
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> LineStarts<'a> {
    fn new(file: &Path, text: &'a str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { file: Arc::from(file), text, starts }
    }

    fn place(&self, range: Range) -> Place {
        let line = self.starts.partition_point(|start| *start <= range.start);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let column = self.text.get(start..range.start).map_or(0, |before| before.chars().count()) + 1;
        Place::File { file: self.file.clone(), line, column }
    }

    fn written(&self, range: Range) -> &'a str {
        self.text.get(range.start..range.end).unwrap_or_default()
    }
}

struct Tree<'a, 'r> {
    lines: LineStarts<'a>,
    report: &'r mut ProblemCollector,
}

impl Tree<'_, '_> {
    fn node(&mut self, value: &ast::Value<'_>) -> Node {
        let place = self.lines.place(value.range());
        let value = match value {
            ast::Value::NullKeyword(_) => Value::Null,
            ast::Value::BooleanLit(literal) => Value::Switch(literal.value),
            ast::Value::NumberLit(literal) => Value::Number(number(literal.value)),
            ast::Value::StringLit(literal) => Value::Text(self.text(literal)),
            ast::Value::Array(array) => Value::List(array.elements.iter().map(|element| self.node(element)).collect()),
            ast::Value::Object(object) => {
                Value::Object(object.properties.iter().map(|property| self.member(property)).collect())
            }
        };
        Node { place, value }
    }

    fn member(&mut self, property: &ast::ObjectProp<'_>) -> Member {
        let place = self.lines.place(property.name.range());
        let name = match &property.name {
            ast::ObjectPropName::String(literal) => self.text(literal),
            ast::ObjectPropName::Word(word) => {
                if !is_identifier(word.value) {
                    let problem = Problem::new("", format!("invalid JSON5: the key `{}` needs quotes", word.value));
                    self.report.problem(problem.at(&place));
                }
                word.value.to_owned()
            }
        };
        Member { name, place, node: self.node(&property.value) }
    }

    /// Returns the text of a literal; reports a bare line break in it, which the parser accepts and JSON5 does not.
    fn text(&mut self, literal: &ast::StringLit<'_>) -> String {
        let mut is_escaped = false;
        let mut characters = self.lines.written(literal.range).chars().peekable();
        while let Some(c) = characters.next() {
            if matches!(c, '\n' | '\r') && !is_escaped {
                let problem = Problem::new("", "invalid JSON5: a string must end on its line")
                    .hint("put a backslash before the line break, or write \\n");
                self.report.problem(problem.at(&self.lines.place(literal.range)));
                break;
            }
            // A backslash before CR LF escapes both.
            let is_half_break = c == '\r' && characters.peek() == Some(&'\n');
            is_escaped = if is_escaped { is_half_break } else { c == '\\' };
        }
        literal.value.clone().into_owned()
    }
}

/// Parses a JSON5 number: hexadecimal, signed, without a leading or trailing digit, or not finite.
fn number(written: &str) -> f64 {
    let (sign, digits) = match written.strip_prefix('-') {
        Some(digits) => (-1.0, digits),
        None => (1.0, written.strip_prefix('+').unwrap_or(written)),
    };
    let hexadecimal = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    let size = match hexadecimal {
        Some(digits) => {
            digits.chars().filter_map(|digit| digit.to_digit(16)).fold(0.0, |sum, digit| sum * 16.0 + f64::from(digit))
        }
        None => digits.parse().unwrap_or(f64::NAN),
    };
    sign * size
}

/// Returns true if JSON5 accepts `word` as an unquoted key: an ECMAScript 5 identifier.
fn is_identifier(word: &str) -> bool {
    let starts_well = word.chars().next().is_some_and(|c| c.is_alphabetic() || matches!(c, '_' | '$'));
    starts_well && word.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '$'))
}

fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or(String::new(), |first| first.to_lowercase().chain(characters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Node, String> {
        let mut report = ProblemCollector::default();
        let node = parse(Path::new("f"), text, &mut report);
        node.filter(|_| report.is_clean()).ok_or_else(|| report.fail().to_string())
    }

    fn value(text: &str) -> Value {
        read(text).unwrap().value
    }

    #[test]
    fn numbers_follow_json5() {
        for (text, number) in
            [("0xCAfe", 51966.0), ("+3", 3.0), ("-0x10", -16.0), (".5", 0.5), ("5.", 5.0), ("1e3", 1000.0)]
        {
            assert!(matches!(value(text), Value::Number(read) if read == number), "{text}");
        }
        assert!(matches!(value("-Infinity"), Value::Number(read) if read == f64::NEG_INFINITY));
        assert!(matches!(value("NaN"), Value::Number(read) if read.is_nan()));
    }

    #[test]
    fn strings_follow_json5() {
        for (text, expected) in [
            (r"'it\'s \x41\v'", "it's A\u{b}"),
            ("'a\\\nb'", "ab"),
            ("'a\\\r\nb'", "ab"),
            (r#""\q\u00e9\ud83d\ude00""#, "qé😀"),
        ] {
            assert!(matches!(value(text), Value::Text(read) if read == expected), "{text}");
        }
    }

    #[test]
    fn comments_commas_bare_keys_and_a_byte_order_mark_are_fine() {
        let node = read("\u{feff}// c\n{ $a_1: [1, 2,], 'b-c': null, /* c */ true: 1, é: 2, }").unwrap();
        assert_eq!(
            node.members().unwrap().iter().map(|m| m.name.as_str()).collect::<Vec<_>>(),
            ["$a_1", "b-c", "true", "é"]
        );
    }

    #[test]
    fn json5_errors_have_a_position() {
        for (text, place) in [
            ("{a: 1 b: 2}", "f:1:6"),
            ("{\n  a-b: 1}", "f:2:3"),
            ("{1: 1}", "f:1:2"),
            ("{a: 'x\ny'}", "f:1:5"),
            ("{a: '\\\r\r\n'}", "f:1:5"),
            ("{a: 010}", "f:1:6"),
            ("{a: '\\1'}", "f:1:6"),
            ("{a: é}", "f:1:5"),
            ("[1,,2]", "f:1:4"),
            ("{a: 1}}", "f:1:7"),
            ("", "f:1:1"),
            ("{é: 'ü', a}", "f:1:10"),
        ] {
            let problem = read(text).unwrap_err();
            assert!(problem.starts_with(&format!("{place}: ")), "{text}: {problem}");
        }
    }
}
