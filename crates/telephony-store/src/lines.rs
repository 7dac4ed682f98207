//! Our lines: which numbers and messaging services are ours.

use std::time::Duration;

use async_trait::async_trait;
use telephony_domain::id::LineId;
use telephony_domain::limit::Terms;
use telephony_domain::line::Sender;
use telephony_domain::pace::Pacing;
use telephony_domain::time::Timestamp;

use crate::StoreError;

/// A line as it sends now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Which.
    pub id: LineId,
    /// Who it is on the phone.
    pub sender: Sender,
}

/// What waits on a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// On which.
    pub line: Line,
    /// Segments that wait.
    pub segments: u32,
    /// When the line can be expected to have sent all of it.
    pub ends: Timestamp,
    /// What keeps it so long, apart from the line's pace: the key of a limit, or `daily-cap`, the provider's own.
    pub waits_for: Option<String>,
}

/// A number of ours, and since when what came to it may be missing here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Which number.
    pub number: String,
    /// Since when.
    pub since: Timestamp,
}

/// Webhooks are late, and clocks differ: a gap begins so long before the last look at the number.
pub const LOOK_BACK: Duration = Duration::from_secs(10 * 60);

/// Our lines.
#[async_trait]
pub trait Lines: Send + Sync {
    /// Makes `sender` ours and the way its line sends from now on. The line is the one that owns the messaging
    /// service, else the number, else a new one: history and opt-outs survive a change of sender.
    async fn claim_line(&self, sender: Sender, now: Timestamp) -> Result<LineId, StoreError>;

    /// From now on no more waits on any line than leaves within [`telephony_domain::pace::LONGEST_QUEUE`].
    async fn bound_queues(&self, pacing: Pacing) -> Result<(), StoreError>;

    /// What waits on each line, in the order in which they were claimed.
    async fn queues(&self, terms: Terms, now: Timestamp) -> Result<Vec<Queue>, StoreError>;

    /// Numbers that messages came to and nobody knows yet to be ours.
    async fn unconfirmed_numbers(&self) -> Result<Vec<String>, StoreError>;

    /// Settles whether `number` is ours. Ours: it becomes a line and its messages wait for an answer;
    /// not ours: they are closed without one. Returns how many messages it was about.
    async fn resolve_number(&self, number: &str, is_ours: bool, now: Timestamp) -> Result<usize, StoreError>;

    /// From now on what comes to these numbers is looked for.
    async fn watch(&self, numbers: Vec<String>) -> Result<(), StoreError>;

    /// What may be missing of what came to our numbers, those of a messaging service as far as messages came to them;
    /// never older than the first time this was asked about a number.
    async fn gaps(&self, now: Timestamp) -> Result<Vec<Gap>, StoreError>;

    /// Lets every gap begin at `since` or earlier: messages since then may be missing here.
    async fn widen_gaps(&self, since: Timestamp) -> Result<(), StoreError>;

    /// Everything that came in the gap and until then is stored. Changes nothing where the gap was widened meanwhile.
    async fn gap_closed(&self, gap: &Gap, until: Timestamp) -> Result<(), StoreError>;

    /// The lines, in the order in which they were claimed.
    async fn lines(&self) -> Result<Vec<Line>, StoreError>;
}
