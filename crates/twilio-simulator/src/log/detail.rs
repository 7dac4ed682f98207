//! Contents of requests and answers for the phone page: limited in size, without credentials, and never in `Debug`.

use axum::body::{Body, to_bytes};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

/// The maximum size in bytes of a stored body, and of a request's parameters together.
const LONGEST_TEXT: usize = 16 * 1024;

/// The maximum size in bytes of a stored header.
const LONGEST_HEADER: usize = 512;
const MAX_HEADERS: usize = 32;

/// The contents of one log entry.
#[derive(Clone, Default, Serialize)]
pub(crate) struct LogDetail {
    pub(super) request: RequestDetail,
    pub(super) answer: Option<AnswerDetail>,
    /// The reason why there was no answer.
    pub(super) failure: Option<String>,
}

/// The contents of a request.
#[derive(Clone, Default, Serialize)]
pub(crate) struct RequestDetail {
    headers: Vec<(String, String)>,
    parameters: Vec<(String, String)>,
    /// The number of parameters dropped because of the size limit.
    left_out: usize,
    /// The string that `X-Twilio-Signature` signs.
    signed: Option<String>,
}

/// The contents of an answer.
#[derive(Clone, Serialize)]
pub(crate) struct AnswerDetail {
    headers: Vec<(String, String)>,
    /// `None` for binary data.
    body: Option<String>,
}

impl RequestDetail {
    pub(crate) fn new(headers: &HeaderMap, parameters: &[(String, String)], signed: Option<&str>) -> Self {
        let mut left = LONGEST_TEXT;
        let mut fits = |(name, value): &&(String, String)| {
            let rest = left.checked_sub(name.len() + value.len());
            left = rest.unwrap_or(0);
            rest.is_some()
        };
        let kept: Vec<_> = parameters.iter().take_while(|pair| fits(pair)).collect();
        Self {
            headers: shown(headers),
            left_out: parameters.len() - kept.len(),
            parameters: kept.into_iter().map(|(name, value)| (name.clone(), without_passwords(value))).collect(),
            signed: signed.map(|text| cut(&without_passwords(text), LONGEST_TEXT)),
        }
    }
}

impl AnswerDetail {
    pub(crate) fn new(headers: &HeaderMap, body: Option<&str>) -> Self {
        Self { headers: shown(headers), body: body.map(|text| cut(&without_passwords(text), LONGEST_TEXT)) }
    }

    /// Captures one of our answers and returns it intact.
    pub(crate) async fn of(response: Response) -> (Self, Response) {
        let is_text = text_of(response.headers(), CONTENT_TYPE.as_str()).is_some_and(is_text);
        if !is_text {
            return (Self::new(response.headers(), None), response);
        }
        let (head, body) = response.into_parts();
        // The body is in memory, so reading it cannot fail.
        let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
        let own = Self::new(&head.headers, Some(&String::from_utf8_lossy(&bytes)));
        (own, Response::from_parts(head, Body::from(bytes)))
    }
}

fn is_text(content_type: &str) -> bool {
    content_type.starts_with("text/") || content_type.contains("json") || content_type.contains("xml")
}

fn text_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Returns the headers with secrets hidden.
fn shown(headers: &HeaderMap) -> Vec<(String, String)> {
    let show = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
        let value = String::from_utf8_lossy(value.as_bytes());
        let value = match name.as_str() {
            "authorization" => without_proof(&value),
            "proxy-authorization" | "cookie" | "set-cookie" => HIDDEN.to_owned(),
            // A signed URL gives access to the file.
            "location" => value
                .split_once("Signature=")
                .map_or_else(|| value.to_string(), |(url, _)| format!("{url}Signature={HIDDEN}")),
            _ => without_passwords(&value),
        };
        (name.to_string(), cut(&value, LONGEST_HEADER))
    };
    headers.iter().take(MAX_HEADERS).map(show).collect()
}

const HIDDEN: &str = "•••";

