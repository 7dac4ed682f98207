//! A secret prepared for checking signatures; the secret itself is not kept.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::settings::Algorithm;

/// Length of the longest signature in base64, that of HMAC-SHA256.
const LONGEST_SIGNATURE: usize = 44;

/// A secret in both algorithms, with the key-dependent work done.
#[derive(Clone)]
pub(super) struct SigningKey {
    sha1: Hmac<Sha1>,
    sha256: Hmac<Sha256>,
}

impl SigningKey {
    /// Returns `None` for an empty secret, which must never verify anything.
    pub(super) fn new(secret: &SecretString) -> Option<Self> {
        let secret = secret.expose_secret().as_bytes();
        if secret.is_empty() {
            return None;
        }
        Some(Self { sha1: Hmac::new_from_slice(secret).ok()?, sha256: Hmac::new_from_slice(secret).ok()? })
    }

    /// Returns the HMAC-SHA1 signature of the text, as Twilio writes it.
    pub(super) fn sign<'a>(&self, text: impl Iterator<Item = &'a str>) -> String {
        let mut mac = self.sha1.clone();
        text.for_each(|piece| mac.update(piece.as_bytes()));
        STANDARD.encode(mac.finalize().into_bytes())
    }

    /// Returns true if this secret makes exactly this signature of the text, given in pieces.
    pub(super) fn has_signed<'a>(
        &self,
        algorithm: Algorithm,
        text: impl Iterator<Item = &'a str>,
        signature: &[u8],
    ) -> bool {
        match algorithm {
            Algorithm::Sha1 => is_made_by(self.sha1.clone(), text, signature),
            Algorithm::Sha256 => is_made_by(self.sha256.clone(), text, signature),
        }
    }
}

/// Compares base64 texts, not the decoded bytes: a different spelling of the right bytes is not the signature.
fn is_made_by<'a>(mut mac: impl Mac, text: impl Iterator<Item = &'a str>, signature: &[u8]) -> bool {
    text.for_each(|piece| mac.update(piece.as_bytes()));
    let mut expected = [0; LONGEST_SIGNATURE];
    match STANDARD.encode_slice(mac.finalize().into_bytes(), &mut expected) {
        Ok(length) => expected[..length].ct_eq(signature).into(),
        Err(_) => false,
    }
}
