//! Our lines: numbers and messaging services.

use std::time::Duration;

use async_trait::async_trait;
use telephony_domain::id::LineId;
use telephony_domain::limit::Terms;
use telephony_domain::line::Sender;
use telephony_domain::time::Timestamp;

use crate::StoreError;

/// A line with its current sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Our id, which survives a change of the sender.
    pub id: LineId,
    /// Number or messaging service of the line.
    pub sender: Sender,
}

/// The queue of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineQueue {
    /// The line that the parts wait for.
    pub line: Line,
    /// Segments of all parts that wait on the line.
    pub segments: u32,
    /// Time when the line is expected to have sent all of them.
    pub ends: Timestamp,
    /// Cause of a delay beyond the line's pace: the key of a limit, or `daily-cap` for the provider's own.
    pub waits_for: Option<String>,
}

/// One of our numbers, and the time since when its messages may be missing here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Our number whose messages may be missing.
    pub number: String,
    /// Start of the gap.
    pub since: Timestamp,
}

/// Overlap of a gap with the last look at the number, because webhooks are late and clocks differ.
pub const LOOK_BACK: Duration = Duration::from_secs(10 * 60);

/// The record of our lines.
#[async_trait]
pub trait Lines: Send + Sync {
    /// Claims `sender` at `provider` as the current sender of its line. The line is the one that owns the messaging
    /// service, else the number, else a new one: history and opt-outs survive a change of sender and of provider.
    async fn claim_line(&self, provider: &str, sender: Sender, now: Timestamp) -> Result<LineId, StoreError>;

    /// Limits each line's queue to what leaves within the provider's longest wait.
    async fn bound_queues(&self, terms: Terms) -> Result<(), StoreError>;

    /// Returns the queue of each line, in the order in which they were claimed.
    async fn queues(&self, terms: Terms, now: Timestamp) -> Result<Vec<LineQueue>, StoreError>;

    /// Returns numbers that got messages and are not known to be ours.
    async fn unconfirmed_numbers(&self) -> Result<Vec<String>, StoreError>;

    /// Records whether `number` is ours at `provider`. If so, it becomes a line and its messages wait for an answer; if
    /// not, they are closed without one. Returns the number of messages.
    async fn resolve_number(
        &self,
        provider: &str,
        number: &str,
        is_ours: bool,
        now: Timestamp,
    ) -> Result<usize, StoreError>;

    /// Includes these numbers in the search for missed messages.
    async fn watch(&self, numbers: Vec<String>) -> Result<(), StoreError>;

    /// Returns the possible gaps of our numbers, including those of a messaging service that have received messages;
    /// never earlier than the first call for a number.
    async fn gaps(&self, now: Timestamp) -> Result<Vec<Gap>, StoreError>;

    /// Moves the start of every gap to `since` or earlier, because messages since then may be missing.
    async fn widen_gaps(&self, since: Timestamp) -> Result<(), StoreError>;

    /// Closes a gap up to `until`, because all its messages are stored. Does nothing if the gap was widened meanwhile.
    async fn gap_closed(&self, gap: &Gap, until: Timestamp) -> Result<(), StoreError>;

    /// Returns the lines, in the order in which they were claimed.
    async fn lines(&self) -> Result<Vec<Line>, StoreError>;
}
