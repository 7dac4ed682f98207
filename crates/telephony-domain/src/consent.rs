//! Whether a contact wants to hear from a line, and how we know.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// What a webhook tells was said at most so long before: Twilio tries for 15 s, and its dates count whole seconds.
const WEBHOOK_WITHIN: Duration = Duration::from_secs(16);

/// What a contact wants of a line, or the operator says that they want.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wish {
    /// No more messages.
    OptOut,
    /// Messages again.
    OptIn,
}

/// How we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// The contact texted one of the words that we know.
    Keyword,
    /// The provider said so together with the contact's message (at Twilio `OptOutType`).
    Provider,
    /// The provider refused a message because of it (at Twilio error 21610): what the contact said never reached us.
    Refusal,
    /// The operator entered it.
    Operator,
}

impl Wish {
    /// Whether this wish, which was `said` a while ago and is learnt only now, counts no more because of another that
    /// was `learnt` before. Where it cannot be told which was said first, nobody is sent what they may not want.
    pub fn is_overtaken(self, said: Timestamp, learnt: Timestamp) -> bool {
        match self {
            Wish::OptOut => said + WEBHOOK_WITHIN < learnt,
            Wish::OptIn => said < learnt,
        }
    }

    /// Both.
    pub const ALL: [Wish; 2] = [Wish::OptOut, Wish::OptIn];

    /// The word used in the store, in `--json` and on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Wish::OptOut => "opt-out",
            Wish::OptIn => "opt-in",
        }
    }
}

impl Evidence {
    /// All of them.
    pub const ALL: [Evidence; 4] = [Evidence::Keyword, Evidence::Provider, Evidence::Refusal, Evidence::Operator];

    /// The word used in the store, in `--json` and on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Evidence::Keyword => "keyword",
            Evidence::Provider => "provider",
            Evidence::Refusal => "refusal",
            Evidence::Operator => "operator",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_before_counts_no_more_and_in_doubt_they_want_nothing() {
        let said = Timestamp(1_000_000);
        let overtaken = |wish: Wish, later: i64| wish.is_overtaken(said, Timestamp(said.0 + later));
        for long_after in [17_000, 1_000_000] {
            assert!(overtaken(Wish::OptOut, long_after) && overtaken(Wish::OptIn, long_after), "{long_after}");
        }
        for before in [-1_000_000, -1, 0] {
            assert!(!overtaken(Wish::OptOut, before) && !overtaken(Wish::OptIn, before), "{before}");
        }
        assert!(!overtaken(Wish::OptOut, 15_000), "the webhook of the other may have been late");
        assert!(overtaken(Wish::OptIn, 1));
    }
}
