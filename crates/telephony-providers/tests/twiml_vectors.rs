//! TwiML documents parse into the same trees as those of Twilio's own library.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use serde_json::{Value, json};
use telephony_providers::twilio::twiml::TwimlElement;

/// `[name, {attributes}, [children]]`, the format of the vectors.
fn write(tree: &Value) -> TwimlElement {
    let mut element = TwimlElement::new(tree[0].as_str().unwrap());
    for (name, value) in tree[1].as_object().unwrap() {
        element = element.attribute(name, value.as_str().unwrap());
    }
    tree[2].as_array().unwrap().iter().fold(element, |element, child| match child {
        Value::String(text) => element.text(text),
        other => element.child(&write(other)),
    })
}

fn read(node: roxmltree::Node<'_, '_>) -> Value {
    if node.is_text() {
        return json!(node.text());
    }
    let attributes: Value = node.attributes().map(|a| (a.name().to_owned(), json!(a.value()))).collect();
    json!([node.tag_name().name(), attributes, node.children().map(read).collect::<Vec<_>>()])
}

fn parse(xml: &str) -> Value {
    read(roxmltree::Document::parse(xml).unwrap().root_element())
}

#[test]
fn every_document_of_the_official_library_can_be_written() {
    let data: Value = serde_json::from_str(include_str!("data/twiml_vectors.json")).unwrap();
    let vectors = data["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 38);
    for vector in vectors {
        assert_eq!(parse(&write(&vector["tree"]).to_string()), vector["tree"], "{}", vector["name"]);
        assert_eq!(parse(vector["xml"].as_str().unwrap()), vector["tree"], "{}", vector["name"]);
    }
}
