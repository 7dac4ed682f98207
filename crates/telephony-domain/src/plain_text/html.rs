//! HTML in Markdown: removes line breaks and formatting tags. Other tags stay, because people write `<name>` as a
//! placeholder too.

use std::ops::Range;

use super::edits::Edits;

/// Tags that are removed if they come in pairs.
const FORMATTING: [&str; 30] = [
    "b",
    "blockquote",
    "center",
    "code",
    "del",
    "details",
    "div",
    "em",
    "font",
    "h1",
    "h2",
    "h3",
    "h4",
    "i",
    "ins",
    "kbd",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "s",
    "small",
    "span",
    "strong",
    "sub",
    "summary",
    "sup",
    "u",
    "ul",
];

/// The formatting tags that a text closes somewhere.
pub(super) struct Html {
    closed: Vec<&'static str>,
}

impl Html {
    pub(super) fn of(text: &str) -> Self {
        let mut closed = Vec::new();
        for (at, _) in text.match_indices("</") {
            let name = name(&text[at..]);
            let formatting = FORMATTING.into_iter().find(|tag| tag.eq_ignore_ascii_case(name));
            closed.extend(formatting.filter(|tag| !closed.contains(tag)));
        }
        Self { closed }
    }

    /// Removes the tags in a range of HTML.
    pub(super) fn take_tags(&self, range: Range<usize>, edits: &mut Edits<'_>) {
        let mut from = range.start;
        while let Some(length) = edits.text[from..range.end].find('>') {
            let end = from + length + 1;
            let start = edits.text[from..end].rfind('<').map_or(end, |at| from + at);
            self.take_tag(start..end, edits);
            from = end;
        }
    }

    fn take_tag(&self, range: Range<usize>, edits: &mut Edits<'_>) {
        let name = name(&edits.text[range.clone()]);
        if name.eq_ignore_ascii_case("br") {
            let ends_line = edits.text[range.end..].trim_start_matches([' ', '\r']).starts_with('\n');
            edits.replace(range, if ends_line { "" } else { "\n" });
        } else if self.closed.iter().any(|tag| tag.eq_ignore_ascii_case(name)) {
            edits.remove(range);
        }
    }
}

/// Returns the name in `<name …>` or `</name>`.
fn name(tag: &str) -> &str {
    let name = tag.trim_start_matches(['<', '/']);
    &name[..name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len())]
}
