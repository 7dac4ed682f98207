//! Finds the smallest change of URL, parameters or secret under which a rejected signature would match.

use std::collections::{BTreeMap, BTreeSet};

use secrecy::{ExposeSecret, SecretString};

use super::key::SigningKey;
use super::settings::Algorithm;
use super::{SecretName, SignatureRefusal, SignedRequest};
use crate::twilio::form::FormParameters;
use crate::twilio::public_url::SplitUrl;

/// Maximum number of combined changes: more would explain anything.
const CHANGES_AT_ONCE: u32 = 3;

/// The request that was really signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearMiss {
    /// URL that was signed instead of ours.
    pub url: String,
    /// Name of the secret in the configuration, and the algorithm.
    pub secret: String,
    /// Differences and remedies; empty if only secret or algorithm differ.
    pub differences: Vec<&'static str>,
}

impl NearMiss {
    /// Formats the near miss for a terminal.
    pub fn lines(&self) -> Vec<String> {
        let found = format!("would match: {} with {}", self.url, self.secret);
        std::iter::once(found).chain(self.differences.iter().map(|text| format!("difference: {text}"))).collect()
    }
}

/// A request as a different party may have seen it.
#[derive(Clone)]
struct SeenRequest {
    url: String,
    params: BTreeSet<(String, String)>,
    is_verbatim: bool,
    differences: Vec<&'static str>,
}

type RequestChange = (&'static str, fn(&mut SeenRequest));

const CHANGES: [RequestChange; 10] = [
    ("the signed URL starts with https: use that scheme in publicUrl", |attempt| attempt.set_scheme("https")),
    ("the signed URL starts with http: use that scheme in publicUrl", |attempt| attempt.set_scheme("http")),
    ("the signed URL starts with wss: a WebSocket's URL must be rebuilt with that scheme", |attempt| {
        attempt.set_scheme("wss");
    }),
    ("the signed URL has one slash more or less at the end of its path", SeenRequest::toggle_slash),
    ("the signed URL has its host in lower case", SeenRequest::lower_host),
    ("the signed URL has no query", SeenRequest::drop_query),
    ("the signed URL has the query's pairs as parameters behind it", SeenRequest::move_query),
    ("the parameters of the body were not signed, as with a GET request", |attempt| attempt.params.clear()),
    ("values were signed without the white space around them", SeenRequest::trim_values),
    ("the URL was signed with its userinfo or its #fragment, which Twilio itself never does", |attempt| {
        attempt.is_verbatim = true;
    }),
];

/// Returns the first match, fewer changes before more; for a changed body, reports that only the body differs.
pub(super) fn find_near_miss(
    tokens: &[SecretString],
    shared_keys: &BTreeMap<String, SecretString>,
    request: &SignedRequest<'_>,
    refusal: SignatureRefusal<'_>,
) -> Option<NearMiss> {
    let secrets = secrets(tokens, shared_keys);
    let originals: Vec<_> = request.urls.iter().map(|url| SeenRequest::original(url, request, refusal)).collect();
    let mut sets: Vec<u32> = (0..1 << CHANGES.len()).filter(|set: &u32| set.count_ones() <= CHANGES_AT_ONCE).collect();
    sets.sort_by_key(|set| set.count_ones());
    let attempts = sets.into_iter().flat_map(|set| originals.iter().map(move |original| original.changed(set)));
    attempts.into_iter().find_map(|attempt| attempt.signer(&secrets, request.signature))
}

/// Returns every secret by name, and once more trimmed if it has whitespace around it.
fn secrets(tokens: &[SecretString], shared_keys: &BTreeMap<String, SecretString>) -> Vec<(String, SigningKey)> {
    let tokens = tokens.iter().enumerate().map(|(n, secret)| (SecretName::AuthToken(n), secret));
    let shared = shared_keys.iter().map(|(id, secret)| (SecretName::SharedKey(id), secret));
    let named = tokens.chain(shared).flat_map(|(name, secret)| {
        let exposed = secret.expose_secret();
        let trimmed = exposed.trim();
        let without_space = (trimmed != exposed).then(|| {
            (format!("{name}, without the white space around it,"), SigningKey::new(&SecretString::from(trimmed)))
        });
        [Some((name.to_string(), SigningKey::new(secret))), without_space]
    });
    named.flatten().filter_map(|(name, key)| Some((name, key?))).collect()
}

impl SeenRequest {
    fn original(url: &str, request: &SignedRequest<'_>, refusal: SignatureRefusal<'_>) -> Self {
        let is_body_wrong = matches!(refusal, SignatureRefusal::BodyChanged | SignatureRefusal::BodyNotCovered);
        let params = request.payload.sorted_params().into_iter();
        Self {
            url: url.to_owned(),
            params: params.map(|(name, value)| (name.to_string(), value.to_string())).collect(),
            is_verbatim: false,
            differences: is_body_wrong.then_some("the body differs from the signed one").into_iter().collect(),
        }
    }

    fn changed(&self, set: u32) -> Self {
        let mut attempt = self.clone();
        for (n, (difference, change)) in CHANGES.iter().enumerate() {
            if set & (1 << n) != 0 {
                change(&mut attempt);
                attempt.differences.push(difference);
            }
        }
        attempt
    }

    fn signer(&self, secrets: &[(String, SigningKey)], signature: &[u8]) -> Option<NearMiss> {
        let algorithms = [(Algorithm::Sha1, "HMAC_SHA1"), (Algorithm::Sha256, "HMAC_SHA256")];
        for url in self.urls() {
            for (name, key) in secrets {
                for (algorithm, title) in algorithms {
                    if key.has_signed(algorithm, self.signed_text(&url), signature) {
                        let secret = format!("{name} and {title}");
                        return Some(NearMiss { url, secret, differences: self.differences.clone() });
                    }
                }
            }
        }
        None
    }

    fn urls(&self) -> Vec<String> {
        match SplitUrl::parse(&self.url) {
            Some(url) if !self.is_verbatim => url.candidates().map(|candidate| candidate.to_string()).collect(),
            _ => vec![self.url.clone()],
        }
    }

    fn signed_text<'a>(&'a self, url: &'a str) -> impl Iterator<Item = &'a str> {
        std::iter::once(url).chain(self.params.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]))
    }

    fn set_scheme(&mut self, scheme: &str) {
        if let Some((_, rest)) = self.url.split_once("://") {
            self.url = format!("{scheme}://{rest}");
        }
    }

    fn toggle_slash(&mut self) {
        let end = self.url.find(['?', '#']).unwrap_or(self.url.len());
        if self.url[..end].ends_with('/') {
            self.url.remove(end - 1);
        } else {
            self.url.insert(end, '/');
        }
    }

    fn lower_host(&mut self) {
        let start = self.url.find("://").map_or(0, |colon| colon + 3);
        let end = self.url[start..].find(['/', '?', '#']).map_or(self.url.len(), |length| start + length);
        self.url[start..end].make_ascii_lowercase();
    }

    fn drop_query(&mut self) {
        self.url.truncate(self.url.find('?').unwrap_or(self.url.len()));
    }

    fn move_query(&mut self) {
        let url = self.url.split('#').next().unwrap_or_default();
        let query = url.split_once('?').map_or("", |(_, query)| query);
        let pairs = FormParameters::parse(query.as_bytes());
        self.params.extend(pairs.pairs().iter().map(|(name, value)| (name.to_string(), value.to_string())));
        self.drop_query();
    }

    fn trim_values(&mut self) {
        self.params = self.params.iter().map(|(name, value)| (name.clone(), value.trim().to_owned())).collect();
    }
}
