//! Positions where a text may be cut, rated by how well it reads; `split` chooses among them.

use unicode_segmentation::UnicodeSegmentation;

use crate::sms::segment::Size;

/// The quality of a cut, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strength {
    /// Inside a word that is too long to stay whole.
    Word,
    Space,
    Sentence,
    Line,
    Paragraph,
}

/// A position in a text, with the size of everything before it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Position {
    /// Byte offset.
    pub at: usize,
    pub size: Size,
}

impl Position {
    fn past(self, piece: &str) -> Self {
        Self { at: self.at + piece.len(), size: self.size + Size::of(piece) }
    }
}

/// A gap where a text may be cut: the whitespace between `before` and `after` is dropped.
#[derive(Debug, Clone, Copy)]
pub(super) struct Break {
    pub before: Position,
    pub after: Position,
    pub strength: Strength,
}

/// Returns every gap of a text, from before its first word to after its last; none in a blank text. A word that does
/// not pass `fits` has gaps between its grapheme clusters, and inside clusters that do not fit either.
pub(super) fn breaks(text: &str, fits: impl Fn(Size) -> bool) -> Vec<Break> {
    let mut breaks = Vec::new();
    let mut word = Position::default();
    let mut here = Position::default();
    let mut blank_since = Some(here);
    for cluster in text.graphemes(true) {
        if is_blank(cluster) {
            if blank_since.is_none() {
                break_word(text, word, here, &fits, &mut breaks);
                blank_since = Some(here);
            }
        } else if let Some(before) = blank_since.take() {
            let strength = strength(&text[word.at..before.at], &text[before.at..here.at]);
            breaks.push(Break { before, after: here, strength });
            word = here;
        }
        here = here.past(cluster);
    }
    if blank_since.is_none() {
        break_word(text, word, here, &fits, &mut breaks);
    }
    if !breaks.is_empty() {
        breaks.push(Break { before: blank_since.unwrap_or(here), after: here, strength: Strength::Paragraph });
    }
    breaks
}

/// Adds the gaps inside one word: after a full stop of a script without spaces, and anywhere if necessary.
fn break_word(text: &str, from: Position, to: Position, fits: impl Fn(Size) -> bool, breaks: &mut Vec<Break>) {
    let word = &text[from.at..to.at];
    let is_too_long = !fits(to.size - from.size);
    if !is_too_long && !word.contains(WIDE_STOPS) {
        return;
    }
    let mut here = from;
    let mut follows_stop = false;
    for cluster in word.graphemes(true) {
        let strength = if follows_stop && cluster.starts_with(char::is_alphanumeric) {
            Some(Strength::Sentence)
        } else {
            (is_too_long && here.at > from.at).then_some(Strength::Word)
        };
        breaks.extend(strength.map(|strength| Break { before: here, after: here, strength }));
        if !fits(Size::of(cluster)) {
            break_cluster(here, cluster, breaks);
        }
        follows_stop = cluster.ends_with(WIDE_STOPS);
        here = here.past(cluster);
    }
}

fn break_cluster(from: Position, cluster: &str, breaks: &mut Vec<Break>) {
    let mut here = from;
    for c in cluster.chars() {
        if here.at > from.at {
            breaks.push(Break { before: here, after: here, strength: Strength::Word });
        }
        here = here.past(c.encode_utf8(&mut [0; 4]));
    }
}

/// Full stops of scripts written without spaces.
const WIDE_STOPS: [char; 4] = ['。', '！', '？', '｡'];

fn is_blank(cluster: &str) -> bool {
    cluster.chars().all(char::is_whitespace)
}

fn strength(word: &str, gap: &str) -> Strength {
    match gap.matches('\n').count() {
        0 if gap.chars().all(is_glue) => Strength::Word,
        0 if ends_sentence(word) => Strength::Sentence,
        0 => Strength::Space,
        1 => Strength::Line,
        _ => Strength::Paragraph,
    }
}

/// Returns true for spaces that must not be cut at.
fn is_glue(c: char) -> bool {
    matches!(c, '\u{a0}' | '\u{2007}' | '\u{202f}')
}

/// Returns true for a word with a full stop, possibly quoted or in brackets, but not for a list number such as `1.`
fn ends_sentence(word: &str) -> bool {
    let word = word.trim_end_matches(['"', '\'', ')', ']', '”', '’', '»']);
    let is_number = || word.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    word.ends_with(['.', '!', '?', '…']) && !is_number()
}

#[cfg(test)]
mod tests {
    use super::{Strength, breaks};

    fn cuts(text: &str) -> Vec<(&str, &str, Strength)> {
        let found = breaks(text, |size| size.utf16 <= 10);
        found.iter().map(|cut| (&text[..cut.before.at], &text[cut.after.at..], cut.strength)).collect()
    }

    fn strengths(text: &str) -> Vec<Strength> {
        let inner = cuts(text);
        inner[1..inner.len() - 1].iter().map(|cut| cut.2).collect()
    }

    #[test]
    fn each_gap_is_as_strong_as_what_it_separates() {
        assert_eq!(strengths("a b"), [Strength::Space]);
        assert_eq!(strengths("a.) b"), [Strength::Sentence]);
        assert_eq!(strengths("a \r\n b"), [Strength::Line]);
        assert_eq!(strengths("a\n \nb"), [Strength::Paragraph]);
        assert_eq!(strengths("10\u{a0}000"), [Strength::Word]);
        assert_eq!(strengths("好。（好）。好！"), [Strength::Sentence]);
    }

    #[test]
    fn a_list_number_is_not_taken_for_a_sentence() {
        assert_eq!(strengths("1. milk"), [Strength::Space]);
    }

    #[test]
    fn whitespace_around_the_text_belongs_to_the_outer_gaps() {
        let found = cuts("\n a \n");
        assert_eq!((found[0].1, found[1].0), ("a \n", "\n a"));
        assert!(cuts(" \n\u{a0}").is_empty() && cuts("").is_empty());
    }

    #[test]
    fn only_a_word_that_does_not_fit_breaks_inside_and_between_clusters() {
        assert_eq!(strengths("abcdefghij"), []);
        assert_eq!(strengths("abcdefghijk"), [Strength::Word; 10]);
        assert_eq!(strengths("👨\u{200d}👩\u{200d}👧👨\u{200d}👩\u{200d}👧"), [Strength::Word]);
        assert_eq!(strengths(&format!("e{}", "\u{301}".repeat(10))), [Strength::Word; 10]);
    }

    #[test]
    fn a_space_that_carries_an_accent_is_part_of_a_word() {
        assert_eq!(strengths("a \u{301}b"), []);
    }
}
