//! A signature by Twilio is accepted in every form of its URL, and no other signature is. The input is a line each of
//! URL, settings header, signature and content type, then the body.
#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use secrecy::{ExposeSecret, SecretString};
use telephony_fuzz::{FORM, lines, sha256_hex, sign, signed_params};
use telephony_providers::twilio::public_url::SplitUrl;
use telephony_providers::twilio::signature::{Payload, SignedRequest, Verifier, explain};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| Verifier::new(&tokens(), &shared_keys()));

fuzz_target!(|input: &[u8]| {
    let ([url, settings, signature, content_type], body) = lines(input);
    let mut case = Case { url, settings: Some(&settings), content_type: &content_type, body };
    assert!(!case.is_believed(&signature) && !case.is_explained(&signature), "a guess is believed");
    case.settings = None;
    case.is_judged_by_what_was_signed(&signature);
    case.content_type = FORM;
    case.is_judged_by_what_was_signed(&signature);
});

struct Case<'a> {
    url: String,
    settings: Option<&'a str>,
    content_type: &'a str,
    body: &'a [u8],
}

impl Case<'_> {
    fn is_judged_by_what_was_signed(&mut self, noise: &str) {
        let is_form = matches!(Payload::read(Some(self.content_type), self.body), Payload::Form(_));
        if !is_form && !self.is_covered() {
            candidates(&self.url).iter().for_each(|url| assert!(!self.is_believed(&sign(TOKEN, url))));
            self.url = with_hash(&self.url, self.body);
        }
        let params = if is_form { signed_params(self.body) } else { String::new() };
        let texts: Vec<_> = candidates(&self.url).into_iter().map(|url| url + &params).collect();
        for text in &texts {
            let is_covered = is_form || self.is_covered();
            let signature = sign(TOKEN, text);
            assert_eq!(self.is_believed(&signature), is_covered, "{text}");
            assert!(!is_covered || self.is_explained(&signature), "{text}");
            assert!(!self.is_believed(&with_a_byte_changed(&signature, noise)));
            let other = with_a_byte_changed(text, noise);
            assert!(texts.contains(&other) || !self.is_believed(&sign(TOKEN, &other)), "{other}");
        }
    }

    /// Returns true if a body that is not a form can be trusted once the URL is.
    fn is_covered(&self) -> bool {
        let query = SplitUrl::parse(&self.url).map_or("", |url| url.query());
        let hash = telephony_fuzz::decode_form(query.as_bytes()).into_iter().find(|(name, _)| name == "bodySHA256");
        hash.map_or(self.body.is_empty(), |(_, hash)| hash == sha256_hex(self.body))
    }

    fn is_believed(&self, signature: &str) -> bool {
        let payload = Payload::read(Some(self.content_type), self.body);
        VERIFIER.verify(&self.request(signature, &payload)).is_ok()
    }

    /// Returns true if the explanation says that the signature is valid.
    fn is_explained(&self, signature: &str) -> bool {
        let payload = Payload::read(Some(self.content_type), self.body);
        let explanation = explain(&tokens(), &shared_keys(), &self.request(signature, &payload));
        let lines = explanation.lines().concat();
        assert!(
            tokens().iter().all(|token| token.expose_secret().is_empty() || !lines.contains(token.expose_secret()))
        );
        explanation.refusal.is_none() && explanation.tried.iter().any(|tried| tried.matched)
    }

    fn request<'a>(&'a self, signature: &'a str, payload: &'a Payload<'a>) -> SignedRequest<'a> {
        let urls = std::slice::from_ref(&self.url);
        SignedRequest { urls, signature: signature.as_bytes(), settings: self.settings, payload }
    }
}

fn tokens() -> [SecretString; 3] {
    ["fedcba9876543210fedcba9876543210", TOKEN, ""].map(SecretString::from)
}

fn shared_keys() -> BTreeMap<String, SecretString> {
    BTreeMap::from([("k1".to_owned(), SecretString::from("ffeeddccbbaa99887766554433221100"))])
}

/// Returns the forms of a URL that Twilio may sign.
fn candidates(url: &str) -> Vec<String> {
    SplitUrl::parse(url).map_or_else(Vec::new, |url| url.candidates().map(|url| url.to_string()).collect())
}

fn with_hash(url: &str, body: &[u8]) -> String {
    let url = url.split('#').next().unwrap_or_default();
    let delimiter = if url.contains('?') { '&' } else { '?' };
    format!("{url}{delimiter}bodySHA256={}", sha256_hex(body))
}

/// Replaces one character of a text, chosen by the noise.
fn with_a_byte_changed(text: &str, noise: &str) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    let at = noise.bytes().fold(0, |sum, byte| 31 * sum % 65_521 + usize::from(byte)) % characters.len();
    characters[at] = if characters[at] == '0' { '1' } else { '0' };
    characters.into_iter().collect()
}
