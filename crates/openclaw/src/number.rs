//! Numbers and senders as people type them in commands.

use telephony_domain::address::{Origin, canonical, read_phone, without_phone_prefix};
use telephony_domain::line_address::{InvalidLineAddress, LineAddress};
use telephony_domain::number::PhoneNumber;

/// Reads a phone number; OpenClaw's own targets have a prefix (`sms:`, `twilio-sms:`), and RCS has one too.
pub fn phone(word: &str) -> Result<PhoneNumber, String> {
    if let Origin::Channel { name, .. } = Origin::of(&canonical(word, None))
        && read_phone(word).is_err()
    {
        return Err(format!(
            "`{word}` is an address of {name}, which is not supported: name a phone number such as +15550001234"
        ));
    }
    read_phone(word).map_err(|error| error.to_string())
}

/// Reads an address of a line of ours, as the configuration does: a phone number, a short code, or a sender id.
pub fn line(word: &str) -> Result<LineAddress, String> {
    without_phone_prefix(word).parse().map_err(|error: InvalidLineAddress| error.to_string())
}

/// Reads a sender of messages: a phone number, a short code, a name, or a user of another channel such as
/// `whatsapp:+15550005678`.
pub fn sender(word: &str) -> Result<String, String> {
    match read_phone(word) {
        Ok(number) => Ok(number.to_string()),
        Err(_) if word.trim().is_empty() => Err("the sender is empty".to_owned()),
        Err(_) => Ok(canonical(word, None)),
    }
}
