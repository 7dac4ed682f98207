//! Addresses of our lines: a phone number, a short code, or a sender id.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::number::{PhoneNumber, mask};

/// The address of a line on the phone network. It can only be created by parsing.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum LineAddress {
    /// A phone number, which can also receive.
    Number(PhoneNumber),
    /// A short code: four to six digits. It only texts within its country, and cannot receive calls.
    ShortCode(String),
    /// An alphanumeric sender id. It can send texts but not receive any.
    SenderId(String),
}

/// A text that is not an address of a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{found}` is not a phone number such as +15550001234, a short code of 4 to 6 digits without a plus sign, or a \
    sender id of 1 to 11 letters, digits, spaces and `+-_&` with at least one letter"
)]
pub struct InvalidLineAddress {
    /// The text that was rejected.
    pub found: String,
}

/// Longest sender id (characters; Twilio).
const LONGEST_SENDER_ID: usize = 11;

impl LineAddress {
    /// Returns the address as the provider writes it.
    pub fn as_str(&self) -> &str {
        match self {
            LineAddress::Number(number) => number.as_str(),
            LineAddress::ShortCode(text) | LineAddress::SenderId(text) => text,
        }
    }

    /// Returns the phone number, if it is one.
    pub fn number(&self) -> Option<&PhoneNumber> {
        match self {
            LineAddress::Number(number) => Some(number),
            LineAddress::ShortCode(_) | LineAddress::SenderId(_) => None,
        }
    }

    /// Returns true if contacts can text it.
    pub fn receives(&self) -> bool {
        !matches!(self, LineAddress::SenderId(_))
    }

    /// Returns the address for logs: a number is masked; a sender id is public.
    pub fn masked(&self) -> String {
        match self {
            LineAddress::SenderId(name) => name.clone(),
            LineAddress::Number(_) | LineAddress::ShortCode(_) => mask(self.as_str()),
        }
    }
}

impl FromStr for LineAddress {
    type Err = InvalidLineAddress;

    fn from_str(text: &str) -> Result<Self, InvalidLineAddress> {
        if let Ok(number) = text.parse() {
            return Ok(LineAddress::Number(number));
        }
        if (4..=6).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(LineAddress::ShortCode(text.to_owned()));
        }
        match is_sender_id(text) {
            true => Ok(LineAddress::SenderId(text.to_owned())),
            false => Err(InvalidLineAddress { found: text.to_owned() }),
        }
    }
}

/// Returns true for a sender id. An address that starts with a plus sign or a space is a mistyped number.
fn is_sender_id(text: &str) -> bool {
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b' ' | b'+' | b'-' | b'_' | b'&');
    (1..=LONGEST_SENDER_ID).contains(&text.len())
        && text.bytes().all(is_allowed)
        && text.bytes().any(|b| b.is_ascii_alphabetic())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !text.ends_with(' ')
}

impl TryFrom<String> for LineAddress {
    type Error = InvalidLineAddress;

    fn try_from(text: String) -> Result<Self, InvalidLineAddress> {
        text.parse()
    }
}

impl From<LineAddress> for String {
    fn from(address: LineAddress) -> Self {
        address.as_str().to_owned()
    }
}

impl From<PhoneNumber> for LineAddress {
    fn from(number: PhoneNumber) -> Self {
        LineAddress::Number(number)
    }
}

impl fmt::Display for LineAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for LineAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_short_code_has_four_to_six_digits(digits in "[0-9]{1,9}") {
            let is_short_code = matches!(digits.parse(), Ok(LineAddress::ShortCode(_)));
            prop_assert_eq!(is_short_code, (4..=6).contains(&digits.len()));
        }

        #[test]
        fn a_sender_id_has_a_letter_and_eleven_characters_at_most(text in "[A-Za-z0-9][A-Za-z0-9&_+ -]{0,13}") {
            let is_sender_id = matches!(text.parse(), Ok(LineAddress::SenderId(_)));
            let is_right = text.len() <= 11 && text.contains(|c: char| c.is_ascii_alphabetic()) && !text.ends_with(' ');
            prop_assert_eq!(is_sender_id, is_right);
        }

        #[test]
        fn text_and_address_are_the_same(text in "\\PC{0,16}") {
            if let Ok(address) = text.parse::<LineAddress>() {
                prop_assert_eq!(address.to_string(), text);
            }
        }
    }

    #[test]
    fn an_invalid_line_explains_the_valid_forms() {
        for bad in ["", " ", "123", "5550001", "15550001234", "+1XXXXXXXXXX", "+Acme", "Acme!", "Möbel", "TwelveLetter"]
        {
            let error = bad.parse::<LineAddress>().unwrap_err().to_string();
            assert!(error.contains("short code") && error.contains("sender id"), "{error}");
        }
    }
}
