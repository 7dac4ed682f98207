//! The token in the address of a call's next document: a request with the token gets that document.

use std::fmt;

/// 128 random bits in hexadecimal. `Debug` hides them.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CallToken(String);

/// Hexadecimal digits of a token.
const LENGTH: usize = 32;

impl CallToken {
    /// Creates a token from random bytes.
    pub fn from_random(bytes: [u8; 16]) -> CallToken {
        CallToken(format!("{:032x}", u128::from_be_bytes(bytes)))
    }

    /// Parses a token; none if it cannot be one.
    pub fn read(text: &str) -> Option<CallToken> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        (text.len() == LENGTH && text.bytes().all(is_digit)).then(|| CallToken(text.to_owned()))
    }

    /// Returns the token as it appears in a URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CallToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallToken").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_and_nothing_else_is_one() {
        let token = CallToken::from_random([7; 16]);
        assert_eq!(CallToken::read(token.as_str()), Some(token.clone()));
        assert!(!format!("{token:?}").contains("07"));
        for other in ["", "07", &"0".repeat(31), &"0".repeat(33), &"G".repeat(32), &"A".repeat(32)] {
            assert_eq!(CallToken::read(other), None, "{other}");
        }
    }
}
