//! Writes TwiML, the XML that tells Twilio what to do next. [`TwimlElement`] is the XML; `script` writes the
//! documents of calls.

mod script;

pub use script::document;

use std::fmt::{self, Write};

/// The empty document: an SMS gets no answer, a call ends.
pub const EMPTY_RESPONSE: &str = "<Response/>";

/// Content type of TwiML.
pub const CONTENT_TYPE: &str = "text/xml; charset=utf-8";

/// An element with attributes and content; `Display` writes the XML.
///
/// Names are written as they are, attribute values and texts are escaped. Characters that XML cannot represent are
/// omitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TwimlElement {
    name: String,
    attributes: String,
    content: String,
}

impl TwimlElement {
    /// Creates an empty element, such as `Say`.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), attributes: String::new(), content: String::new() }
    }

    /// Creates the root of a document.
    pub fn response() -> Self {
        Self::new("Response")
    }

    /// Adds an attribute.
    #[must_use]
    pub fn attribute(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.attributes.push(' ');
        self.attributes.push_str(name);
        self.attributes.push_str("=\"");
        escape(&value.to_string(), &mut self.attributes);
        self.attributes.push('"');
        self
    }

    /// Appends text to the content.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        escape(text, &mut self.content);
        self
    }

    /// Appends an element to the content.
    #[must_use]
    pub fn child(mut self, element: &TwimlElement) -> Self {
        // Writing to a String cannot fail.
        let _ = write!(self.content, "{element}");
        self
    }
}

impl fmt::Display for TwimlElement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, attributes, content } = self;
        if content.is_empty() {
            write!(f, "<{name}{attributes}/>")
        } else {
            write!(f, "<{name}{attributes}>{content}</{name}>")
        }
    }
}

/// Appends text so that a parser reads back the same characters, in content and in attributes.
fn escape(text: &str, xml: &mut String) {
    for character in text.chars() {
        match character {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            // A bare CR would be read as LF, and all three as a space in an attribute.
            '\r' => xml.push_str("&#13;"),
            '\n' => xml.push_str("&#10;"),
            '\t' => xml.push_str("&#9;"),
            '\0'..'\u{20}' | '\u{FFFE}' | '\u{FFFF}' => {}
            _ => xml.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed_text(xml: &str) -> String {
        roxmltree::Document::parse(xml).unwrap().root_element().text().unwrap_or_default().to_owned()
    }

    #[test]
    fn line_ends_and_markup_survive_a_parser() {
        let text = "a<b>&c \"q\" ]]> l1\nl2\r\nl3\rl4\tend  😀";
        let element = TwimlElement::response().attribute("note", text).text(text).to_string();
        assert_eq!(parsed_text(&element), text);
        let document = roxmltree::Document::parse(&element).unwrap();
        assert_eq!(document.root_element().attribute("note"), Some(text));
    }

    #[test]
    fn characters_invalid_in_xml_are_dropped() {
        let element = TwimlElement::response().text("a\0b\u{8}c\u{1F}d\u{FFFE}e\u{FFFF}f\u{7F}").to_string();
        assert_eq!(parsed_text(&element), "abcdef\u{7F}");
    }

    #[test]
    fn an_empty_element_is_self_closing() {
        assert_eq!(TwimlElement::response().to_string(), EMPTY_RESPONSE);
        assert_eq!(TwimlElement::new("Pause").attribute("length", 2).to_string(), r#"<Pause length="2"/>"#);
    }
}
