//! Parses the header with key and algorithm of a signature.

use std::str::FromStr;

/// Key id and algorithm as the settings header names them; not validated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignatureSettings<'a> {
    /// Id of the shared key, if there is one.
    pub key: Option<&'a str>,
    /// Name of the algorithm: as sent, or `HMAC_SHA1` by default.
    pub algorithm: &'a str,
    is_algorithm_named: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Sha1,
    Sha256,
}

impl<'a> SignatureSettings<'a> {
    /// Parses `key=<id>,algorithm=<name>` in any order, the first of each winning; a missing header is empty.
    pub fn parse(header: Option<&'a str>) -> Self {
        let algorithm = field(header, "algorithm");
        Self {
            key: field(header, "key"),
            algorithm: algorithm.unwrap_or("HMAC_SHA1"),
            is_algorithm_named: algorithm.is_some(),
        }
    }

    /// Returns the signing shared key. Without an algorithm it was the auth token, whatever the key says.
    pub(super) fn shared_key(self) -> Option<&'a str> {
        self.key.filter(|_| self.is_algorithm_named)
    }
}

impl FromStr for Algorithm {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match name {
            name if name.eq_ignore_ascii_case("HMAC_SHA1") => Ok(Self::Sha1),
            name if name.eq_ignore_ascii_case("HMAC_SHA256") => Ok(Self::Sha256),
            _ => Err(()),
        }
    }
}

fn field<'a>(header: Option<&'a str>, name: &str) -> Option<&'a str> {
    let fields = header?.split(',').filter_map(|field| field.split_once('='));
    fields
        .map(|(found, value)| (found.trim(), value.trim()))
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value)
        .filter(|value| !value.is_empty())
}
