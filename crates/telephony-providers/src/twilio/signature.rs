//! Decides whether Twilio signed a request; the caller provides the public URL and acts on the result.

mod explain;
mod key;
mod near_miss;
mod payload;
mod settings;

use std::collections::BTreeMap;
use std::fmt;

use secrecy::SecretString;

pub use self::explain::{Explanation, TriedUrl, explain};
use self::key::SigningKey;
pub use self::near_miss::NearMiss;
pub use self::payload::Payload;
pub use self::settings::SignatureSettings;
use super::form::Pair;
use super::public_url::{SplitUrl, UrlCandidate};

/// Header with the signature of a webhook and of a WebSocket upgrade.
pub const SIGNATURE_HEADER: &str = "x-twilio-signature";

/// Header with the shared key and the algorithm, if they are not the auth token and HMAC-SHA1.
pub const SETTINGS_HEADER: &str = "x-twilio-webhooks-signature-settings";

/// Checks signatures against the account's auth tokens and shared keys.
pub struct Verifier {
    tokens: Vec<Option<SigningKey>>,
    shared_keys: BTreeMap<String, SigningKey>,
}

/// A request to verify, with nothing trusted yet.
#[derive(Debug, Clone, Copy)]
pub struct SignedRequest<'a> {
    /// URLs that Twilio may have called, likeliest first, each with the request's own query.
    pub urls: &'a [String],
    /// Value of [`SIGNATURE_HEADER`].
    pub signature: &'a [u8],
    /// Value of [`SETTINGS_HEADER`], if present.
    pub settings: Option<&'a str>,
    /// Body, read according to its type.
    pub payload: &'a Payload<'a>,
}

/// The signing secret and the signed form of the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signer<'a> {
    /// The secret that made the matching signature.
    pub secret: SecretName<'a>,
    /// Signed form of the URL.
    pub url: UrlCandidate<'a>,
}

/// The name of a configured secret, for logs and explanations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretName<'a> {
    /// The auth token at this index: 0 is the current one.
    AuthToken(usize),
    /// The shared key with this id.
    SharedKey(&'a str),
}

/// A reason for rejecting a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureRefusal<'a> {
    /// No non-empty token or key is configured.
    #[error("no auth token is configured, so no signature can be checked: set twilio.authToken")]
    NoSecret,
    /// The settings header names an unknown algorithm.
    #[error("unknown signature algorithm `{0}`: only HMAC_SHA1 and HMAC_SHA256 are supported")]
    UnknownAlgorithm(&'a str),
    /// The settings header names a shared key that is not configured.
    #[error("the request is signed with shared key `{0}`, which is not in twilio.sharedKeys")]
    UnknownKey(&'a str),
    /// The public URL has no scheme or no host.
    #[error("the public URL is not a complete URL: scheme, host and path are needed")]
    MalformedUrl,
    /// The body is not a form, and the signed URL has no hash of it.
    #[error("the body is not a form and the URL has no bodySHA256 that covers it")]
    BodyNotCovered,
    /// The body differs from the one whose hash was signed.
    #[error("the body's SHA-256 differs from the URL's bodySHA256")]
    BodyChanged,
    /// No secret makes this signature for this URL and these parameters.
    #[error("the signature matches neither the URL nor any form of it that Twilio signs")]
    Mismatch,
}

impl Verifier {
    /// Creates a verifier for these auth tokens, the current one first, and these shared keys by id.
    ///
    /// An empty secret never verifies anything.
    pub fn new(tokens: &[SecretString], shared_keys: &BTreeMap<String, SecretString>) -> Self {
        Self {
            tokens: tokens.iter().map(SigningKey::new).collect(),
            shared_keys: shared_keys
                .iter()
                .filter_map(|(id, secret)| Some((id.clone(), SigningKey::new(secret)?)))
                .collect(),
        }
    }

    /// Finds the signer by trying every possible secret on every form of the URLs.
    pub fn verify<'a>(&'a self, request: &SignedRequest<'a>) -> Result<Signer<'a>, SignatureRefusal<'a>> {
        let settings = SignatureSettings::parse(request.settings);
        let algorithm =
            settings.algorithm.parse().map_err(|()| SignatureRefusal::UnknownAlgorithm(settings.algorithm))?;
        let keys = self.keys(settings)?;
        let urls = request.payload.covering(request.urls)?;
        let params = request.payload.sorted_params();
        for url in urls.iter().flat_map(SplitUrl::candidates) {
            for &(secret, key) in &keys {
                if key.has_signed(algorithm, signed_text(&url, &params), request.signature) {
                    return Ok(Signer { secret, url });
                }
            }
        }
        Err(SignatureRefusal::Mismatch)
    }

    /// Returns the secrets that may have signed: the shared key in the settings, else every auth token.
    fn keys<'a>(
        &'a self,
        settings: SignatureSettings<'a>,
    ) -> Result<Vec<(SecretName<'a>, &'a SigningKey)>, SignatureRefusal<'a>> {
        if let Some(id) = settings.shared_key() {
            let key = self.shared_keys.get(id).ok_or(SignatureRefusal::UnknownKey(id))?;
            return Ok(vec![(SecretName::SharedKey(id), key)]);
        }
        let numbered = self.tokens.iter().enumerate();
        let keys: Vec<_> = numbered.filter_map(|(n, key)| Some((SecretName::AuthToken(n), key.as_ref()?))).collect();
        if keys.is_empty() { Err(SignatureRefusal::NoSecret) } else { Ok(keys) }
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<_> = self.shared_keys.keys().collect();
        f.debug_struct("Verifier").field("tokens", &self.tokens.len()).field("shared_keys", &ids).finish()
    }
}

impl fmt::Display for SecretName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AuthToken(0) => f.write_str("twilio.authToken"),
            Self::AuthToken(n) => write!(f, "twilio.previousAuthTokens[{}]", n - 1),
            Self::SharedKey(id) => write!(f, "twilio.sharedKeys.{id}"),
        }
    }
}

/// Returns the signature that Twilio would make of a request to `url` with this body; none for an empty token or an
/// invalid URL. Ignores shared keys.
pub fn sign(token: &SecretString, url: &str, payload: &Payload<'_>) -> Option<String> {
    let (key, url) = (SigningKey::new(token)?, SplitUrl::parse(url)?);
    let params = payload.sorted_params();
    let url = url.candidates().next()?;
    Some(key.sign(signed_text(&url, &params)))
}

/// Returns the signed text in pieces: the URL, then name and value of each parameter, without delimiters.
fn signed_text<'a>(url: &UrlCandidate<'a>, params: &'a [&'a Pair<'a>]) -> impl Iterator<Item = &'a str> {
    url.pieces().chain(params.iter().flat_map(|(name, value)| [name.as_ref(), value.as_ref()]))
}
