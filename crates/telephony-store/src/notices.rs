//! Notices: what the operator is told, in `telephony status` for as long as it holds, and by SMS.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use telephony_domain::id::LineId;
use telephony_domain::message::Draft;
use telephony_domain::notice::DAY;
use telephony_domain::time::Timestamp;

use crate::StoreError;

/// Something the operator should know. `Debug` hides the text.
#[derive(Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its name: a notice that holds already is not given twice.
    pub name: String,
    /// What the operator reads: one sentence that says what is wrong and what to do.
    pub text: String,
    /// Whether it is worth an SMS, where there is an operator's number.
    pub by_sms: bool,
    /// How long it holds, unless it ends before; none: until it ends.
    pub lasts: Option<Duration>,
}

impl Notice {
    /// Something that goes on until [`Notices::end_notice`].
    pub fn ongoing(name: impl Into<String>, text: impl Into<String>) -> Notice {
        Notice { name: name.into(), text: text.into(), by_sms: true, lasts: None }
    }

    /// Something that has happened: it is shown for a day, or until the operator has seen it.
    pub fn event(name: impl Into<String>, text: impl Into<String>) -> Notice {
        Notice { lasts: Some(DAY), ..Notice::ongoing(name, text) }
    }

    /// Not worth an SMS.
    pub fn without_sms(self) -> Notice {
        Notice { by_sms: false, ..self }
    }
}

impl fmt::Debug for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notice").field("name", &self.name).field("lasts", &self.lasts).finish_non_exhaustive()
    }
}

/// A notice that was given. `Debug` hides the text.
#[derive(Clone, PartialEq, Eq)]
pub struct Given {
    /// Its name.
    pub name: String,
    /// What the operator reads.
    pub text: String,
    /// Since when it holds.
    pub since: Timestamp,
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Given").field("name", &self.name).field("since", &self.since).finish_non_exhaustive()
    }
}

/// What is to be told by SMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untold {
    /// Which notices, oldest first; none: nothing is to be told.
    pub notices: Vec<Given>,
    /// Not before: what comes until then is told with them.
    pub from: Timestamp,
}

/// Notices.
#[async_trait]
pub trait Notices: Send + Sync {
    /// Tells the operator, once for as long as it holds, in the newest words. Returns whether it is news.
    async fn give_notice(&self, notice: Notice, now: Timestamp) -> Result<bool, StoreError>;

    /// It holds no longer. Returns whether it did. The same again is told by SMS only after a day.
    async fn end_notice(&self, name: &str, now: Timestamp) -> Result<bool, StoreError>;

    /// The notices that hold, oldest first.
    async fn notices(&self, now: Timestamp) -> Result<Vec<Given>, StoreError>;

    /// The notices that hold and were not told by SMS; see [`telephony_domain::notice::pause_after`].
    async fn untold(&self, now: Timestamp) -> Result<Untold, StoreError>;

    /// Tells these by SMS: they are told and `draft` is in the outbox, or neither. Returns whether there is an SMS: none
    /// where the operator said STOP. Fails with [`StoreError::NotFound`] where one of them was told meanwhile.
    async fn tell(&self, names: Vec<String>, line: LineId, draft: Draft, now: Timestamp) -> Result<bool, StoreError>;

    /// The operator has seen what has happened: it is shown no longer. What goes on stays. Returns how many.
    async fn notices_seen(&self, now: Timestamp) -> Result<usize, StoreError>;
}
