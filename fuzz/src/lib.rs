//! Shared by the targets: a client for an account, and a second implementation of Twilio's rules for forms and
//! signatures, to compare with ours.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use telephony_providers::twilio::Twilio;
use telephony_providers::twilio::account::TwilioAccount;

/// The SID of an account.
pub const ACCOUNT: &str = "AC00000000000000000000000000000001";
/// Its auth token.
pub const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// The content type of a form.
pub const FORM: &str = "application/x-www-form-urlencoded";

/// Returns a client for the account.
pub fn twilio(skips_signatures: bool) -> Twilio {
    Twilio::new(TwilioAccount {
        sid: ACCOUNT.to_owned(),
        auth_tokens: vec![SecretString::from(TOKEN)],
        shared_keys: BTreeMap::new(),
        api_key: None,
        api_url: "http://127.0.0.1:1".to_owned(),
        product_urls: Default::default(),
        connection_overrides: String::new(),
        skips_signatures,
    })
}

/// Returns the parameters of an urlencoded body in their original order.
pub fn decode_form(body: &[u8]) -> Vec<(String, String)> {
    let pairs = body.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let equals = pair.iter().position(|&byte| byte == b'=').unwrap_or(pair.len());
            (decode(&pair[..equals]), decode(pair.get(equals + 1..).unwrap_or_default()))
        })
        .collect()
}

fn decode(text: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                bytes.push(16 * digit(*high) + digit(*low));
                rest = after;
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn digit(hex: u8) -> u8 {
    match hex {
        b'0'..=b'9' => hex - b'0',
        _ => hex.to_ascii_lowercase() - b'a' + 10,
    }
}

/// Returns the string that Twilio signs after the URL: each distinct pair once, sorted, name and value without a
/// delimiter.
pub fn signed_params(body: &[u8]) -> String {
    let pairs: BTreeSet<_> = decode_form(body).into_iter().collect();
    pairs.into_iter().map(|(name, value)| name + &value).collect()
}

/// Returns the signature of a text with this auth token.
pub fn sign(token: &str, text: &str) -> String {
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(token.as_bytes()).expect("a key of any length");
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// Returns the SHA-256 of a body in the format of signed URLs.
pub fn sha256_hex(body: &[u8]) -> String {
    Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the first `N` lines of an input, as far as it has them, and the rest.
pub fn lines<const N: usize>(input: &[u8]) -> ([String; N], &[u8]) {
    let mut rest = input;
    let lines = std::array::from_fn(|_| {
        let end = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
        let line = String::from_utf8_lossy(&rest[..end]).into_owned();
        rest = rest.get(end + 1..).unwrap_or_default();
        line
    });
    (lines, rest)
}
