//! A caller's number, if the provider reports one that can be called back.

use crate::address::is_too_short;
use crate::number::PhoneNumber;

/// Numbers that networks show instead of a withheld or unknown one: the letters of ANONYMOUS, RESTRICTED, BLOCKED,
/// UNKNOWN and UNAVAILABLE on a key pad.
const IN_PLACE_OF_A_NUMBER: [&str; 5] = ["+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"];

/// Returns the caller's number; none for a withheld one, a short code, or an address such as `sip:` and `client:`.
pub fn number(from: &str) -> Option<PhoneNumber> {
    if IN_PLACE_OF_A_NUMBER.contains(&from) || is_too_short(from) {
        return None;
    }
    from.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_phone_number_is_a_caller() {
        assert_eq!(number("+15550005678"), "+15550005678".parse().ok());
        for hidden in
            ["anonymous", "Restricted", "unknown", "", "+266696687", "+86282452253", "12345", "22395", "+72345"]
        {
            assert_eq!(number(hidden), None, "{hidden}");
        }
        for address in ["client:ann", "sip:ann@example.com", "sip:+15550005678@example.com", "tel:+15550005678"] {
            assert_eq!(number(address), None, "{address}");
        }
    }
}
