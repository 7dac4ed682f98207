//! However one signed text is divided into fields, the message keeps its id and its sender, or it is rejected. The
//! input is a line with a stranger's text, then three bytes for each field: two for its start, and one for the length
//! of its name.
#![no_main]

use std::sync::LazyLock;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use libfuzzer_sys::fuzz_target;
use telephony_fuzz::{ACCOUNT, FORM, TOKEN, lines, sign, twilio};
use telephony_providers::provider::{WebhookEvent, Unverified, Webhooks};
use telephony_providers::twilio::Twilio;

const SID: &str = "SM0123456789abcdef0123456789abcdef";
const FROM: &str = "+15550005678";
const URL: &str = "https://phone.example/telephony/webhook";

static TWILIO: LazyLock<Twilio> = LazyLock::new(|| twilio(false));

fuzz_target!(|input: &[u8]| {
    let ([body], cuts) = lines(input);
    let text = format!(
        "AccountSid{ACCOUNT}ApiVersion2010-04-01Body{body}From{FROM}FromCityPARISMessageSid{SID}NumMedia0NumSegments1\
         SmsMessageSid{SID}SmsSid{SID}SmsStatusreceivedTo+15550001234ToCity"
    );
    let fields = cut(&text, cuts);
    if !fields.is_sorted() {
        return;
    }
    if let Ok(WebhookEvent::Message(arrival)) = verdict(&text, &fields) {
        assert_eq!(arrival.provider_id, SID, "{fields:?}");
        assert!(arrival.from.starts_with(FROM) || arrival.origin().person().is_none(), "{fields:?}");
    }
});

fn cut<'t>(text: &'t str, cuts: &[u8]) -> Vec<(&'t str, &'t str)> {
    let inside = |place: usize| (place.min(text.len())..).find(|&place| text.is_char_boundary(place)).unwrap_or(text.len());
    let places = cuts.chunks_exact(3).map(|cut| {
        let start = inside(usize::from(u16::from_be_bytes([cut[0], cut[1]])) % (text.len() + 1));
        (start, inside(start + usize::from(cut[2])))
    });
    let mut places: Vec<_> = [(0, "AccountSid".len())].into_iter().chain(places).collect();
    places.sort_unstable();
    places.dedup_by_key(|(start, _)| *start);
    let ends = places.iter().skip(1).map(|(start, _)| *start).chain([text.len()]).collect::<Vec<_>>();
    let fields = places.into_iter().zip(ends);
    fields.map(|((start, name_end), end)| text[start..end].split_at(name_end.min(end) - start)).collect()
}

fn verdict(text: &str, fields: &[(&str, &str)]) -> Result<WebhookEvent, telephony_providers::provider::Rejection> {
    let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let pairs: Vec<_> = fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    let body = Bytes::from(pairs.join("&"));
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static(FORM));
    if let Ok(signature) = HeaderValue::from_str(&sign(TOKEN, &format!("{URL}{text}"))) {
        headers.insert("x-twilio-signature", signature);
    }
    let urls = [URL.to_owned()];
    let request = Unverified { method: &Method::POST, urls: &urls, query: "", headers: &headers, body: &body };
    TWILIO.verify(&request).map(|event| event.into_inner())
}
