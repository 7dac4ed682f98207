//! The time between a contact's words and the agent's answer.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::words::Words;
use crate::time::Timestamp;

/// The time for which a request waits for the agent's answer; Twilio's timeout is 15 s.
const HOLD: Duration = Duration::from_secs(5);

/// A turn whose answer has not been said yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thinking {
    /// The agent was asked.
    pub(super) since: Timestamp,
    /// A provider's request waits until this time.
    pub(super) hold_until: Timestamp,
    /// Said at the provider's next request.
    pub(super) ready: Option<Ready>,
    /// Later turns, whose words are only kept.
    #[serde(default)]
    pub(super) kept: u32,
}

/// An outcome that can be said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Ready {
    Answer(Words),
    /// There is no answer.
    NoAnswer,
    /// The answer comes by text.
    Promise,
}

impl Thinking {
    pub(super) fn begin(now: Timestamp, hold_until: Timestamp) -> Thinking {
        Thinking { since: now, hold_until, ready: None, kept: 0 }
    }

    /// Returns true while the agent's answer is awaited.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.ready, None | Some(Ready::Promise))
    }

    /// Lets the next request wait.
    pub(super) fn hold(&mut self, now: Timestamp) {
        self.hold_until = now + HOLD;
    }

    /// Records an outcome. Only an unspoken promise is replaced by the answer itself.
    pub(super) fn take(&mut self, ready: Ready) -> bool {
        let is_news =
            matches!((&self.ready, &ready), (None, _) | (Some(Ready::Promise), Ready::Answer(_) | Ready::NoAnswer));
        if is_news {
            self.ready = Some(ready);
        }
        is_news
    }
}
