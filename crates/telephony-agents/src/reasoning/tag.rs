//! The tags with which models mark reasoning, and their positions in a text.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

/// Names of thoughts, without the hyphens and underscores that some models write in them.
pub(super) const NAMES: [&str; 16] = [
    "think",
    "thinking",
    "thought",
    "thoughts",
    "reasoning",
    "reflection",
    "antthinking",
    "seed:think",
    "scratchpad",
    "thinkingprocess",
    "thoughtprocess",
    "chainofthought",
    "innermonologue",
    "internalmonologue",
    "innerthoughts",
    "internalthoughts",
];

/// Parts of names that are not in [`NAMES`] but may mark reasoning: `reasoning_content`, `inner_thinking`.
const ROOTS: [&str; 9] =
    ["think", "thought", "reason", "monologue", "rationale", "reflect", "analysis", "deliberat", "scratchpad"];

/// Longest tag with its attributes (bytes).
const LONGEST: usize = 200;

const BRACKETS: [(&str, &str); 4] = [("<|", "|>"), ("<", ">"), ("[", "]"), ("◁", "▷")];

/// The name of a tag with its brackets, the same for opening and closing. It is small, because a model may write
/// nothing but tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    /// Indices of the brackets and the word in the tables.
    Of(u8, u8),
    /// Index of the brackets, and a hash of a word that only resembles those in the table.
    Like(u8, u64),
    Gemma,
}

impl Name {
    fn of(bracket: usize, word: &str) -> Option<Self> {
        let bracket = u8::try_from(bracket).ok()?;
        let bare = word.replace(['-', '_'], "");
        if let Some(known) = NAMES.iter().position(|name| *name == bare) {
            return Some(Self::Of(bracket, u8::try_from(known).ok()?));
        }
        let is_name = word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b':' | b'.'));
        let is_like = is_name && ROOTS.iter().any(|root| bare.contains(root));
        is_like.then(|| {
            let mut hasher = DefaultHasher::new();
            bare.hash(&mut hasher);
            Self::Like(bracket, hasher.finish())
        })
    }
}

