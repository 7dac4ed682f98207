//! A contact's wish to get messages from a line, and the evidence for it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Longest delay of a webhook: Twilio retries for 15 s, and its dates are whole seconds.
const MAX_WEBHOOK_DELAY: Duration = Duration::from_secs(16);

/// A contact's wish about a line, stated by the contact or the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wish {
    /// The contact wants no more messages, since STOP.
    OptOut,
    /// Messages are welcome again.
    OptIn,
}

/// The source of our knowledge of a wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// The contact texted one of our keywords.
    Keyword,
    /// The provider reported it with the contact's message (Twilio's `OptOutType`).
    Provider,
    /// The provider rejected a message because of it (Twilio's error 21610): the contact's own message never reached
    /// us.
    Refusal,
    /// The operator entered it.
    Operator,
}

impl Wish {
    /// Returns true if this wish, `said` earlier but known only now, is overridden by another one `learned` before. If
    /// their order is uncertain, the opt-out wins.
    pub fn is_overtaken(self, said: Timestamp, learned: Timestamp) -> bool {
        match self {
            Wish::OptOut => said + MAX_WEBHOOK_DELAY < learned,
            Wish::OptIn => said < learned,
        }
    }

    /// Both wishes.
    pub const ALL: [Wish; 2] = [Wish::OptOut, Wish::OptIn];

    /// Returns the word used in the store, in `--json` and on screen.
    pub fn as_str(self) -> &'static str {
        match self {
            Wish::OptOut => "opt-out",
            Wish::OptIn => "opt-in",
        }
    }
}

impl Evidence {
    /// Every kind of evidence.
    pub const ALL: [Evidence; 4] = [Evidence::Keyword, Evidence::Provider, Evidence::Refusal, Evidence::Operator];

    /// Returns the word used in the store, in `--json` and on screen.
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
    fn an_earlier_wish_is_overtaken_and_an_opt_out_wins_in_doubt() {
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
