//! Phone numbers and senders as typed in commands and at prompts, with the spaces, brackets and hyphens of printed
//! numbers. The configuration is stricter.

use telephony_domain::address::{SenderOrigin, canonical, read_line, read_phone, without_marks, without_phone_prefix};
use telephony_domain::line_address::LineAddress;
use telephony_domain::number::PhoneNumber;

/// Parses a phone number, with or without OpenClaw's prefixes (`sms:`, `twilio-sms:`) or the one for RCS.
pub fn phone(word: &str) -> Result<PhoneNumber, String> {
    let number = read_phone(&compact(word));
    if number.is_err()
        && let SenderOrigin::Channel { name, .. } = SenderOrigin::of(&canonical(word, None))
    {
        return Err(format!(
            "`{word}` is a {name} address, which is not supported: pass a phone number such as +15550001234"
        ));
    }
    number.map_err(|error| match is_cut_off(word) {
        true => format!(
            "`{word}` is too short for a phone number: put quotes around one with spaces, such as \"+1 555 000 1234\""
        ),
        false => error.to_string(),
    })
}

/// Returns a number that starts with a plus without its printed punctuation, and anything else unchanged.
pub fn compact(word: &str) -> String {
    without_marks(without_phone_prefix(word)).unwrap_or_else(|| word.to_owned())
}

/// Returns true for the first piece of a number with spaces that a shell took apart.
fn is_cut_off(word: &str) -> bool {
    word.strip_prefix('+').is_some_and(|digits| digits.len() <= 4 && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// Parses the address of one of our lines, as the configuration does: a phone number, a short code, or a sender id.
pub fn line(word: &str) -> Result<LineAddress, String> {
    read_line(&compact(word)).map_err(|error| error.to_string())
}

/// Parses the sender of messages: a phone number, a short code, a name, or a user of another channel such as
/// `whatsapp:+15550005678`.
pub fn sender(word: &str) -> Result<String, String> {
    match read_phone(&compact(word)) {
        Ok(number) => Ok(number.to_string()),
        Err(_) if word.trim().is_empty() => Err("the sender is empty".to_owned()),
        Err(_) => Ok(canonical(word, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_it_is_printed() {
        for written in [
            "+1 555 000 5678",
            "+1 (555) 000-5678",
            "(+1) 555.000.5678",
            "+1-555-000-5678",
            "+1\u{a0}555\u{2011}000\u{2013}5678",
            " sms: +1 555 000 5678 ",
            "\u{202A}+1 555 000 5678\u{202C}",
            "\u{FEFF}tel:+15550005678\u{200B}",
        ] {
            assert_eq!(phone(written).unwrap().as_str(), "+15550005678", "{written}");
            assert_eq!(sender(written).unwrap(), "+15550005678", "{written}");
            assert_eq!(line(written).unwrap().as_str(), "+15550005678", "{written}");
        }
        for wrong in ["555-000-5678", "+1 555 CALL NOW", "(555) 000-5678", "+", "+723 45"] {
            assert!(phone(wrong).is_err(), "{wrong}");
        }
        assert!(line("+72345").unwrap_err().contains("without a plus sign"));
        assert_eq!(sender("My-Bank 1").unwrap(), "My-Bank 1", "only a number loses its marks");
    }
}
