//! Block marks at the start of lines or on lines of their own: headings, bullets, quotes, fences and rules.

use std::ops::Range;

use super::{Marks, ordinary};

impl Marks<'_> {
    pub(super) fn take_heading(&mut self, range: Range<usize>) {
        let heading = self.text[range.clone()].trim_end();
        let end = range.start + heading.len();
        if heading.starts_with('#') {
            let title = heading.trim_start_matches('#').trim_start();
            let start = end - title.len();
            let closed = title.trim_end_matches('#');
            let title = if closed.ends_with([' ', '\t']) { closed.trim_end() } else { title };
            if !title.is_empty() {
                self.edits.remove(range.start..start);
                self.edits.remove(start + title.len()..end);
            }
        } else if let Some(line_break) = heading.rfind('\n') {
            let underline = heading[line_break..].trim();
            // One or two dashes under a line are more likely text than an underline.
            if underline.len() > 2 && underline.trim_start_matches(['=', '-']).is_empty() {
                self.edits.remove(range.start + line_break..end);
            }
        }
    }

    pub(super) fn take_bullet(&mut self, at: usize) {
        if self.text[at..].starts_with("* ") {
            self.edits.replace(at..at + 1, "-");
        }
    }

    /// Removes the marks of the outermost quote, and with them those of nested quotes.
    pub(super) fn open_quote(&mut self, range: Range<usize>) {
        self.quotes += 1;
        if self.quotes > 1 || !ordinary::is_quote(&self.text[range.clone()]) {
            return;
        }
        let mut start = range.start;
        for line in self.text[range].split_inclusive('\n') {
            self.edits.remove(start..start + line.len() - unquoted(line).len());
            start += line.len();
        }
    }

    /// Removes the lines that open and close a code block.
    pub(super) fn take_fences(&mut self, range: Range<usize>) {
        let block = self.text[range.clone()].trim_end();
        let (Some(first), Some(last)) = (block.find('\n'), block.rfind('\n')) else { return };
        let mark = &block[..1];
        let closing = unquoted(&block[last + 1..]).trim();
        let is_closed = closing.len() >= 3 && closing.trim_start_matches(mark).is_empty();
        if is_closed || mark == "`" {
            self.edits.remove(self.line_start(range.start)..range.start + first + 1);
        }
        if is_closed {
            self.edits.remove(range.start + last + 1..self.line_end(range.end));
        }
    }

    /// Removes the line of a rule and, if an empty line precedes it, the empty lines after it.
    pub(super) fn take_rule(&mut self, range: Range<usize>) {
        let start = self.line_start(range.start);
        let mut end = self.line_end(range.end);
        if self.text[..start].is_empty() || self.text[..start].trim_end_matches([' ', '\r']).ends_with("\n\n") {
            end = self.text.len() - self.text[end..].trim_start_matches(['\n', '\r']).len();
        }
        self.edits.remove(start..end);
    }

    /// Returns the start of the line if only spaces and quote marks precede `at`; else `at`.
    fn line_start(&self, at: usize) -> usize {
        let start = self.text[..at].trim_end_matches([' ', '\t', '>']);
        if start.is_empty() || start.ends_with('\n') { start.len() } else { at }
    }

    /// Returns the end of the line, including its break, if only spaces follow `at`; else `at`.
    fn line_end(&self, at: usize) -> usize {
        if self.text[..at].ends_with('\n') {
            return at;
        }
        let rest = self.text[at..].trim_start_matches([' ', '\t', '\r']);
        self.text.len() - rest.strip_prefix('\n').unwrap_or(rest).len()
    }
}

/// Strips the quote marks at the start of a line, each with one space.
fn unquoted(mut line: &str) -> &str {
    while let Some(rest) = line.trim_start_matches(' ').strip_prefix('>') {
        line = rest.strip_prefix(' ').unwrap_or(rest);
    }
    line
}
