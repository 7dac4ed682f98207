//! Addresses of senders: the person behind one, and the channel that a message came by.

use crate::line_address::{InvalidLineAddress, LineAddress};
use crate::number::{InvalidNumber, PhoneNumber};
use crate::unprintable;

/// Channels that reach the same phone as SMS does; their addresses become plain numbers.
const OF_THE_PHONE: [&str; 4] = ["rcs", "sms", "mms", "tel"];

/// Prefixes that OpenClaw and people put before a number for SMS.
const WRITTEN_BY_PEOPLE: [&str; 5] = ["rcs", "sms", "mms", "tel", "twilio-sms"];

/// Channels that identify users by phone number. Others, such as `messenger`, have ids of their own.
const BY_NUMBER: [&str; 5] = ["rcs", "sms", "mms", "tel", "whatsapp"];

/// Fewest digits of a phone number with its country code; anything shorter is a short code.
const FEWEST_DIGITS: usize = 7;

/// From this many digits on, a number without its plus sign is a phone number and never a short code.
const FEWEST_DIGITS_WITHOUT_PLUS: usize = 9;

/// The kind of a message's sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SenderOrigin {
    /// A phone, by SMS, MMS or RCS.
    Phone(PhoneNumber),
    /// A user of another channel, such as `whatsapp`.
    Channel {
        /// Name of the channel, in lower case.
        name: String,
        /// Phone number of the user, if the channel identifies users by one.
        number: Option<PhoneNumber>,
    },
    /// A short code, as used by banks, shops and login services.
    ShortCode,
    /// A name in place of a number, or anything else that cannot be answered.
    Name,
}

impl SenderOrigin {
    /// Classifies a [`canonical`] address.
    pub fn of(address: &str) -> SenderOrigin {
        if let Some((name, rest)) = split(address) {
            return SenderOrigin::Channel { name: name.to_ascii_lowercase(), number: rest.parse().ok() };
        }
        match address.parse() {
            Ok(number) => SenderOrigin::Phone(number),
            Err(_) if is_short_code(address) => SenderOrigin::ShortCode,
            Err(_) => SenderOrigin::Name,
        }
    }

    /// Returns the phone number of the person, regardless of the channel.
    pub fn person(self) -> Option<PhoneNumber> {
        match self {
            SenderOrigin::Phone(number) => Some(number),
            SenderOrigin::Channel { number, .. } => number,
            SenderOrigin::ShortCode | SenderOrigin::Name => None,
        }
    }
}

/// Returns the canonical spelling of a provider's address. `channel` is the channel that the provider reports outside
/// the address.
///
/// RCS reaches the same phone as SMS, so its prefix is removed before a number. The prefix of another channel stays, in
/// lower case. A plus sign that was lost (a form turns it into a space) is restored if the rest can only be a phone
/// number.
pub fn canonical(address: &str, channel: Option<&str>) -> String {
    let (written, rest) = match split(address) {
        // Of two prefixes, the one of the phone says nothing.
        Some((written, rest)) if is_of_the_phone(written) && split(rest).is_some() => return canonical(rest, channel),
        Some((written, rest)) => (Some(written), rest),
        None => (None, address),
    };
    let said = channel.map(|channel| channel.trim().trim_end_matches(':')).filter(|channel| !channel.is_empty());
    let is_by_number = |channel: &str| BY_NUMBER.iter().any(|known| channel.eq_ignore_ascii_case(known));
    let lost_its_plus = written.is_some_and(is_by_number) || rest.starts_with([' ', '%']);
    let rest = number_or_text(rest, lost_its_plus);
    match written.or(said).map(str::to_ascii_lowercase) {
        Some(channel) if !is_of_the_phone(&channel) => format!("{channel}:{rest}"),
        // An RCS agent is addressed by name.
        Some(channel) if written.is_some() && SenderOrigin::of(&rest) == SenderOrigin::Name => {
            format!("{channel}:{rest}")
        }
        _ => rest,
    }
}

fn is_of_the_phone(channel: &str) -> bool {
    OF_THE_PHONE.iter().any(|known| channel.eq_ignore_ascii_case(known))
}

/// Returns an address without its channel.
pub fn without_channel(address: &str) -> &str {
    split(address).map_or(address, |(_, rest)| rest)
}

