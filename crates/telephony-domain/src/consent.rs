//! Whether a contact wants to hear from a line, and how we know.

use serde::{Deserialize, Serialize};

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
