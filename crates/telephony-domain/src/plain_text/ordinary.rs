//! Ordinary text that a Markdown parser takes for marks: calculations, file names, emoticons, shell prompts.

use std::ops::Range;

/// Characters to search for a word, so that a text of nothing but marks is not slow.
const LOOK: usize = 100;

/// Ranges of web addresses in a text, from their `://` on: apparent emphasis in one belongs to the address.
pub(super) struct Addresses(Vec<Range<usize>>);

impl Addresses {
    pub(super) fn of(text: &str) -> Self {
        let mut found: Vec<Range<usize>> = Vec::new();
        for (start, _) in text.match_indices("://") {
            if found.last().is_none_or(|last| last.end <= start) {
                let ends = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | ')' | ']' | '"' | '`' | '|');
                let end = text[start..].find(ends).map_or(text.len(), |length| start + length);
                found.push(start..end);
            }
        }
        Self(found)
    }

    pub(super) fn contain(&self, at: usize) -> bool {
        let after = self.0.partition_point(|address| address.start <= at);
        self.0[..after].last().is_some_and(|address| at < address.end)
    }
}

/// Returns true for real emphasis: it starts where a word may start, does not end before a digit, and contains a word;
/// `range` includes all marks. Rejects `2*3*4`, `^_^ and ^_^`, `*_*`, `__init__`.
pub(super) fn is_emphasis(text: &str, range: &Range<usize>) -> bool {
    let follows_emphasis = text[..range.start].ends_with("*/");
    let starts_word = follows_emphasis
        || before(text, range.start).is_none_or(|c| {
            c.is_whitespace() || (!c.is_ascii() && c.is_alphanumeric()) || "([{\"'“‘«—–:,;|*_~".contains(c)
        });
    let mut after = text[range.end..].chars();
    let ends_word = match after.next() {
        Some('(') => !text[range.clone()].starts_with('_'),
        Some('.') => !(text[range.clone()].starts_with('_') && after.next().is_some_and(char::is_alphanumeric)),
        Some(c) => !c.is_ascii_digit(),
        None => true,
    };
    let marked = &text[range.clone()];
    starts_word && ends_word && !is_name_in_code(marked) && marked.chars().take(LOOK).any(char::is_alphanumeric)
}

/// Names with two underscores around them that programs use and people do not.
const NAMES_IN_CODE: [&str; 38] = [
    "all",
    "annotations",
    "bases",
    "bool",
    "builtins",
    "call",
    "class",
    "contains",
    "debug",
    "del",
    "delitem",
    "dict",
    "dirname",
    "doc",
    "enter",
    "eq",
    "exit",
    "file",
    "filename",
    "future",
    "getattr",
    "getitem",
    "hash",
    "init",
    "iter",
    "len",
    "main",
    "module",
    "new",
    "next",
    "pycache",
    "proto",
    "repr",
    "setattr",
    "setitem",
    "slots",
    "str",
    "typename",
];

fn is_name_in_code(marked: &str) -> bool {
    let name = marked.strip_prefix("__").and_then(|rest| rest.strip_suffix("__"));
    name.is_some_and(|name| NAMES_IN_CODE.contains(&name) || name.contains('_'))
}

/// Returns true for a backslash that escapes a mark. Rejects the one in `C:\dir\_old`, `¯\_(ツ)_/¯`, `/\_/\`.
pub(super) fn is_escape(text: &str, backslash: usize) -> bool {
    let hides_mark = text[backslash + 1..].starts_with(['*', '_', '`', '[', ']', '#', '~']);
    let stands_free = before(text, backslash)
        .is_none_or(|c| c.is_whitespace() || c.is_ascii_alphanumeric() || "(\"'*_`[]#~".contains(c));
    hides_mark && stands_free && !is_path(word_before(text, backslash))
}

fn is_path(word: &str) -> bool {
    word.split('\\').skip(1).any(|name| name.starts_with(char::is_alphanumeric))
}

fn word_before(text: &str, end: usize) -> &str {
    let word = text[..end].char_indices().rev().take(LOOK).take_while(|(_, c)| !c.is_whitespace());
    &text[word.last().map_or(end, |(start, _)| start)..end]
}

/// Returns true for a link with a target that is not an index and a call: `handlers[i](event)`.
pub(super) fn is_link(text: &str, start: usize, address: &str) -> bool {
    !follows_word(text, start) && address.contains(['.', '/', ':', '#'])
}

/// Returns true for a quote with words after its `> `. Rejects `> 5`, `>:(`, `>= 2`, `>>> print(1)`.
pub(super) fn is_quote(quote: &str) -> bool {
    let words = quote.trim_start_matches(|c: char| c == '>' || c.is_whitespace());
    let is_parted = quote.starts_with("> ") || quote.starts_with(">\n") || quote.starts_with(">\r");
    is_parted && words.starts_with(|c: char| c.is_alphabetic() || "\"'“‘«([*_`#|-".contains(c))
}

/// Returns true for code that does not begin within a word, as with apostrophes in ``don`t``, or end right before a
/// digit, as in a password.
pub(super) fn is_code(text: &str, range: &Range<usize>) -> bool {
    let is_within = before(text, range.start).is_some_and(|c| c.is_ascii_alphanumeric() || "$%&!?#^".contains(c));
    !is_within && !text[range.end..].starts_with(|c: char| c.is_ascii_digit())
}

/// Returns true right after a letter or digit.
pub(super) fn follows_word(text: &str, at: usize) -> bool {
    before(text, at).is_some_and(|c| c.is_ascii_alphanumeric())
}

fn before(text: &str, at: usize) -> Option<char> {
    text[..at].chars().next_back()
}