/// Strips the prefix of a phone channel from typed input (`sms:`, `rcs:`, OpenClaw's `twilio-sms:`).
pub fn without_phone_prefix(written: &str) -> &str {
    match split(written) {
        Some((prefix, rest)) if WRITTEN_BY_PEOPLE.iter().any(|known| prefix.eq_ignore_ascii_case(known)) => rest.trim(),
        _ => written,
    }
}

/// Parses a typed phone number, with or without such a prefix. A short code with a plus sign is none.
pub fn read_phone(written: &str) -> Result<PhoneNumber, InvalidNumber> {
    let written = without_phone_prefix(written);
    match is_too_short(written) {
        true => Err(InvalidNumber { found: written.to_owned() }),
        false => written.parse(),
    }
}

/// Parses the typed address of one of our lines, with or without such a prefix before a phone number.
pub fn read_line(written: &str) -> Result<LineAddress, InvalidLineAddress> {
    let written = without_phone_prefix(written);
    match is_too_short(written) {
        true => Err(InvalidLineAddress { found: written.to_owned() }),
        false => written.parse(),
    }
}

/// Returns true for a plus sign with fewer digits than a phone number has.
pub(crate) fn is_too_short(written: &str) -> bool {
    written.strip_prefix('+').is_some_and(|digits| is_digits(digits) && digits.len() < FEWEST_DIGITS)
}

/// Returns true for a short code: digits without a plus sign, fewer than a phone number has.
pub fn is_short_code(address: &str) -> bool {
    (3..=8).contains(&address.len()) && is_digits(address)
}

/// Printed in phone numbers: brackets, dots, slashes, and hyphens of every width.
const MARKS: [char; 10] = ['(', ')', '.', '/', '-', '\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2212}'];

/// Returns a number that starts with a plus without the spaces and marks that people print in it, and without the
/// invisible characters that phones copy along; none for anything else.
pub fn without_marks(text: &str) -> Option<String> {
    let bare = bare(text);
    bare.strip_prefix('+').is_some_and(|digits| !digits.is_empty() && is_digits(digits)).then_some(bare)
}

fn bare(text: &str) -> String {
    text.chars().filter(|c| !is_blank(*c) && !MARKS.contains(c)).collect()
}

/// Returns true for white space, and for characters that show nothing.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || unprintable::is_always_misleading(c)
}

/// Splits an address into its channel and the rest, if it names a channel.
fn split(address: &str) -> Option<(&str, &str)> {
    let (channel, rest) = address.split_once(':')?;
    let channel = channel.trim_matches(is_blank);
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (!channel.is_empty() && channel.chars().all(is_name)).then_some((channel, rest))
}

