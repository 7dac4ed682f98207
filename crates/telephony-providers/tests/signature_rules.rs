//! The secret, URL and body that a signature must match, and the explanation when it does not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;

use base64::Engine;
use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use secrecy::SecretString;
use telephony_providers::twilio::signature::{
    Explanation, Payload, SecretName, SignatureRefusal, SignedRequest, Verifier, explain,
};

const URL: &str = "https://phone.example/telephony/webhook?line=1";
const FORM: Option<&str> = Some("application/x-www-form-urlencoded; charset=UTF-8");
const BODY: &[u8] = b"To=%2B15550001234&From=%2B15550005678&Body=Hi";
const PARAMS: &str = "BodyHiFrom+15550005678To+15550001234";

fn sign(secret: &str, text: &str) -> String {
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    base64::prelude::BASE64_STANDARD.encode(mac.finalize().into_bytes())
}

fn sign_sha256(secret: &str, text: &str) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    base64::prelude::BASE64_STANDARD.encode(mac.finalize().into_bytes())
}

fn secrets(tokens: &[&str]) -> Vec<SecretString> {
    tokens.iter().map(|&token| SecretString::from(token)).collect()
}

fn shared_keys() -> BTreeMap<String, SecretString> {
    BTreeMap::from([("k1".to_owned(), SecretString::from("first")), ("k2".to_owned(), SecretString::from("second"))])
}

struct Case<'a> {
    urls: Vec<String>,
    signature: String,
    settings: Option<&'a str>,
    payload: Payload<'a>,
}

impl<'a> Case<'a> {
    fn form(signature: String) -> Self {
        Self { urls: vec![URL.to_owned()], signature, settings: None, payload: Payload::read(FORM, BODY) }
    }

    fn request(&self) -> SignedRequest<'_> {
        SignedRequest {
            urls: &self.urls,
            signature: self.signature.as_bytes(),
            settings: self.settings,
            payload: &self.payload,
        }
    }

    fn signer(&self, tokens: &[&str]) -> Result<String, String> {
        let verifier = Verifier::new(&secrets(tokens), &shared_keys());
        let verdict = verifier.verify(&self.request());
        verdict.map(|signer| format!("{} {}", signer.secret, signer.url)).map_err(|refusal| refusal.to_string())
    }

    fn explain(&self, tokens: &[&str]) -> Explanation {
        explain(&secrets(tokens), &shared_keys(), &self.request())
    }
}

#[test]
fn both_tokens_verify_during_a_rotation() {
    let case = Case::form(sign("old", &format!("{URL}{PARAMS}")));
    assert_eq!(case.signer(&["new", "old"]).unwrap(), format!("twilio.previousAuthTokens[0] {URL}"));
    assert!(case.signer(&["new"]).is_err());
    assert_eq!(Case::form(sign("new", &format!("{URL}{PARAMS}"))).signer(&["new", "old"]).unwrap(), {
        format!("twilio.authToken {URL}")
    });
}

#[test]
fn an_empty_token_verifies_nothing_even_if_it_signed() {
    let case = Case::form(sign("", &format!("{URL}{PARAMS}")));
    assert!(case.signer(&["", "other"]).is_err());
    let verifier = Verifier::new(&secrets(&[""]), &BTreeMap::new());
    assert_eq!(verifier.verify(&case.request()), Err(SignatureRefusal::NoSecret));
}

#[test]
fn the_settings_choose_one_shared_key_and_no_other_secret() {
    let mut case = Case::form(sign_sha256("second", &format!("{URL}{PARAMS}")));
    case.settings = Some("key=k2,algorithm=HMAC_SHA256");
    assert_eq!(case.signer(&["token"]).unwrap(), format!("twilio.sharedKeys.k2 {URL}"));
    case.settings = Some("key=k1,algorithm=HMAC_SHA256");
    assert!(case.signer(&["token", "second"]).is_err());
    case.settings = Some("key=k3,algorithm=HMAC_SHA256");
    assert!(case.signer(&["token"]).unwrap_err().contains("`k3`"));
    case.settings = Some("key=k2,algorithm=NONE");
    assert!(case.signer(&["token"]).unwrap_err().contains("`NONE`"));
}

#[test]
fn any_public_url_verifies() {
    let mut case = Case::form(sign("token", &format!("{URL}{PARAMS}")));
    case.urls.insert(0, "https://tunnel.example/telephony/webhook?line=1".to_owned());
    assert_eq!(case.signer(&["token"]).unwrap(), format!("twilio.authToken {URL}"));
    case.urls = vec!["/telephony/webhook".to_owned()];
    let verifier = Verifier::new(&secrets(&["token"]), &BTreeMap::new());
    assert_eq!(verifier.verify(&case.request()), Err(SignatureRefusal::MalformedUrl));
}

