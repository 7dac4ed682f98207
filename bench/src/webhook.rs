//! Webhooks as Twilio sends them, signed in advance so that the generator only writes bytes.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

pub const ACCOUNT: &str = "AC00000000000000000000000000000000";

/// The auth token that signs.
pub const TOKEN: &str = "0123456789abcdef0123456789abcdef";

pub const OUR_NUMBER: &str = "+15550009999";

/// The public site, which is signed together with the path.
const SITE: &str = "https://bench.example";

/// The webhook's public URL.
pub const PUBLIC_URL: &str = "https://bench.example/telephony/webhook";

pub const PATH: &str = "/telephony/webhook";

/// Consecutive requests in one buffer.
#[derive(Debug, Default)]
pub struct Requests {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Requests {
    /// Creates one text per message number, from these contacts in turn. Each has its own SID.
    pub fn texts(numbers: Range<u64>, contacts: Range<u64>) -> Requests {
        let mut requests = Requests::default();
        for (number, contact) in numbers.zip(contacts.cycle()) {
            requests.push(&request(number, contact));
        }
        requests
    }

    /// Returns the number of requests.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns the bytes of one request.
    pub fn get(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.bytes[start..self.ends[index]]
    }

    fn push(&mut self, request: &[u8]) {
        self.bytes.extend_from_slice(request);
        self.ends.push(self.bytes.len());
    }
}

fn request(number: u64, contact: u64) -> Vec<u8> {
    post(PATH, &pairs(number, contact), number)
}

/// Creates a request of an incoming call for a document. The path is the webhook's for the first one.
pub fn call_request(path: &str, call: u64, request: u64, words: Option<&str>) -> Vec<u8> {
    let contact = contact(call);
    let mut pairs = vec![
        ("CallSid", sid("CA", call)),
        ("AccountSid", ACCOUNT.to_owned()),
        ("From", contact.clone()),
        ("Caller", contact),
        ("To", OUR_NUMBER.to_owned()),
        ("Called", OUR_NUMBER.to_owned()),
        ("CallStatus", if words.is_some() { "in-progress" } else { "ringing" }.to_owned()),
        ("Direction", "inbound".to_owned()),
        ("ApiVersion", "2010-04-01".to_owned()),
        ("FromCity", "SAN FRANCISCO".to_owned()),
        ("FromState", "CA".to_owned()),
        ("FromZip", "94105".to_owned()),
        ("FromCountry", "US".to_owned()),
    ];
    if let Some(words) = words {
        let heard = [("SpeechResult", words), ("Confidence", "0.93"), ("Language", "en-US")];
        pairs.extend(heard.map(|(name, value)| (name, value.to_owned())));
    }
    post(path, &pairs, request)
}

fn post(path: &str, pairs: &[(&str, String)], number: u64) -> Vec<u8> {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let signature = sign(path, pairs);
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: bench.example\r\nUser-Agent: TwilioProxy/1.1\r\nAccept: */*\r\n\
         Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\nContent-Length: {length}\r\n\
         I-Twilio-Idempotency-Token: {number:032x}\r\nX-Home-Region: us1\r\nX-Twilio-Signature: {signature}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Returns a SID. Like Twilio's, consecutive SIDs are in random order, which indexes must handle.
pub fn sid(kind: &str, number: u64) -> String {
    format!("{kind}{:016x}{:016x}", scatter(number), scatter(!number))
}

/// The finalizer of SplitMix64, a bijection.
fn scatter(number: u64) -> u64 {
    let mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// Returns every parameter that Twilio sends with a text.
fn pairs(number: u64, contact: u64) -> Vec<(&'static str, String)> {
    let sid = sid("SM", number);
    vec![
        ("ToCountry", "US".to_owned()),
        ("ToState", String::new()),
        ("SmsMessageSid", sid.clone()),
        ("NumMedia", "0".to_owned()),
        ("ToCity", String::new()),
        ("FromZip", "94105".to_owned()),
        ("SmsSid", sid.clone()),
        ("FromState", "CA".to_owned()),
        ("SmsStatus", "received".to_owned()),
        ("FromCity", "SAN FRANCISCO".to_owned()),
        ("Body", format!("Message {number}: will you be there at half past seven? Bring the blue folder, please.")),
        ("FromCountry", "US".to_owned()),
        ("To", OUR_NUMBER.to_owned()),
        ("ToZip", String::new()),
        ("NumSegments", "1".to_owned()),
        ("MessageSid", sid),
        ("AccountSid", ACCOUNT.to_owned()),
        ("From", self::contact(contact)),
        ("ApiVersion", "2010-04-01".to_owned()),
    ]
}

/// Returns the number of a contact. 555 is not an area code, so it belongs to no one.
fn contact(number: u64) -> String {
    format!("+1555{number:07}")
}

/// Returns Twilio's signature: HMAC-SHA1 over the URL and the parameters, sorted by name.
fn sign(path: &str, pairs: &[(&str, String)]) -> String {
    let mut sorted: Vec<_> = pairs.iter().collect();
    sorted.sort();
    #[allow(clippy::expect_used, reason = "HMAC takes keys of every length")]
    let mut mac = Hmac::<Sha1>::new_from_slice(TOKEN.as_bytes()).expect("a key");
    mac.update(SITE.as_bytes());
    mac.update(path.as_bytes());
    for (name, value) in sorted {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}
