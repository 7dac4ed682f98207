//! The time between a contact's words and the agent's answer.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::words::Words;
use crate::time::Timestamp;

/// A request that comes while the agent works waits so long for the answer; Twilio gives up after 15 s.
const HOLD: Duration = Duration::from_secs(5);

/// A turn whose answer is not said yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thinking {
    /// The agent was asked.
    pub(super) since: Timestamp,
    /// A request of the provider waits until then.
    pub(super) hold_until: Timestamp,
    /// To be said at the provider's next request.
    pub(super) ready: Option<Ready>,
}

/// An outcome that can be said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Ready {
    /// The agent's answer.
    Answer(Words),
    /// There will be none.
    NoAnswer,
    /// It comes by text.
    Promise,
}

impl Thinking {
    pub(super) fn begin(now: Timestamp, hold_until: Timestamp) -> Thinking {
        Thinking { since: now, hold_until, ready: None }
    }

    /// Lets the next request wait.
    pub(super) fn hold(&mut self, now: Timestamp) {
        self.hold_until = now + HOLD;
    }

    /// Notes an outcome. Only a promise that was not made yet gives way to the answer itself.
    pub(super) fn take(&mut self, ready: Ready) -> bool {
        let is_news =
            matches!((&self.ready, &ready), (None, _) | (Some(Ready::Promise), Ready::Answer(_) | Ready::NoAnswer));
        if is_news {
            self.ready = Some(ready);
        }
        is_news
    }
}
