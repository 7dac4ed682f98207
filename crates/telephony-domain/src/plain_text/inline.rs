//! Inline marks: emphasis, code, links, escapes and entities.

use std::ops::Range;

use pulldown_cmark::{CowStr, LinkType};

use super::{Marks, ordinary};

impl<'a> Marks<'a> {
    /// Records emphasis with `width` marks at both ends.
    pub(super) fn take_emphasis(&mut self, range: Range<usize>, width: usize) {
        // The parser also strikes through text between single tildes, as in `~5 to 6~`.
        let is_half_struck = self.text[range.clone()].starts_with('~') && !self.text[range.clone()].starts_with("~~");
        let width = if is_half_struck { 1 } else { width };
        let is_literal = is_half_struck || self.addresses.contain(range.start);
        self.emphases.push(range, width, is_literal);
    }

    pub(super) fn take_backticks(&mut self, code: CowStr<'a>, range: Range<usize>) {
        if ordinary::is_code(self.text, &range) {
            self.edits.replace(range, code);
        }
    }

    /// Resolves an entity, and removes the backslash of an escaped mark.
    pub(super) fn take_escape(&mut self, shown: CowStr<'a>, range: Range<usize>) {
        if self.text[..range.start].ends_with('\\') && ordinary::is_escape(self.text, range.start - 1) {
            self.edits.remove(range.start - 1..range.start);
        } else if self.text[range.clone()].starts_with('&') && *shown != self.text[range.clone()] {
            // A no-break space would make the text lose GSM-7.
            self.edits.replace(range, if *shown == *"\u{a0}" { " ".into() } else { shown });
        }
    }

    pub(super) fn open_link(&mut self, kind: LinkType, address: CowStr<'a>, range: Range<usize>) {
        let mut is_taken = false;
        match kind {
            LinkType::Autolink | LinkType::Email => self.edits.replace(range, address_of(&address).to_owned()),
            LinkType::Inline => is_taken = ordinary::is_link(self.text, range.start, &address),
            _ => {}
        }
        self.links.push(is_taken.then_some(address));
    }

    pub(super) fn close_link(&mut self, range: Range<usize>) {
        let Some(Some(address)) = self.links.pop() else { return };
        let label_start = range.start + if self.text[range.start..].starts_with('!') { 2 } else { 1 };
        let label_end = self.previous.max(label_start);
        let label = &self.text[label_start..label_end];
        let address = address_of(&address);
        if label.trim().is_empty() || names(label, address) {
            self.edits.replace(range, address.to_owned());
        } else {
            self.edits.remove(range.start..label_start);
            self.edits.replace(
                label_end..range.end,
                if address.is_empty() { String::new() } else { format!(" ({address})") },
            );
        }
    }
}

/// Returns the visible address of a link; empty if it only works inside the answer.
fn address_of(link: &str) -> &str {
    if link.starts_with('#') || link.starts_with("data:") {
        return "";
    }
    link.strip_prefix("mailto:").or(link.strip_prefix("tel:")).unwrap_or(link)
}

/// Returns true if a label is the address itself, with or without its scheme.
fn names(label: &str, address: &str) -> bool {
    let bare = address.trim_start_matches("https://").trim_start_matches("http://");
    let label = label.trim_end_matches('/');
    [address, bare, bare.trim_start_matches("www.")].iter().any(|form| form.trim_end_matches('/') == label)
}
