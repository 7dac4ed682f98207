//! Only requests that Twilio signed for our account become events. The input is a line each of query, content type and
//! signature, then the body.
#![no_main]

use std::sync::LazyLock;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use libfuzzer_sys::fuzz_target;
use telephony_domain::message::Arrival;
use telephony_fuzz::{ACCOUNT, FORM, TOKEN, decode_form, lines, sign, signed_params, twilio};
use telephony_providers::provider::{WebhookEvent, Rejection, Unverified, Webhooks};
use telephony_providers::twilio::Twilio;

static STRICT: LazyLock<Twilio> = LazyLock::new(|| twilio(false));
static TRUSTING: LazyLock<Twilio> = LazyLock::new(|| twilio(true));

fuzz_target!(|input: &[u8]| {
    let ([query, content_type, signature], body) = lines(input);
    let mut request = Request::new(query, &content_type, body);
    assert_eq!(request.verdict(&STRICT), Err(Rejection::Unsigned));
    request.is_read_alike_once_signed();

    request.sign(&signature);
    assert!(matches!(request.verdict(&STRICT), Err(Rejection::BadSignature(_) | Rejection::Unsigned)));

    request.content_type(FORM);
    request.is_read_alike_once_signed();
    request.body = [format!("AccountSid={ACCOUNT}&").as_bytes(), body].concat().into();
    request.is_read_alike_once_signed();
});

struct Request {
    query: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Request {
    fn new(query: String, content_type: &str, body: &[u8]) -> Self {
        let mut request = Self { query, headers: HeaderMap::new(), body: body.to_vec().into() };
        request.content_type(content_type);
        request
    }

    fn content_type(&mut self, content_type: &str) {
        if let Ok(value) = HeaderValue::from_bytes(content_type.as_bytes()) {
            self.headers.insert(header::CONTENT_TYPE, value);
        }
    }

    fn sign(&mut self, signature: &str) {
        if let Ok(value) = HeaderValue::from_bytes(signature.as_bytes()) {
            self.headers.insert("x-twilio-signature", value);
        }
    }

    /// A signed form has the same meaning if signatures are not checked.
    fn is_read_alike_once_signed(&mut self) {
        let unchecked = self.verdict(&TRUSTING);
        if unchecked.is_ok() {
            let account = decode_form(&self.body).into_iter().find(|(name, _)| name == "AccountSid");
            assert_eq!(account.expect("an account").1, ACCOUNT);
        }
        if self.headers.get(header::CONTENT_TYPE).is_some_and(|value| value == FORM) {
            let before = self.headers.clone();
            self.sign(&sign(TOKEN, &(self.url() + &signed_params(&self.body))));
            assert_eq!(self.verdict(&STRICT), unchecked);
            self.headers = before;
        }
    }

    fn verdict(&self, twilio: &Twilio) -> Result<WebhookEvent, Rejection> {
        let urls = [self.url()];
        let request = Unverified {
            method: &Method::POST,
            urls: &urls,
            query: &self.query,
            headers: &self.headers,
            body: &self.body,
        };
        twilio.verify(&request).map(|event| match event.into_inner() {
            // A signature is stored only if it was checked.
            WebhookEvent::Message(arrival) => WebhookEvent::Message(Arrival { signed: None, ..arrival }),
            event => event,
        })
    }

    /// Returns the request URL; a `#` would end the query.
    fn url(&self) -> String {
        format!("https://phone.example/telephony/webhook?{}", self.query.split('#').next().unwrap_or_default())
    }
}
