//! Texts that the gateway sends on its own, such as an answer promised on a call: only to contacts who can get them.

use crate::number::PhoneNumber;
use crate::policy::{Admission, Policy, Standing};

/// Ranges without mobile numbers: per line a calling code, and the digits after it that no mobile number has. A calling
/// code alone has no mobile numbers at all. Read out of libphonenumber's metadata (release 9.0.43): the shortest
/// prefixes of up to two digits whose numbers are all landlines, toll-free, premium, shared-cost, voicemail or company
/// numbers.
const NOT_MOBILE: &str = include_str!("texting/not_mobile.txt");

/// The store's knowledge that decides whether a contact can be texted now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TextingFacts {
    /// The contact's standing on the line.
    pub standing: Standing,
    /// True if the provider reported that the number cannot receive texts, and none was delivered since.
    pub is_unreachable: bool,
    /// True if a text would wait for hours, because a daily limit is used up.
    pub is_capped: bool,
}

/// Returns true if a text to `contact` can arrive, and the policy lets the contact talk to the assistant.
pub fn can_be_texted(contact: &PhoneNumber, policy: &Policy, facts: TextingFacts) -> bool {
    can_receive(contact, facts) && policy.admit(Some(contact), facts.standing) == Admission::Admitted
}

/// Returns true if a text to `contact` can arrive, whatever the policy says about the contact.
pub fn can_receive(contact: &PhoneNumber, facts: TextingFacts) -> bool {
    !facts.standing.is_opted_out && !facts.is_unreachable && !facts.is_capped && may_be_mobile(contact)
}

/// Returns false if no phone with this number gets texts: it is a landline, a toll-free number or the like. In most of
/// North America, mobile numbers and landlines look the same.
pub fn may_be_mobile(number: &PhoneNumber) -> bool {
    let digits = number.as_str().trim_start_matches('+');
    let ranges = NOT_MOBILE.lines().find_map(|line| {
        let (code, ranges) = line.split_once(' ').unwrap_or((line, ""));
        digits.strip_prefix(code).map(|national| (national, ranges))
    });
    ranges.is_none_or(|(national, ranges)| {
        !ranges.is_empty() && !ranges.split(' ').any(|range| national.starts_with(range))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::InboundPolicy;

    const MOBILE: &str = "+447700900123";

    fn number(text: &str) -> PhoneNumber {
        text.parse().unwrap()
    }

    #[test]
    fn landlines_and_toll_free_numbers_get_no_texts() {
        for (text, is_mobile) in [
            ("+15550001234", true),
            ("+18005550100", false),
            ("+18885550100", false),
            (MOBILE, true),
            ("+442079460123", false),
            ("+448001234567", false),
            ("+4915112345678", true),
            ("+4930123456", false),
            ("+33612345678", true),
            ("+33142345678", false),
            ("+61412345678", true),
            ("+61212345678", false),
            ("+393331234567", true),
            ("+390612345678", false),
            ("+919812345678", true),
            ("+8613812345678", true),
            ("+80012345678", false),
            // Unknown numbers may be mobile.
            ("+2105550123", true),
        ] {
            assert_eq!(may_be_mobile(&number(text)), is_mobile, "{text}");
        }
    }

    #[test]
    fn every_calling_code_has_one_line() {
        let codes: Vec<&str> = NOT_MOBILE.lines().filter_map(|line| line.split(' ').next()).collect();
        for (at, code) in codes.iter().enumerate() {
            assert!(!codes[at + 1..].iter().any(|other| other.starts_with(code)), "{code}");
        }
    }

    #[test]
    fn each_reason_forbids_a_text() {
        let policy = Policy { inbound: InboundPolicy::Pairing, ..Policy::default() };
        let approved = Standing { is_approved: true, ..Standing::default() };
        let facts = TextingFacts { standing: approved, ..TextingFacts::default() };
        let texted = |facts| can_be_texted(&number(MOBILE), &policy, facts);
        assert!(texted(facts));
        assert!(!texted(TextingFacts { is_unreachable: true, ..facts }));
        assert!(!texted(TextingFacts { is_capped: true, ..facts }));
        for standing in [
            Standing::default(),
            Standing { is_blocked: true, ..approved },
            Standing { is_opted_out: true, ..approved },
        ] {
            assert!(!texted(TextingFacts { standing, ..facts }), "{standing:?}");
        }
        assert!(!can_be_texted(&number("+442079460123"), &policy, facts));
        // A stranger gets a pairing code.
        assert!(can_receive(&number(MOBILE), TextingFacts::default()));
        let opted_out = Standing { is_opted_out: true, ..Standing::default() };
        assert!(!can_receive(&number(MOBILE), TextingFacts { standing: opted_out, ..facts }));
    }
}
