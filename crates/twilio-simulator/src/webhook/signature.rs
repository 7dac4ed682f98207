//! `X-Twilio-Signature`: HMAC-SHA1 over the URL and the sorted form parameters.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

/// Returns the string to sign: the URL, then names and values sorted by name and value, without duplicate pairs.
pub(super) fn what_is_signed(url: &str, parameters: &[(String, String)]) -> String {
    let mut sorted: Vec<_> = parameters.iter().collect();
    sorted.sort();
    sorted.dedup();
    let pairs = sorted.into_iter().flat_map(|(name, value)| [name.as_str(), value]);
    std::iter::once(url).chain(pairs).collect()
}

/// Signs with an auth token and returns base64.
pub(super) fn sign(auth_token: &str, signed: &str) -> String {
    // HMAC accepts keys of any length.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(auth_token.as_bytes()) else { return String::new() };
    mac.update(signed.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::{sign, what_is_signed};

    #[derive(serde::Deserialize)]
    struct Vector {
        id: String,
        url: String,
        token: String,
        params: Vec<(String, String)>,
        signature: String,
    }

    #[test]
    fn the_official_sdk_would_accept_every_signature() {
        let vectors: Vec<Vector> =
            serde_json::from_str(include_str!("../../tests/data/signature_vectors.json")).unwrap();
        assert!(vectors.len() > 40);
        for vector in vectors {
            let signed = what_is_signed(&vector.url, &vector.params);
            assert_eq!(sign(&vector.token, &signed), vector.signature, "{}", vector.id);
        }
    }
}
