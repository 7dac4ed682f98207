//! Messaging TwiML: the messages in an answer, and Twilio's complaints about it. Leaves sending to `inbound`.

use crate::webhook::request::HttpAnswer;
use crate::xml::{self, Element};

/// A `<Message>` in an answer.
#[derive(Debug, PartialEq)]
pub(crate) struct MessageReply {
    pub(crate) body: String,
    pub(crate) media_urls: Vec<String>,
    pub(crate) to: Option<String>,
    pub(crate) from: Option<String>,
    pub(crate) status_callback: Option<String>,
}

/// A problem with an answer: Twilio's error code and a description.
#[derive(Debug, PartialEq)]
pub(crate) struct Complaint {
    pub(crate) code: u32,
    pub(crate) text: String,
}

fn complain<T>(code: u32, text: &str) -> Result<T, Complaint> {
    Err(Complaint { code, text: text.to_owned() })
}

/// Twilio's size limit for an answer in bytes.
const LARGEST_ANSWER: usize = 64 * 1024;

/// Returns the root element of an answer, or Twilio's complaint. `None` for a valid empty answer.
pub(crate) fn document(answer: &HttpAnswer) -> Result<Option<Element>, Complaint> {
    if !answer.is_success() {
        return complain(11200, &format!("answered with HTTP status {}", answer.status));
    }
    if answer.body.is_empty() {
        return if answer.is_chunked { complain(11770, "an empty chunked body") } else { Ok(None) };
    }
    if answer.body.len() > LARGEST_ANSWER {
        return complain(11750, "the answer is larger than 64 kB");
    }
    let content_type = answer.content_type.as_deref().unwrap_or_default();
    if !["text/xml", "application/xml", "text/html"].iter().any(|accepted| content_type.starts_with(accepted)) {
        return complain(12300, &format!("content type `{content_type}` is not XML"));
    }
    match xml::parse(&answer.body) {
        Ok(root) if root.name == "Response" => Ok(Some(root)),
        Ok(_) => complain(12100, "the root element is not <Response>"),
        Err(xml::Malformed) => complain(12100, "the answer is not well-formed XML"),
    }
}

/// Returns the messages in an answer.
pub(crate) fn replies(answer: &HttpAnswer) -> Result<Vec<MessageReply>, Complaint> {
    let Some(root) = document(answer)? else { return Ok(Vec::new()) };
    let replies: Vec<MessageReply> =
        root.children.iter().filter(|verb| matches!(verb.name.as_str(), "Message" | "Sms")).map(reply).collect();
    if replies.len() > 10 {
        return complain(14109, "more than 10 <Message> in one answer");
    }
    if replies.iter().any(|reply| reply.body.is_empty() && reply.media_urls.is_empty()) {
        return complain(14103, "a <Message> without text and media");
    }
    Ok(replies)
}

fn reply(verb: &Element) -> MessageReply {
    let nouns = |name: &'static str| verb.children.iter().filter(move |noun| noun.name == name);
    let attribute = |name| verb.attribute(name).map(str::to_owned);
    let mut body = verb.text.trim().to_owned();
    body.extend(nouns("Body").map(|noun| noun.text.as_str()));
    MessageReply {
        body,
        media_urls: nouns("Media").map(|noun| noun.text.trim().to_owned()).collect(),
        to: attribute("to"),
        from: attribute("from"),
        status_callback: attribute("statusCallback").or_else(|| attribute("action")),
    }
}

#[cfg(test)]
mod tests {
    use super::{HttpAnswer, replies};

    fn answer(content_type: &str, body: &str) -> HttpAnswer {
        let (content_type, body) = (Some(content_type.to_owned()), body.to_owned());
        HttpAnswer { status: 200, content_type, body, is_chunked: false, headers: axum::http::HeaderMap::new() }
    }

    #[test]
    fn messages_are_found_with_nouns_and_without() {
        let found = replies(&answer(
            "text/xml; charset=utf-8",
            "<Response><Message to=\"+15550009\">a &amp; b</Message>\
             <Message><Body>c</Body><Media>http://example.com/x.gif</Media></Message></Response>",
        ))
        .unwrap();
        assert_eq!((found[0].body.as_str(), found[0].to.as_deref()), ("a & b", Some("+15550009")));
        assert_eq!((found[1].body.as_str(), found[1].media_urls.len()), ("c", 1));
    }

    #[test]
    fn a_bad_answer_gets_the_code_that_twilio_shows() {
        let eleven = format!("<Response>{}</Response>", "<Message>x</Message>".repeat(11));
        let large = format!("<Response>{}</Response>", " ".repeat(65536));
        let cases = [
            ("text/xml", "<Response>", 12100),
            ("text/xml", "<Other/>", 12100),
            ("text/plain", "hello", 12300),
            ("text/xml", "<Response><Message/></Response>", 14103),
            ("text/xml", &eleven, 14109),
            ("text/xml", &large, 11750),
        ];
        for (content_type, body, code) in cases {
            assert_eq!(replies(&answer(content_type, body)).unwrap_err().code, code);
        }
        assert_eq!(replies(&HttpAnswer { status: 503, ..answer("text/xml", "<Response/>") }).unwrap_err().code, 11200);
        assert_eq!(replies(&HttpAnswer { is_chunked: true, ..answer("text/xml", "") }).unwrap_err().code, 11770);
        assert_eq!(replies(&answer("", "")).unwrap(), []);
    }
}
