//! Notices to the operator: shown in `telephony status` while they hold, and sent by SMS.

use std::fmt;

use async_trait::async_trait;
use telephony_domain::id::LineId;
use telephony_domain::message::MessageDraft;
use telephony_domain::notice::Notice;
use telephony_domain::time::Timestamp;
use tokio::sync::Notify;

use crate::StoreError;

/// A raised notice. `Debug` hides the text.
#[derive(Clone, PartialEq, Eq)]
pub struct RaisedNotice {
    /// Name that `status` and a dismissal use.
    pub name: String,
    /// The notice as stored: JSON, or the text that an older version stored.
    pub(crate) stored: String,
    /// Time since when it holds.
    pub since: Timestamp,
}

impl RaisedNotice {
    /// Returns the text for the operator, with the provider's name. A value of another version is returned as it is.
    pub fn text(&self, provider: &str) -> String {
        serde_json::from_str(&self.stored).map_or_else(|_| self.stored.clone(), |notice: Notice| notice.text(provider))
    }
}

impl fmt::Debug for RaisedNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RaisedNotice").field("name", &self.name).field("since", &self.since).finish_non_exhaustive()
    }
}

/// Notices to send by SMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsentNotices {
    /// Notices, oldest first; may be empty.
    pub notices: Vec<RaisedNotice>,
    /// Earliest time to send them; newer notices until then join them.
    pub from: Timestamp,
}

/// The record of notices.
#[async_trait]
pub trait Notices: Send + Sync {
    /// Returns the signal that follows each transaction of this process that raised a notice.
    fn raised(&self) -> &Notify;

    /// Raises a notice, or updates the text of one that holds. Returns true if it is new.
    async fn raise_notice(&self, notice: Notice, now: Timestamp) -> Result<bool, StoreError>;

    /// Ends a notice. Returns false if it did not hold. The same notice is sent by SMS again only after a day.
    async fn end_notice(&self, name: &str, now: Timestamp) -> Result<bool, StoreError>;

    /// Returns the notices that hold, oldest first.
    async fn notices(&self, now: Timestamp) -> Result<Vec<RaisedNotice>, StoreError>;

    /// Returns the notices that hold and were not sent by SMS; see [`telephony_domain::notice::sms::pause_after`].
    async fn unsent_notices(&self, now: Timestamp) -> Result<UnsentNotices, StoreError>;

    /// Marks these as sent and queues `draft`, or neither. Returns false without an SMS if the operator opted out.
    /// Fails with [`StoreError::NotFound`] if one of them was sent meanwhile.
    async fn send_notices(
        &self,
        names: Vec<String>,
        line: LineId,
        draft: MessageDraft,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Hides notices about past events, because the operator has seen them; ongoing ones stay. Returns the number.
    async fn dismiss_notices(&self, now: Timestamp) -> Result<usize, StoreError>;
}