/// Returns an `Authorization` header with its secret hidden.
fn without_proof(authorization: &str) -> String {
    let encoded = authorization.strip_prefix("Basic ").unwrap_or_default();
    let decoded = STANDARD.decode(encoded).unwrap_or_default();
    let decoded = String::from_utf8(decoded).unwrap_or_default();
    let user = decoded.split_once(':').map_or("", |(user, _)| user);
    let is_sid = user.len() == 34 && ["AC", "SK"].iter().any(|kind| user.starts_with(kind));
    match authorization.split_once(' ') {
        Some((scheme, _)) if is_sid => format!("{scheme} {user}:{HIDDEN}"),
        Some((scheme, _)) => format!("{scheme} {HIDDEN}"),
        None => HIDDEN.to_owned(),
    }
}

/// Hides user names and passwords in the text's URLs.
fn without_passwords(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("://") {
        clean.push_str(before);
        clean.push_str("://");
        let authority =
            &after[..after.find(|one: char| "/?#\"'<>\\".contains(one) || one.is_whitespace()).unwrap_or(after.len())];
        rest = match authority.rfind('@') {
            Some(end) => {
                clean.push_str(HIDDEN);
                &after[end..]
            }
            None => after,
        };
    }
    clean.push_str(rest);
    clean
}

fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let end = (0..=limit).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}… and {} more bytes", &text[..end], text.len() - end)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue};

    use super::{AnswerDetail, LONGEST_TEXT, MAX_HEADERS, RequestDetail, without_passwords};

    fn pairs(count: usize, value: &str) -> Vec<(String, String)> {
        (0..count).map(|index| (format!("Name{index}"), value.to_owned())).collect()
    }

    #[test]
    fn logged_details_are_bounded() {
        let mut headers = HeaderMap::new();
        for index in 0..100_usize {
            let name: axum::http::HeaderName = format!("x-{index}").parse().unwrap();
            headers.insert(name, HeaderValue::from_str(&"v".repeat(5000)).unwrap());
        }
        let asked = RequestDetail::new(&headers, &pairs(1000, &"é".repeat(100)), Some(&"é".repeat(100_000)));
        assert_eq!(asked.headers.len(), MAX_HEADERS);
        assert!(asked.headers[0].1.len() < 600 && asked.headers[0].1.ends_with("more bytes"));
        assert!(asked.left_out > 0 && asked.left_out + asked.parameters.len() == 1000);
        assert!(asked.signed.unwrap().len() < LONGEST_TEXT + 100);
        let answered = AnswerDetail::new(&HeaderMap::new(), Some(&"x".repeat(LONGEST_TEXT + 7)));
        assert!(answered.body.unwrap().ends_with("… and 7 more bytes"));
    }

    #[test]
    fn no_credentials_are_kept() {
        let mut headers = HeaderMap::new();
        // AC0123456789abcdef0123456789abcdef:secret, then me:secret.
        let sid = "Basic QUMwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjpzZWNyZXQ=";
        for (value, shown) in [
            (sid, "Basic AC0123456789abcdef0123456789abcdef:•••"),
            ("Basic bWU6c2VjcmV0", "Basic •••"),
            ("Bearer secret", "Bearer •••"),
            ("secret", "•••"),
        ] {
            headers.insert("authorization", HeaderValue::from_static(value));
            assert_eq!(RequestDetail::new(&headers, &[], None).headers[0].1, shown);
        }
        headers.clear();
        headers.insert("location", HeaderValue::from_static("http://127.0.0.1:1/MM/ME?Expires=1&Signature=abc"));
        let kept = AnswerDetail::new(&headers, None).headers;
        assert_eq!(kept[0].1, "http://127.0.0.1:1/MM/ME?Expires=1&Signature=•••");
        for (text, shown) in [
            ("https://me:pw@example.com/a@b", "https://•••@example.com/a@b"),
            (
                "{\"a\": \"http://me:p@w@h/\", \"b\": \"http://h\", \"c\": \"x@y\"}",
                "{\"a\": \"http://•••@h/\", \"b\": \"http://h\", \"c\": \"x@y\"}",
            ),
            ("no address: me@example.com", "no address: me@example.com"),
        ] {
            assert_eq!(without_passwords(text), shown);
        }
    }
}
