//! Signatures from Twilio's own library are verified correctly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde_json::Value;
use telephony_providers::twilio::signature::{Payload, SignatureSettings, SignedRequest, Verifier};

const KEY: &str = "webhooks_sharedkey_01";

fn vectors() -> Value {
    serde_json::from_str(include_str!("data/signature_vectors.json")).unwrap()
}

/// The vector's token serves as the auth token, and as the shared key of the algorithms that need one.
fn is_valid(vector: &Value) -> bool {
    let text = |name: &str| vector[name].as_str();
    let token = SecretString::from(text("token").unwrap());
    let verifier = Verifier::new(std::slice::from_ref(&token), &BTreeMap::from([(KEY.to_owned(), token.clone())]));
    let settings = match text("algorithm").unwrap() {
        "HMAC_SHA1" => None,
        algorithm => Some(format!("key={KEY},algorithm={algorithm}")),
    };
    let body = text("form_body").or(text("body")).unwrap_or_default();
    let payload = Payload::read(text("content_type"), body.as_bytes());
    let request = SignedRequest {
        urls: &[text("url").unwrap().to_owned()],
        signature: text("signature").unwrap().as_bytes(),
        settings: settings.as_deref(),
        payload: &payload,
    };
    verifier.verify(&request).is_ok()
}

#[test]
fn every_signature_of_the_official_library_gets_its_verdict() {
    let data = vectors();
    let vectors = data["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 177);
    for vector in vectors {
        if let Some(expected) = vector["recommended"].as_bool() {
            assert_eq!(is_valid(vector), expected, "{}: {}", vector["id"], vector["description"]);
        }
    }
}

#[test]
fn a_form_reads_as_the_official_library_reads_it() {
    for vector in vectors()["vectors"].as_array().unwrap() {
        let Some(body) = vector["form_body"].as_str() else { continue };
        let form = telephony_providers::twilio::form::FormParameters::parse(body.as_bytes());
        let pairs: Vec<_> = form.pairs().iter().map(|(name, value)| serde_json::json!([name, value])).collect();
        assert_eq!(Value::from(pairs), vector["params"], "{}", vector["id"]);
    }
}

#[test]
fn every_settings_header_names_its_algorithm() {
    let data = vectors();
    let headers = data["signature_settings_header"].as_array().unwrap();
    assert_eq!(headers.len(), 13);
    for header in headers {
        let settings = SignatureSettings::parse(header["header"].as_str());
        assert_eq!(settings.algorithm, header["algorithm"].as_str().unwrap(), "{header}");
    }
}
