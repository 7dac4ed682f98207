//! STOP, START and HELP: recognizes keywords and has Twilio's answers. Leaves the list of opt-outs to `exchange`.

use serde::Serialize;

use crate::number::NumberKind;

/// A keyword that Twilio handles before the webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum OptOutKeyword {
    /// Opts out.
    Stop,
    /// Opts in again.
    Start,
    /// Asks for help.
    Help,
}

const STOP: [&str; 8] = ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"];
const START: [&str; 3] = ["START", "YES", "UNSTOP"];
const HELP: [&str; 2] = ["HELP", "INFO"];

impl OptOutKeyword {
    /// Returns the keyword in a text to a number. For toll-free numbers, the network handles STOP and UNSTOP regardless
    /// of the account's settings.
    pub(crate) fn heard(text: &str, number: &str, has_opt_out: bool) -> Option<Self> {
        let word = text.trim().to_ascii_uppercase();
        let by_network = match word.as_str() {
            "STOP" => Some(Self::Stop),
            "START" | "UNSTOP" => Some(Self::Start),
            _ => None,
        };
        let by_network = by_network.filter(|_| NumberKind::of(number) == NumberKind::TollFree);
        by_network.or_else(|| Self::of(text).filter(|_| has_opt_out))
    }

    /// Returns the keyword that matches the whole text, ignoring case and surrounding white space.
    fn of(text: &str) -> Option<Self> {
        let word = text.trim();
        let is_one_of = |words: &[&str]| words.iter().any(|candidate| candidate.eq_ignore_ascii_case(word));
        if is_one_of(&STOP) {
            Some(Self::Stop)
        } else if is_one_of(&START) {
            Some(Self::Start)
        } else {
            is_one_of(&HELP).then_some(Self::Help)
        }
    }

    /// Returns the value of `OptOutType`.
    pub(crate) fn opt_out_type(self) -> &'static str {
        match self {
            Self::Stop => "STOP",
            Self::Start => "START",
            Self::Help => "HELP",
        }
    }

    /// Returns the automatic answer, from Twilio or from the network of a toll-free number.
    pub(crate) fn answer(self, number: &str) -> String {
        let text = match self {
            Self::Stop => "You are unsubscribed and get no more messages from here. Reply START to get them again.",
            Self::Start => "You are subscribed again. Reply HELP for help, STOP to unsubscribe.",
            Self::Help => "Reply STOP to unsubscribe. Message and data rates may apply.",
        };
        let is_network = NumberKind::of(number) == NumberKind::TollFree && self != Self::Help;
        if is_network { format!("NETWORK MSG: {text}") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::OptOutKeyword;

    #[test]
    fn only_a_whole_message_is_a_keyword() {
        assert_eq!(OptOutKeyword::of(" stop\n"), Some(OptOutKeyword::Stop));
        assert_eq!(OptOutKeyword::of("Yes"), Some(OptOutKeyword::Start));
        assert_eq!(OptOutKeyword::of("info"), Some(OptOutKeyword::Help));
        assert_eq!(OptOutKeyword::of("STOP please"), None);
        assert_eq!(OptOutKeyword::of(""), None);
    }
}