#[test]
fn another_body_needs_its_hash_in_the_signed_url() {
    let verifier = Verifier::new(&secrets(&["token"]), &BTreeMap::new());
    let judge = |url: &str, body: &[u8]| {
        let payload = Payload::read(Some("application/json"), body);
        let (urls, signature) = ([url.to_owned()], sign("token", url));
        let request = SignedRequest { urls: &urls, signature: signature.as_bytes(), settings: None, payload: &payload };
        verifier
            .verify(&request)
            .map(|signer| matches!(signer.secret, SecretName::AuthToken(0)))
            .map_err(|e| e.to_string())
    };
    let hash = "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862";
    assert_eq!(judge(&format!("https://a.b/?bodySHA256={hash}"), br#"{"a":1}"#), Ok(true));
    assert_eq!(judge("https://a.b/", br#"{"a":1}"#), Err(SignatureRefusal::BodyNotCovered.to_string()));
    assert_eq!(judge(&format!("https://a.b/?bodySHA256={hash}"), b""), Err(SignatureRefusal::BodyChanged.to_string()));
    assert_eq!(judge("https://a.b/", b""), Ok(true));
}

fn differences(case: &Case<'_>, tokens: &[&str]) -> String {
    let explanation = case.explain(tokens);
    assert!(explanation.refusal.is_some());
    assert!(explanation.tried.iter().all(|tried| !tried.matched));
    explanation.near_miss.map(|miss| format!("{} {} {:?}", miss.url, miss.secret, miss.differences)).unwrap_or_default()
}

#[test]
fn a_wrong_public_url_is_explained_by_the_signed_one() {
    for (signed, expected) in [
        ("http://phone.example/telephony/webhook?line=1", "starts with http:"),
        ("https://phone.example/telephony/webhook/?line=1", "one slash more or less"),
        ("https://phone.example/telephony/webhook", "no query"),
        ("http://phone.example/telephony/webhook/", "one slash more or less"),
    ] {
        let found = differences(&Case::form(sign("token", &format!("{signed}{PARAMS}"))), &["token"]);
        assert!(found.contains(signed) && found.contains(expected), "{signed}: {found}");
    }
    let mut case = Case::form(sign("token", &format!("{URL}{PARAMS}")));
    case.urls = vec![URL.replace("phone.example", "Phone.Example")];
    assert!(differences(&case, &["token"]).contains("lower case"));
}

#[test]
fn white_space_in_the_token_is_explained() {
    let case = Case::form(sign("token", &format!("{URL}{PARAMS}")));
    assert!(differences(&case, &["token\n"]).contains("twilio.authToken, without the white space"));
}

#[test]
fn parameters_that_were_not_signed_are_named() {
    assert!(differences(&Case::form(sign("token", URL)), &["token"]).contains("as with a GET request"));
}

#[test]
fn an_explanation_shows_the_signed_text_and_never_a_token() {
    let valid = Case::form(sign("s3cr3t", &format!("{URL}{PARAMS}"))).explain(&["s3cr3t"]);
    assert_eq!((valid.refusal.as_deref(), &valid.near_miss), (None, &None));
    assert_eq!(valid.signed_text, format!("{URL}{PARAMS}"));
    assert_eq!(valid.tried.iter().filter(|tried| tried.matched).count(), 1);
    let forged = Case::form("forged".to_owned()).explain(&["s3cr3t"]);
    assert_eq!(forged.near_miss, None);
    assert_eq!(forged.tried.len(), 2);
    let lines = [valid.lines(), forged.lines()].concat().join("\n");
    assert!(!lines.contains("s3cr3t"), "{lines}");
    assert!(lines.contains("verdict: the signature is valid"), "{lines}");
}

proptest! {
    #[test]
    fn unsigned_input_is_rejected_without_a_panic(
        url in "\\PC{0,40}|https?://\\PC{0,30}", signature in "\\PC{0,40}", settings in proptest::option::of("\\PC{0,30}"),
        body in proptest::collection::vec(any::<u8>(), 0..60), content_type in proptest::option::of("\\PC{0,20}"),
    ) {
        let verifier = Verifier::new(&secrets(&["token"]), &shared_keys());
        for content_type in [FORM, content_type.as_deref()] {
            let payload = Payload::read(content_type, &body);
            let urls = [url.clone()];
            let request =
                SignedRequest { urls: &urls, signature: signature.as_bytes(), settings: settings.as_deref(), payload: &payload };
            prop_assert!(verifier.verify(&request).is_err());
        }
    }

    #[test]
    fn any_signed_content_is_accepted(
        pairs in proptest::collection::vec(("[ -~é😀]{0,8}", "\\PC{0,20}"), 0..8), path in "[!-\"$->@-~]{0,20}",
    ) {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
        let sorted: std::collections::BTreeSet<_> = pairs.iter().collect();
        let params: String = sorted.into_iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]).collect();
        let url = format!("https://phone.example/{path}");
        let (signature, urls) = (sign("token", &format!("{url}{params}")), [url]);
        let payload = Payload::read(FORM, body.as_bytes());
        let request = SignedRequest { urls: &urls, signature: signature.as_bytes(), settings: None, payload: &payload };
        prop_assert!(Verifier::new(&secrets(&["token"]), &BTreeMap::new()).verify(&request).is_ok());
    }
}
