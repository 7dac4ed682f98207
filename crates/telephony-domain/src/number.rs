//! Phone numbers in E.164 form, and their masked form for logs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A phone number in E.164 form: `+`, then 2 to 15 digits, the first not zero.
///
/// `Display` shows the whole number; logs use [`PhoneNumber::masked`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PhoneNumber(String);

/// A text that is not a phone number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{found}` is not a phone number in E.164 form: `+`, country code and number, 7 to 15 digits, such as +15550001234"
)]
pub struct InvalidNumber {
    /// The text that was rejected.
    pub found: String,
}

impl PhoneNumber {
    /// Returns the number with its `+`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the number with its middle hidden (`+1555•••1234`), for logs.
    pub fn masked(&self) -> String {
        mask(&self.0)
    }
}

impl FromStr for PhoneNumber {
    type Err = InvalidNumber;

    /// Accepts exactly `^\+[1-9]\d{1,14}$`.
    fn from_str(text: &str) -> Result<Self, InvalidNumber> {
        if is_e164(text) { Ok(Self(text.to_owned())) } else { Err(InvalidNumber { found: text.to_owned() }) }
    }
}

impl TryFrom<String> for PhoneNumber {
    type Error = InvalidNumber;

    fn try_from(text: String) -> Result<Self, InvalidNumber> {
        if is_e164(&text) { Ok(Self(text)) } else { Err(InvalidNumber { found: text }) }
    }
}

impl From<PhoneNumber> for String {
    fn from(number: PhoneNumber) -> Self {
        number.0
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

/// Hides the middle of a sender address: a number keeps its first five and last four characters, anything shorter than
/// ten characters only its first. The channel in front of it is kept.
pub fn mask(address: &str) -> String {
    match address.split_once(':') {
        Some((channel, rest)) if is_channel(channel) => format!("{channel}:{}", hide_middle(rest)),
        _ => hide_middle(address),
    }
}

/// Returns true for the name of a channel, such as `whatsapp`: a few letters, never a number.
fn is_channel(name: &str) -> bool {
    (1..=16).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn hide_middle(address: &str) -> String {
    let characters: Vec<char> = address.chars().collect();
    match characters.as_slice() {
        [] => String::new(),
        [first, rest @ ..] if rest.len() < 9 => format!("{first}•••"),
        all => {
            let head: String = all[..5].iter().collect();
            let tail: String = all[all.len() - 4..].iter().collect();
            format!("{head}•••{tail}")
        }
    }
}

fn is_e164(text: &str) -> bool {
    let Some(digits) = text.strip_prefix('+') else { return false };
    (2..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_before_a_colon_is_masked() {
        assert_eq!(mask("whatsapp:+15550001234"), "whatsapp:+1555•••1234");
        for hostile in ["+15550001234:x", "a1:+15550001234", "+15550001234:+15550005678", ":+15550001234"] {
            assert!(mask(hostile).chars().count() <= 12, "{hostile}");
        }
    }

    #[test]
    fn e164_and_nothing_stricter() {
        for good in ["+15550001234", "+12", "+999999999999999"] {
            assert!(good.parse::<PhoneNumber>().is_ok(), "{good}");
        }
        for bad in
            ["", "+", "+1", "15550001234", "+05550001234", "+1555 000 1234", "+1234567890123456", "+1५55", "+1555\n"]
        {
            assert!(bad.parse::<PhoneNumber>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_log_shows_neither_a_whole_number_nor_a_whole_short_code() {
        assert_eq!(mask("+15550001234"), "+1555•••1234");
        assert_eq!(mask("72345"), "7•••");
        assert_eq!(mask(""), "");
        assert_eq!(mask("whatsapp:+15550001234"), "whatsapp:+1555•••1234");
        assert_eq!(format!("{:?}", "+15550001234".parse::<PhoneNumber>().unwrap()), "+1555•••1234");
    }
}
