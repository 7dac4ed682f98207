//! Changes to a text, collected in any order and applied at once.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::ops::Range;

/// A text and the changes to make in it.
pub(super) struct Edits<'a> {
    pub text: &'a str,
    changes: Vec<(Range<usize>, Cow<'a, str>)>,
}

impl<'a> Edits<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { text, changes: Vec::new() }
    }

    pub(super) fn remove(&mut self, range: Range<usize>) {
        if !range.is_empty() {
            self.changes.push((range, Cow::Borrowed("")));
        }
    }

    pub(super) fn replace(&mut self, range: Range<usize>, by: impl Into<Cow<'a, str>>) {
        self.changes.push((range, by.into()));
    }

    /// Returns the text after all changes. Of two that overlap, the one that starts first counts, or else the longer
    /// one. A changed text also loses leading line breaks and trailing whitespace.
    pub(super) fn apply(mut self) -> String {
        if self.changes.is_empty() {
            return self.text.to_owned();
        }
        self.changes.sort_by_key(|(range, _)| (range.start, Reverse(range.end)));
        let mut changed = String::with_capacity(self.text.len());
        let mut done = 0;
        for (range, by) in self.changes {
            if range.start >= done {
                changed.push_str(&self.text[done..range.start]);
                changed.push_str(&by);
                done = range.end;
            }
        }
        changed.push_str(&self.text[done..]);
        changed.trim_start_matches(['\n', '\r']).trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::Edits;

    #[test]
    fn a_change_inside_another_is_made_too() {
        let mut edits = Edits::of("abcdef");
        edits.replace(2..3, "X");
        edits.replace(1..4, "-");
        edits.remove(3..5);
        edits.remove(5..6);
        assert_eq!(edits.apply(), "a-e");
    }

    #[test]
    fn a_text_without_changes_is_trimmed() {
        assert_eq!(Edits::of("\n a ").apply(), "\n a ");
    }
}
