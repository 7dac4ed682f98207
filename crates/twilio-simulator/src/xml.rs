//! A small XML reader: elements, attributes, text, CDATA, comments, the five named entities and character references.
//! It covers TwiML; anything else is malformed, as it is for Twilio.

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
    let mut reader = Reader { rest: document };
    reader.skip_around_root()?;
    let root = reader.element()?;
    reader.skip_around_root()?;
    if reader.rest.is_empty() { Ok(root) } else { Err(Malformed) }
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn take(&mut self, token: &str) -> bool {
        let found = self.rest.strip_prefix(token);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    fn until(&mut self, token: &str) -> Result<&'a str, Malformed> {
        let (before, after) = self.rest.split_once(token).ok_or(Malformed)?;
        self.rest = after;
        Ok(before)
    }

    /// Skips white space, comments, the declaration and processing instructions.
    fn skip_around_root(&mut self) -> Result<(), Malformed> {
        loop {
            self.rest = self.rest.trim_start();
            if self.take("<!--") {
                self.until("-->")?;
            } else if self.take("<?") {
                self.until("?>")?;
            } else {
                return Ok(());
            }
        }
    }

    fn name(&mut self) -> Result<&'a str, Malformed> {
        let end = self.rest.find(|c: char| c.is_whitespace() || "<>/='\"&".contains(c)).ok_or(Malformed)?;
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        if name.starts_with(|c: char| c.is_alphabetic() || c == '_') { Ok(name) } else { Err(Malformed) }
    }

    fn element(&mut self) -> Result<Element, Malformed> {
        if !self.take("<") {
            return Err(Malformed);
        }
        let mut element = Element { name: self.name()?.to_owned(), ..Element::default() };
        loop {
            self.rest = self.rest.trim_start();
            if self.take("/>") {
                return Ok(element);
            }
            if self.take(">") {
                self.content(&mut element)?;
                return Ok(element);
            }
            let attribute = self.attribute()?;
            element.attributes.push(attribute);
        }
    }

    fn attribute(&mut self) -> Result<(String, String), Malformed> {
        let name = self.name()?.to_owned();
        self.rest = self.rest.trim_start();
        if !self.take("=") {
            return Err(Malformed);
        }
        self.rest = self.rest.trim_start();
        let quote = if self.take("\"") {
            "\""
        } else if self.take("'") {
            "'"
        } else {
            return Err(Malformed);
        };
        let value = self.until(quote)?;
        if value.contains('<') { Err(Malformed) } else { Ok((name, unescape(value)?)) }
    }

    fn content(&mut self, element: &mut Element) -> Result<(), Malformed> {
        loop {
            let text = self.rest.split_once('<').ok_or(Malformed)?.0;
            self.rest = &self.rest[text.len()..];
            element.text.push_str(&unescape(text)?);
            if self.take("</") {
                let closes = self.until(">")?.trim_end() == element.name;
                return if closes { Ok(()) } else { Err(Malformed) };
            } else if self.take("<!--") {
                self.until("-->")?;
            } else if self.take("<![CDATA[") {
                element.text.push_str(self.until("]]>")?);
            } else {
                let child = self.element()?;
                element.children.push(child);
            }
        }
    }
}

fn unescape(text: &str) -> Result<String, Malformed> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        let (entity, tail) = after.split_once(';').ok_or(Malformed)?;
        plain.push_str(before);
        plain.push(character(entity).ok_or(Malformed)?);
        rest = tail;
    }
    plain.push_str(rest);
    Ok(plain)
}

fn character(entity: &str) -> Option<char> {
    match entity {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let digits = entity.strip_prefix('#')?;
            let code = match digits.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => digits.parse(),
            };
            char::from_u32(code.ok()?)
        }
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
        for document in
            ["", "hello", "<R>", "<R></S>", "<R>a & b</R>", "<R a=1/>", "<R/><R/>", "x<R/>", "<R>&nope;</R>"]
        {
            assert_eq!(parse(document), Err(Malformed), "{document}");
        }
    }
}
