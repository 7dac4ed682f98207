//! Converts an agent's Markdown to plain text for SMS; `sms::split` divides it into parts.
//!
//! A Markdown parser finds the marks, and only those are removed: anything that is not Markdown stays byte for byte.
//! `ordinary` recognizes ordinary text that the parser takes for Markdown.

mod blocks;
mod edits;
mod emphasis;
mod html;
mod inline;
mod ordinary;
mod pictures;
mod table;

pub use pictures::take_pictures;

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd};

use edits::Edits;
use emphasis::Emphases;
use html::Html;
use ordinary::Addresses;
use table::TableWalk;

/// Removes Markdown from a text. Emphasis, headings, code, quotes and rules lose their marks, a link becomes `text
/// (address)`, a bullet becomes `- `, and table cells are separated by ` | `.
pub fn from_markdown(text: &str) -> String {
    let mut marks = Marks::of(text);
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    for (event, range) in Parser::new_ext(text, options).into_offset_iter() {
        marks.take_out(event, range);
    }
    let Marks { mut edits, emphases, .. } = marks;
    emphases.take_out(&mut edits);
    edits.apply()
}

/// A walk along the marks of a text, with the changes decided so far.
struct Marks<'a> {
    text: &'a str,
    edits: Edits<'a>,
    emphases: Emphases,
    addresses: Addresses,
    html: Html,
    table: TableWalk,
    /// Target of each open link or image; none if it stays as it is.
    links: Vec<Option<CowStr<'a>>>,
    /// Depth of nested quotes at the current position.
    quotes: usize,
    is_in_code: bool,
    /// End of the element before the current one, or its start while it is still open.
    previous: usize,
}

impl<'a> Marks<'a> {
    fn of(text: &'a str) -> Self {
        Self {
            text,
            edits: Edits::of(text),
            emphases: Emphases::default(),
            addresses: Addresses::of(text),
            html: Html::of(text),
            table: TableWalk::default(),
            links: Vec::new(),
            quotes: 0,
            is_in_code: false,
            previous: 0,
        }
    }

    fn take_out(&mut self, event: Event<'a>, range: Range<usize>) {
        let here = if matches!(event, Event::Start(_)) { range.start } else { range.end };
        match event {
            Event::Start(tag) => self.open(tag, range),
            Event::End(tag) => self.close(tag, range),
            Event::Text(shown) if !self.is_in_code => self.take_escape(shown, range),
            Event::Code(code) => self.take_backticks(code, range),
            Event::Html(_) | Event::InlineHtml(_) => self.html.take_tags(range, &mut self.edits),
            Event::Rule => self.take_rule(range),
            _ => {}
        }
        self.previous = here;
    }

    fn open(&mut self, tag: Tag<'a>, range: Range<usize>) {
        match tag {
            Tag::Emphasis => self.take_emphasis(range, 1),
            Tag::Strong | Tag::Strikethrough => self.take_emphasis(range, 2),
            Tag::Link { link_type, dest_url, .. } | Tag::Image { link_type, dest_url, .. } => {
                self.open_link(link_type, dest_url, range);
            }
            Tag::Heading { .. } => self.take_heading(range),
            Tag::Item => self.take_bullet(range.start),
            Tag::BlockQuote(_) => self.open_quote(range),
            Tag::CodeBlock(CodeBlockKind::Indented) => self.is_in_code = true,
            Tag::CodeBlock(CodeBlockKind::Fenced(_)) => {
                self.is_in_code = true;
                self.take_fences(range);
            }
            Tag::Table(_) => self.table = TableWalk::at(range.start),
            Tag::TableHead | Tag::TableRow => self.table.open_row(range, &mut self.edits),
            Tag::TableCell => self.table.take_cell(range, &mut self.edits),
            _ => {}
        }
    }

    fn close(&mut self, tag: TagEnd, range: Range<usize>) {
        match tag {
            TagEnd::Link | TagEnd::Image => self.close_link(range),
            TagEnd::BlockQuote(_) => self.quotes -= 1,
            TagEnd::CodeBlock => self.is_in_code = false,
            TagEnd::TableHead | TagEnd::TableRow => self.table.close_row(&mut self.edits),
            TagEnd::Table => self.table.close(range.end, &mut self.edits),
            _ => {}
        }
    }
}
