//! Elements of an XML document, owned. TwiML has no document type, so a document with one is malformed, as it is for
//! Twilio.

use roxmltree::{Document, Node};

/// An element with its contents.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    /// Its own text, without its children's.
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
}

impl Element {
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// An error: the text is not well-formed XML.
#[derive(Debug, PartialEq)]
pub(crate) struct Malformed;

/// Parses a document and returns its root element.
pub(crate) fn parse(document: &str) -> Result<Element, Malformed> {
    Document::parse(document).map(|document| element(document.root_element())).map_err(|_| Malformed)
}

fn element(node: Node<'_, '_>) -> Element {
    Element {
        name: node.tag_name().name().to_owned(),
        attributes: node.attributes().map(|own| (own.name().to_owned(), own.value().to_owned())).collect(),
        text: node.children().filter(Node::is_text).filter_map(|text| text.text()).collect(),
        children: node.children().filter(Node::is_element).map(element).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Malformed, parse};

    #[test]
    fn text_is_read_with_its_entities_cdata_and_comments() {
        let root =
            parse("<?xml version=\"1.0\"?>\n<R a='1 &lt; 2'>x &amp; &#x1F600;<!-- no --><![CDATA[<y>]]><b/></R>\n")
                .unwrap();
        assert_eq!((root.name.as_str(), root.text.as_str()), ("R", "x & 😀<y>"));
        assert_eq!(root.attribute("a"), Some("1 < 2"));
        assert_eq!(root.children[0].name, "b");
    }

    #[test]
    fn invalid_xml_is_malformed() {
        for document in [
            "",
            "hello",
            "<R>",
            "<R></S>",
            "<R>a & b</R>",
            "<R a=1/>",
            "<R/><R/>",
            "x<R/>",
            "<R>&nope;</R>",
            "<R>\0</R>",
            "<R>&#0;</R>",
            "<!DOCTYPE R []><R/>",
            " <?xml version='1.0'?><R/>",
        ] {
            assert_eq!(parse(document), Err(Malformed), "{document}");
        }
    }
}
