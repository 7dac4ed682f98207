//! Explains a result to an operator: what was checked, and which small change would have made it match.

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::near_miss::{NearMiss, find_near_miss};
use super::settings::SignatureSettings;
use super::{SignedRequest, Verifier, signed_text};
use crate::twilio::form::Pair;
use crate::twilio::public_url::SplitUrl;

/// The details of checking one request. Contains no secret, but the contact's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Reason for the rejection; `None` if it is valid.
    pub refusal: Option<String>,
    /// Signed text if the signature matched, else the text for the first URL as given: the URL, then sorted names and
    /// values.
    pub signed_text: String,
    /// Every URL and secret tried.
    pub tried: Vec<TriedUrl>,
    /// Smallest change that would have made a rejected signature match.
    pub near_miss: Option<NearMiss>,
}

/// One URL with one secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriedUrl {
    /// URL of this attempt.
    pub url: String,
    /// Name of the secret in the configuration.
    pub secret: String,
    /// True if the signature matched.
    pub matched: bool,
}

/// Explains the result of [`Verifier::verify`] for a request, with the same secrets.
pub fn explain(
    tokens: &[SecretString],
    shared_keys: &BTreeMap<String, SecretString>,
    request: &SignedRequest<'_>,
) -> Explanation {
    let verifier = Verifier::new(tokens, shared_keys);
    let refusal = verifier.verify(request).err();
    let params = request.payload.sorted_params();
    let tried = tried(&verifier, request, &params);
    let matched = tried.iter().find(|tried| tried.matched).map(|tried| tried.url.clone());
    let url = matched.or_else(|| request.urls.first().cloned()).unwrap_or_default();
    Explanation {
        refusal: refusal.map(|refusal| refusal.to_string()),
        signed_text: params.iter().fold(url, |text, (name, value)| text + name + value),
        tried,
        near_miss: refusal.and_then(|refusal| find_near_miss(tokens, shared_keys, request, refusal)),
    }
}

impl Explanation {
    /// Formats the explanation for a terminal.
    pub fn lines(&self) -> Vec<String> {
        let verdict = self.refusal.as_deref().unwrap_or("the signature is valid").to_owned();
        let mut lines = vec![format!("verdict: {verdict}"), format!("signed text: {}", self.signed_text)];
        lines.extend(self.tried.iter().map(TriedUrl::line));
        lines.extend(self.near_miss.iter().flat_map(NearMiss::lines));
        lines
    }
}

impl TriedUrl {
    fn line(&self) -> String {
        let outcome = if self.matched { "matches" } else { "does not match" };
        format!("tried: {} with {}: {outcome}", self.url, self.secret)
    }
}

fn tried(verifier: &Verifier, request: &SignedRequest<'_>, params: &[&Pair<'_>]) -> Vec<TriedUrl> {
    let settings = SignatureSettings::parse(request.settings);
    let Ok(algorithm) = settings.algorithm.parse() else { return Vec::new() };
    let keys = verifier.keys(settings).unwrap_or_default();
    let urls = request.urls.iter().filter_map(|url| SplitUrl::parse(url));
    let candidates = urls.flat_map(|url| url.candidates());
    candidates
        .flat_map(|url| keys.iter().map(move |(name, key)| (url, name, key)))
        .map(|(url, name, key)| TriedUrl {
            matched: key.has_signed(algorithm, signed_text(&url, params), request.signature),
            url: url.to_string(),
            secret: name.to_string(),
        })
        .collect()
}
