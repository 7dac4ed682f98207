//! Consent keywords: whole messages that carriers and Twilio treat as STOP, START and HELP.

/// A request that a contact makes with a keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keyword {
    /// STOP and its synonyms: no more messages.
    OptOut,
    /// START and its synonyms: messages are welcome again.
    OptIn,
    /// Identify the sender; the provider answers.
    Help,
}

/// Twilio's default opt-out words (its Advanced Opt-Out page, 2026).
const OPT_OUT: [&str; 8] = ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"];

/// Twilio's default opt-in words.
const OPT_IN: [&str; 3] = ["START", "YES", "UNSTOP"];

/// Classifies a whole message as a keyword. The provider's own classification (`opt_out_type`) always wins. Without it,
/// YES and similar words only count for a contact who has opted out, and HELP is an ordinary message.
pub fn classify(text: &str, opt_out_type: Option<&str>, is_opted_out: bool) -> Option<Keyword> {
    match opt_out_type.map(str::trim) {
        Some(word) if word.eq_ignore_ascii_case("STOP") => return Some(Keyword::OptOut),
        Some(word) if word.eq_ignore_ascii_case("START") => return Some(Keyword::OptIn),
        Some(word) if word.eq_ignore_ascii_case("HELP") => return Some(Keyword::Help),
        _ => {}
    }
    let is_any_of = |words: &[&str]| words.iter().any(|word| text.trim().eq_ignore_ascii_case(word));
    if is_any_of(&OPT_OUT) {
        Some(Keyword::OptOut)
    } else if is_opted_out && is_any_of(&OPT_IN) {
        Some(Keyword::OptIn)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_message_is_a_keyword() {
        for stop in ["STOP", " stop\r\n", "StopAll", "unsubscribe", "cancel", "END", "quit", "revoke", "optout"] {
            assert_eq!(classify(stop, None, false), Some(Keyword::OptOut), "{stop}");
        }
        for talk in ["STOP please", "STOP 12345", "don't stop", "stop.", "", "HELP", "INFO"] {
            assert_eq!(classify(talk, None, false), None, "{talk}");
        }
    }

    #[test]
    fn yes_is_talk_until_one_has_opted_out() {
        assert_eq!(classify("yes", None, false), None);
        assert_eq!(classify("yes", None, true), Some(Keyword::OptIn));
        assert_eq!(classify("yes", Some("START"), false), Some(Keyword::OptIn));
    }

    #[test]
    fn the_providers_reading_wins() {
        assert_eq!(classify("arrêt", Some("STOP"), false), Some(Keyword::OptOut));
        assert_eq!(classify("info", Some("help"), false), Some(Keyword::Help));
        assert_eq!(classify("STOP", Some("START"), true), Some(Keyword::OptIn));
        assert_eq!(classify("hello", Some("SOMETHING"), false), None);
    }
}