/// A tag in a text that is not code.
pub(super) struct Tag {
    pub(super) name: Name,
    pub(super) kind: TagKind,
    pub(super) range: Range<usize>,
    /// True if people write the same, so that alone it proves nothing.
    pub(super) is_weak: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TagKind {
    Opening,
    Closing,
    /// It opens and closes: `<think/>`.
    Empty,
}

/// Returns all tags of `text`, in order, except those in code or quotes.
pub(super) fn all(text: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut fences = Fences::of(text);
    for (at, _) in text.match_indices(['<', '[', '◁']) {
        let tag =
            read(&text[at..]).map(|(name, kind, length, is_weak)| Tag { name, kind, range: at..at + length, is_weak });
        tags.extend(tag.filter(|tag| !is_quoted(text, &tag.range) && !fences.contain(at)));
    }
    tags
}

/// Reads the tag at the start of `text`: its name, kind and length, and whether people write the same.
fn read(text: &str) -> Option<(Name, TagKind, usize, bool)> {
    if let Some(read) = read_of_gemma(text) {
        return Some(read);
    }
    let bracket = BRACKETS.iter().position(|(opens, _)| text.starts_with(opens))?;
    let (opens, closes) = BRACKETS[bracket];
    let rest = &text[opens.len()..];
    let length = beginning(rest).find(closes)?;
    let inner = rest[..length].trim();
    let (inner, kind) = match (inner.strip_prefix('/'), inner.strip_suffix('/')) {
        (Some(inner), _) => (inner.trim_start(), TagKind::Closing),
        (None, Some(inner)) => (inner.trim_end(), TagKind::Empty),
        (None, None) => (inner, TagKind::Opening),
    };
    let (word, attributes) = inner.split_at(inner.find(char::is_whitespace).unwrap_or(inner.len()));
    if attributes.contains(['<', '>']) || (!attributes.is_empty() && opens != "<") {
        return None;
    }
    let is_weak = opens == "[" && word.chars().any(char::is_lowercase);
    let word = word.to_lowercase();
    let (word, kind) =
        if opens.starts_with('<') && kind == TagKind::Opening { unframed(&word, kind) } else { (word, kind) };
    Some((Name::of(bracket, &word)?, kind, opens.len() + length + closes.len(), is_weak))
}

/// Returns the part of `text` that a tag may occupy.
fn beginning(text: &str) -> &str {
    let end = (0..=LONGEST.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

/// Reads `start_thinking`, `begin_of_thought` and similar words.
fn unframed(word: &str, kind: TagKind) -> (String, TagKind) {
    let opening = ["start_of_", "start_", "begin_of_", "begin_"].iter().find_map(|prefix| word.strip_prefix(prefix));
    let closing = ["end_of_", "end_"].iter().find_map(|prefix| word.strip_prefix(prefix));
    match (opening, closing) {
        (Some(word), _) => (word.to_owned(), TagKind::Opening),
        (_, Some(word)) => (word.to_owned(), TagKind::Closing),
        _ => (word.to_owned(), kind),
    }
}

/// Reads `<|channel>thought` … `<channel|>`, and MedGemma's `<unused94>thought` … `<unused95>`.
fn read_of_gemma(text: &str) -> Option<(Name, TagKind, usize, bool)> {
    const OPENINGS: [&str; 2] = ["<|channel>", "<unused94>"];
    const CLOSINGS: [&str; 2] = ["<channel|>", "<unused95>"];
    if let Some(closing) = CLOSINGS.iter().find(|closing| text.starts_with(**closing)) {
        return Some((Name::Gemma, TagKind::Closing, closing.len(), false));
    }
    let (opening, rest) = OPENINGS.iter().find_map(|opening| Some((opening, text.strip_prefix(opening)?)))?;
    let word = rest.trim_start_matches(' ').split(|c: char| !c.is_alphanumeric()).next()?;
    let is_thought = NAMES.contains(&word.to_lowercase().as_str()) || word.eq_ignore_ascii_case("analysis");
    is_thought.then(|| {
        (
            Name::Gemma,
            TagKind::Opening,
            opening.len() + (rest.len() - rest.trim_start_matches(' ').len()) + word.len(),
            false,
        )
    })
}

fn is_quoted(text: &str, range: &Range<usize>) -> bool {
    let before = text[..range.start].chars().next_back();
    let after = text[range.end..].chars().next();
    match (before, after) {
        (Some('`'), _) | (_, Some('`')) => !text[..range.start].ends_with("```"),
        (Some('"' | '\'' | '“' | '‘'), Some('"' | '\'' | '”' | '’')) => true,
        _ => false,
    }
}

impl Tag {
    /// Returns true if only a few spaces precede it on its line.
    pub(super) fn begins_line(&self, text: &str) -> bool {
        let before = &text[..self.range.start];
        let spaces = before.bytes().rev().take(4).take_while(|byte| *byte == b' ').count();
        let before = &before[..before.len() - spaces];
        spaces <= 3 && (before.is_empty() || before.ends_with('\n'))
    }

    /// Returns true if it is alone on its line.
    pub(super) fn fills_line(&self, text: &str) -> bool {
        let behind = text[self.range.end..].split('\n').next().unwrap_or_default();
        !self.is_weak && self.begins_line(text) && behind.trim().is_empty()
    }

    /// Returns true if a closing tag without an opening one ends reasoning and is not a word of a sentence.
    pub(super) fn ends_thought(&self, text: &str) -> bool {
        let (before, behind) = (&text[..self.range.start], &text[self.range.end..]);
        let stands_free = before.is_empty() || before.ends_with(char::is_whitespace);
        let next = behind.trim_start_matches([' ', '\t']).chars().next();
        let goes_on = stands_free
            && !self.begins_line(text)
            && next.is_some_and(|next| next.is_lowercase() || ",.;:!?)".contains(next));
        !goes_on && !self.is_weak && self.is_known()
    }

    /// Returns true if it surely marks reasoning.
    pub(super) fn is_known(&self) -> bool {
        !matches!(self.name, Name::Like(..))
    }

    /// Returns true if a word follows it without a space.
    pub(super) fn touches_word(&self, text: &str) -> bool {
        !self.is_weak && text[self.range.end..].starts_with(char::is_alphanumeric)
    }
}

/// The fenced lines of code; must be queried in the order of the text.
struct Fences {
    code: Vec<Range<usize>>,
}

impl Fences {
    fn of(text: &str) -> Self {
        let (mut code, mut opened, mut at) = (Vec::new(), None, 0);
        for line in text.split_inclusive('\n') {
            if line.trim_start().starts_with("```") {
                match opened.take() {
                    Some(start) => code.push(start..at),
                    None => opened = Some(at),
                }
            }
            at += line.len();
        }
        code.extend(opened.map(|start| start..text.len()));
        code.reverse();
        Self { code }
    }

    fn contain(&mut self, at: usize) -> bool {
        while self.code.last().is_some_and(|code| code.end <= at) {
            self.code.pop();
        }
        self.code.last().is_some_and(|code| code.contains(&at))
    }
}
