//! Bodies of webhooks, and how a signature covers them.

use std::fmt;

use sha2::{Digest, Sha256};

use super::SignatureRefusal;
use crate::twilio::form::{FormParameters, Pair};
use crate::twilio::public_url::SplitUrl;

/// A body, interpreted by its content type. The method does not matter.
pub enum Payload<'a> {
    /// Form parameters, each of which is signed.
    Form(FormParameters<'a>),
    /// Anything else: its SHA-256 is in the signed URL. Must be empty if the URL has none.
    Opaque(&'a [u8]),
}

impl<'a> Payload<'a> {
    /// Reads a body by its content type.
    pub fn read(content_type: Option<&str>, body: &'a [u8]) -> Self {
        let essence = content_type.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            Self::Form(FormParameters::parse(body))
        } else {
            Self::Opaque(body)
        }
    }

    /// Returns those of the URLs whose signature would cover the body; never empty.
    pub(super) fn covering<'u>(&self, urls: &'u [String]) -> Result<Vec<SplitUrl<'u>>, SignatureRefusal<'static>> {
        let (mut covering, mut refusal) = (Vec::new(), SignatureRefusal::MalformedUrl);
        for url in urls.iter().filter_map(|url| SplitUrl::parse(url)) {
            match self.covered_by(&url) {
                Ok(()) => covering.push(url),
                Err(reason) => refusal = reason,
            }
        }
        if covering.is_empty() { Err(refusal) } else { Ok(covering) }
    }

    /// Checks that the hash of a body that is not a form is in the URL, as the first `bodySHA256`.
    fn covered_by(&self, url: &SplitUrl<'_>) -> Result<(), SignatureRefusal<'static>> {
        let Self::Opaque(body) = self else { return Ok(()) };
        match FormParameters::parse(url.query().as_bytes()).get("bodySHA256") {
            None if body.is_empty() => Ok(()),
            None => Err(SignatureRefusal::BodyNotCovered),
            Some(hash) if hash == sha256_hex(body) => Ok(()),
            Some(_) => Err(SignatureRefusal::BodyChanged),
        }
    }

    /// Returns the parameters in signing order: sorted by bytes, each pair of name and value once.
    pub(super) fn sorted_params(&self) -> Vec<&Pair<'a>> {
        let Self::Form(form) = self else { return Vec::new() };
        let mut params: Vec<_> = form.pairs().iter().collect();
        params.sort_unstable();
        params.dedup();
        params
    }
}

impl fmt::Debug for Payload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(form) => f.debug_tuple("Form").field(form).finish(),
            Self::Opaque(body) => write!(f, "Opaque({} bytes)", body.len()),
        }
    }
}

fn sha256_hex(body: &[u8]) -> String {
    Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect()
}
