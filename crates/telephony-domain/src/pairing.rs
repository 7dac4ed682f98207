//! Pairing codes and the texts around them.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::number::PhoneNumber;
use crate::program::ProgramName;

/// Lifetime of a code.
pub const CODE_VALID_FOR: Duration = Duration::from_secs(60 * 60);

/// Maximum number of pending requests at a time.
pub const MAX_PENDING: u32 = 3;

/// The SMS that reports the operator's approval to a contact.
pub const APPROVAL_TEXT: &str = "Your phone number has been approved. You can now send messages to this bot.";

/// Letters and digits that are not easily confused; 32 of them, so each takes five random bits.
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

const LENGTH: usize = 8;

/// A pairing code, which a stranger gets and the operator approves: eight characters without 0, O, 1 and I.
///
/// `Display` shows the code; `Debug` does not, so that it stays out of logs.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PairingCode(String);

/// A text that is not a pairing code. The error does not repeat it, because a guess can be in any message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a pairing code: expected {LENGTH} letters and digits without 0, O, 1 and I, such as ABCD2345")]
pub struct InvalidCode;

impl PairingCode {
    /// Creates a code from random bytes, one character each.
    pub fn from_random(bytes: [u8; LENGTH]) -> Self {
        Self(bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect())
    }

    /// Returns the code.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the SMS with this code for `contact` and the command of `program` that approves it. It is one segment
    /// for every number.
    pub fn challenge_text(&self, contact: &PhoneNumber, program: ProgramName) -> String {
        let ask = match program {
            ProgramName::Openclaw => "Ask the owner to run:",
            // The longer name leaves less space.
            ProgramName::OpenclawTelephony => "Ask the owner:",
        };
        let name = program.as_str();
        format!(
            "OpenClaw: access not configured.\n\nYour number: {contact}\nPairing code: {self}\n\n\
             {ask}\n{name} pairing approve telephony {self}"
        )
    }
}

impl FromStr for PairingCode {
    type Err = InvalidCode;

    /// Parses a code, ignoring case, spaces and hyphens.
    fn from_str(text: &str) -> Result<Self, InvalidCode> {
        let code: String = text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
        let code = code.to_ascii_uppercase();
        let is_code = code.len() == LENGTH && code.bytes().all(|byte| ALPHABET.contains(&byte));
        if is_code { Ok(Self(code)) } else { Err(InvalidCode) }
    }
}

impl fmt::Display for PairingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PairingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PairingCode(•••)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sms::segment::count;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let code: PairingCode = "AB2-3 cdef".parse().unwrap();
        assert_eq!(code.as_str(), "AB23CDEF");
        for bad in ["", "AB23CDE", "AB23CDEFG", "AB23CDE0", "AB23CDEI", "AB23CDEÉ"] {
            assert!(bad.parse::<PairingCode>().is_err(), "{bad}");
        }
    }

    #[test]
    fn every_random_code_reads_back_and_no_character_is_likelier() {
        let mut drawn = [0; 256];
        for byte in 0..=255u8 {
            let code = PairingCode::from_random([byte; LENGTH]);
            drawn[usize::from(code.as_str().as_bytes()[LENGTH - 1])] += 1;
            assert_eq!(code.as_str().parse(), Ok(code));
        }
        assert!(ALPHABET.iter().all(|&c| drawn[usize::from(c)] == 8));
    }

    #[test]
    fn debug_output_hides_codes_and_guesses() {
        let code = PairingCode::from_random([0; LENGTH]);
        assert_eq!(format!("{code:?}"), "PairingCode(•••)");
        let guess = "my guess".parse::<PairingCode>().unwrap_err();
        assert!(!format!("{guess} {guess:?}").contains("guess"));
    }

    #[test]
    fn the_sms_costs_one_segment_even_to_the_longest_number() {
        let longest = "+999999999999999".parse().unwrap();
        for program in [ProgramName::Openclaw, ProgramName::OpenclawTelephony] {
            let text = PairingCode::from_random([0; LENGTH]).challenge_text(&longest, program);
            assert_eq!(count(&text).segments, 1, "{text}");
        }
    }

    #[test]
    fn the_sms_names_the_sender_and_the_command() {
        let code = PairingCode::from_random([0; LENGTH]);
        for (program, name) in
            [(ProgramName::Openclaw, "openclaw"), (ProgramName::OpenclawTelephony, "openclaw-telephony")]
        {
            let text = code.challenge_text(&"+15550001111".parse().unwrap(), program);
            assert!(text.starts_with("OpenClaw: access not configured."));
            assert!(text.contains("+15550001111"));
            assert!(text.ends_with(&format!("\n{name} pairing approve telephony AAAAAAAA")));
        }
    }
}