fn number_or_text(text: &str, lost_its_plus: bool) -> String {
    let compact = bare(text);
    let compact = match compact.get(..3) {
        Some(escaped) if escaped.eq_ignore_ascii_case("%2B") => format!("+{}", &compact[3..]),
        _ => compact,
    };
    if let Some(digits) = compact.strip_prefix('+')
        && compact.parse::<PhoneNumber>().is_ok()
    {
        return if digits.len() < FEWEST_DIGITS { digits.to_owned() } else { compact };
    }
    let with_plus = format!("+{compact}");
    if lost_its_plus && compact.len() >= FEWEST_DIGITS_WITHOUT_PLUS && with_plus.parse::<PhoneNumber>().is_ok() {
        return with_plus;
    }
    text.trim().to_owned()
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Generates the word with some letters in upper case.
    fn in_any_case(word: &'static str) -> impl Strategy<Value = String> {
        proptest::collection::vec(any::<bool>(), word.len()).prop_map(move |upper| {
            let letters = word.chars().zip(upper);
            letters.map(|(c, upper)| if upper { c.to_ascii_uppercase() } else { c }).collect()
        })
    }

    proptest! {
        /// RCS in any spelling is the same contact as SMS.
        #[test]
        fn rcs_is_the_phone(
            prefix in prop_oneof![in_any_case("rcs"), in_any_case("sms"), in_any_case("mms")],
            digits in "[1-9][0-9]{8,14}",
            plus in prop_oneof![Just("+"), Just(" "), Just(""), Just("%2B"), Just(" +"), Just("%2b"), Just("(+)")],
            outer in prop_oneof![Just(""), Just(" "), Just("sms:"), Just("RCS: "), Just("\u{202A}")],
            mark in prop::sample::select(vec!["", " ", "-", "\u{2011}", "\u{A0}", ".", "\u{200E}", "\u{202C}", ") "]),
            place in 0_usize..9,
        ) {
            let number = format!("+{digits}");
            let (head, tail) = digits.split_at(place);
            prop_assert_eq!(canonical(&format!("{outer}{prefix}:{plus}{head}{mark}{tail}"), None), &number[..]);
            let printed = format!("+{head}{mark}{tail}");
            prop_assert_eq!(without_marks(&printed), Some(number.clone()));
            prop_assert_eq!(canonical(&format!("{prefix}:{plus}{digits}"), None), &number[..]);
            prop_assert_eq!(canonical(&number, Some(&prefix)), &number[..]);
            prop_assert_eq!(canonical(&format!("{prefix}:{plus}{digits}"), Some(&prefix)), &number[..]);
            prop_assert_eq!(SenderOrigin::of(&number), SenderOrigin::Phone(number.parse().unwrap()));
        }

        /// Another channel is never mistaken for SMS; its users are identified by number if it has numbers.
        #[test]
        fn another_channel_keeps_its_name(
            channel in prop_oneof![
                in_any_case("whatsapp"), in_any_case("messenger"), in_any_case("viber"), "[a-z]{4,9}",
            ],
            digits in "[1-9][0-9]{8,14}",
            as_parameter in any::<bool>(),
        ) {
            prop_assume!(!OF_THE_PHONE.contains(&channel.to_ascii_lowercase().as_str()));
            let number = format!("+{digits}");
            let address = match as_parameter {
                true => canonical(&number, Some(&channel)),
                false => canonical(&format!("{channel}:{number}"), None),
            };
            prop_assert_eq!(&address, &format!("{}:{number}", channel.to_ascii_lowercase()));
            let number = number.parse().ok();
            prop_assert_eq!(SenderOrigin::of(&address), SenderOrigin::Channel { name: channel.to_ascii_lowercase(), number });
        }

        /// Canonicalizing twice changes nothing.
        #[test]
        fn canonical_is_canonical(address in "(rcs:|sms:|Tel: |whatsapp:|[+]|-|\\PC){0,20}", channel in proptest::option::of("[a-zA-Z]{0,9}")) {
            let once = canonical(&address, channel.as_deref());
            prop_assert_eq!(canonical(&once, None), once);
        }
    }

    #[test]
    fn a_short_code_or_name_is_never_a_phone() {
        for (address, canonical_as) in [
            ("68849", "68849"),
            (" 68849", "68849"),
            ("+68849", "68849"),
            ("72345678", "72345678"),
            ("rcs:68849", "68849"),
        ] {
            assert_eq!(canonical(address, None), canonical_as);
            assert_eq!(SenderOrigin::of(canonical_as), SenderOrigin::ShortCode, "{address}");
        }
        for name in ["SUPPORT", "My-Bank 1", "", "5550103060", "bob@example.com"] {
            assert_eq!(canonical(name, None), name);
            assert_eq!(SenderOrigin::of(name), SenderOrigin::Name, "{name}");
        }
    }

    #[test]
    fn a_plus_decoded_as_a_space_is_restored() {
        assert_eq!(canonical(" 15550103060", None), "+15550103060");
        assert_eq!(canonical("%2B15550103060", None), "+15550103060");
        assert_eq!(canonical("+1 555 010 3060", None), "+15550103060");
        assert_eq!(canonical("15550103060", None), "15550103060", "it may be a national number");
    }

    #[test]
    fn common_number_formats_are_accepted() {
        for written in ["+15550103060", "sms:+15550103060", "RCS: +15550103060", "twilio-sms:+15550103060"] {
            assert_eq!(without_phone_prefix(written), "+15550103060");
        }
        assert_eq!(without_phone_prefix("whatsapp:+15550103060"), "whatsapp:+15550103060");
        assert_eq!(without_channel("whatsapp:+15550103060"), "+15550103060");
        assert_eq!(without_channel("rcs:an_agent"), "an_agent");
    }

    #[test]
    fn an_rcs_agent_keeps_its_name() {
        assert_eq!(canonical("RCS:acme_agent", None), "rcs:acme_agent");
        assert_eq!(canonical("SUPPORT", Some("sms")), "SUPPORT");
        assert_eq!(canonical("messenger:1234567890", None), "messenger:1234567890", "an id is no phone number");
        assert_eq!(SenderOrigin::of("messenger:1234567890").person(), None);
        assert_eq!(canonical("whatsapp:15550103060", None), "whatsapp:+15550103060");
    }
}
