//! Explains a verdict to an operator: what was checked, and which small change would have made it match.

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::near_miss::{NearMiss, find_near_miss};
use super::settings::Settings;
use super::{SignedRequest, Verifier, signed_text};
use crate::twilio::form::Pair;
use crate::twilio::public_url::PublicUrl;

/// What was checked for one request. Never holds a secret; it does hold what the contact wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Why the request is refused; `None` when it is valid.
    pub refusal: Option<String>,
    /// The text that was signed, where the signature matched one, else what would be with the first URL as it was given: the
    /// URL, then sorted names and values.
    pub signed_text: String,
    /// Every URL and secret that was tried.
    pub tried: Vec<Tried>,
    /// The smallest change that would have made a refused signature match.
    pub near_miss: Option<NearMiss>,
}

/// One URL with one secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The URL that was signed in this attempt.
    pub url: String,
    /// Name of the secret in the configuration.
    pub secret: String,
    /// Whether the signature is the one that came.
    pub matched: bool,
}

/// Explains what [`Verifier::verify`] says about a request, with the same secrets.
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
    /// The explanation as lines for a terminal.
    pub fn lines(&self) -> Vec<String> {
        let verdict = self.refusal.as_deref().unwrap_or("the signature is valid").to_owned();
        let mut lines = vec![format!("verdict: {verdict}"), format!("signed text: {}", self.signed_text)];
        lines.extend(self.tried.iter().map(Tried::line));
        lines.extend(self.near_miss.iter().flat_map(NearMiss::lines));
        lines
    }
}

impl Tried {
    fn line(&self) -> String {
        let outcome = if self.matched { "matches" } else { "does not match" };
        format!("tried: {} with {}: {outcome}", self.url, self.secret)
    }
}

fn tried(verifier: &Verifier, request: &SignedRequest<'_>, params: &[&Pair<'_>]) -> Vec<Tried> {
    let settings = Settings::parse(request.settings);
    let Ok(algorithm) = settings.algorithm.parse() else { return Vec::new() };
    let keys = verifier.keys(settings).unwrap_or_default();
    let urls = request.urls.iter().filter_map(|url| PublicUrl::parse(url));
    let candidates = urls.flat_map(|url| url.candidates());
    candidates
        .flat_map(|url| keys.iter().map(move |(name, key)| (url, name, key)))
        .map(|(url, name, key)| Tried {
            matched: key.has_signed(algorithm, signed_text(&url, params), request.signature),
            url: url.to_string(),
            secret: name.to_string(),
        })
        .collect()
}
