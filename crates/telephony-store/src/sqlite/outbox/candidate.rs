//! Candidates to be sent next: the head of each conversation, and when its line is free.

use telephony_domain::id::{ConversationId, LineId, MessageId, PartId};
use telephony_domain::limit::Terms;
use telephony_domain::line::Sender;
use telephony_domain::number::PhoneNumber;
use telephony_domain::retry::DAILY_CAP_WAIT;
use telephony_domain::time::Timestamp;

use crate::sqlite::engine::columns;
use crate::sqlite::engine::query::{Db, Row, RowResult, execute, find, list, maybe_time, time};
use crate::{LONGEST_WAIT, StoreError};

/// Maximum number of segments of a part (1,600 characters at 67 per segment, rounded up). A line that is busy for
/// longer than such a part takes was delayed by a clock that has been set back since, or by a slower pace.
const MAX_SEGMENTS: u32 = 32;

/// A part that could be next on its line.
pub(crate) struct PartCandidate {
    pub(crate) part: PartId,
    pub(crate) message: MessageId,
    pub(crate) conversation: ConversationId,
    pub(crate) contact: PhoneNumber,
    pub(crate) segments: u32,
    pub(crate) due: Timestamp,
    pub(crate) is_automatic: bool,
    pub(crate) is_for_operator: bool,
    capped_until: Option<Timestamp>,
    line: LineId,
    pub(crate) sender: Sender,
    line_free: Timestamp,
}

impl PartCandidate {
    /// Returns when it may leave.
    pub(crate) fn leaves(&self, terms: &Terms, now: Timestamp) -> Timestamp {
        let due = if self.due > now + LONGEST_WAIT { now } else { self.due };
        due.max(free_at(&self.sender, self.line_free, terms, now))
    }

    /// Returns until when it waits for a daily cap of the provider; a clock set back ends it.
    pub(crate) fn capped_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.capped_until.filter(|until| *until > now && *until <= now + DAILY_CAP_WAIT)
    }
}

/// Returns when a line is free; now if the stored time makes no sense at its pace.
pub(crate) fn free_at(sender: &Sender, noted: Timestamp, terms: &Terms, now: Timestamp) -> Timestamp {
    let latest = terms.pace(sender).map_or(now, |pace| pace.free_after(now, now, MAX_SEGMENTS));
    if noted > latest { now } else { noted }
}

/// Returns for each line of `provider` the longest overdue part, the first for the operator, and one that a clock now
/// set back had delayed too far.
pub(crate) fn heads(db: &Db, provider: &str, now: Timestamp) -> Result<Vec<PartCandidate>, StoreError> {
    let sql = "SELECT p.id, p.message, p.conversation, p.segments, p.due_at, c.contact, m.purpose,
                      p.waits_for IS 'daily-cap' AS is_capped, p.waits_until, p.line, l.number, l.messaging_service,
                      l.next_free_at
               FROM line AS l JOIN part AS p ON p.id IN (
                   (SELECT id FROM part WHERE line = l.id AND state = 'ready' ORDER BY due_at, id LIMIT 1),
                   (SELECT id FROM part WHERE line = l.id AND state = 'ready' AND is_for_operator = 1
                    ORDER BY due_at, id LIMIT 1),
                   (SELECT id FROM part WHERE line = l.id AND state = 'ready' AND due_at > ?1 ORDER BY due_at LIMIT 1))
               JOIN conversation AS c ON c.id = p.conversation JOIN message AS m ON m.id = p.message
               WHERE l.provider = ?2";
    list(db, sql, ((now + LONGEST_WAIT).0, provider), candidate)
}

/// Returns the part that blocks a message from a line of `provider`: its own, or one ahead of it in its conversation.
pub(crate) fn towards(db: &Db, provider: &str, message: MessageId) -> Result<Vec<PartCandidate>, StoreError> {
    let sql = format!(
        "{OF_PARTS} WHERE p.conversation = (SELECT conversation FROM message WHERE id = ?1) AND p.due_at IS NOT NULL
           AND p.state = 'ready' AND (p.message <= ?1 OR p.is_for_operator = 1) AND l.provider = ?2"
    );
    list(db, &sql, (message.0, provider), candidate)
}

/// Returns a due part of the next conversation with a line of `provider`, in the order of their ids, after the one tried
/// last; the first follows the last.
pub(crate) fn in_turn(db: &Db, provider: &str, now: Timestamp) -> Result<Option<PartCandidate>, StoreError> {
    let sql = format!(
        "{OF_PARTS} WHERE p.state = 'ready' AND (p.due_at <= ?1 OR p.due_at > ?2) AND l.provider = ?3
         ORDER BY p.conversation <= (SELECT coalesce(tried, 0) FROM account_stop), p.conversation LIMIT 1"
    );
    find(db, &sql, (now.0, (now + LONGEST_WAIT).0, provider), candidate)
}

const OF_PARTS: &str = "SELECT p.id, p.message, p.conversation, p.segments, p.due_at, c.contact, m.purpose,
            p.waits_for IS 'daily-cap' AS is_capped, p.waits_until, p.line, l.number, l.messaging_service,
            l.next_free_at
     FROM part AS p JOIN line AS l ON l.id = p.line JOIN conversation AS c ON c.id = p.conversation
     JOIN message AS m ON m.id = p.message";

fn candidate(row: &Row<'_>) -> RowResult<PartCandidate> {
    Ok(PartCandidate {
        part: PartId(row.get("id")?),
        message: MessageId(row.get("message")?),
        conversation: ConversationId(row.get("conversation")?),
        contact: columns::number(row, "contact")?,
        capped_until: if row.get::<_, bool>("is_capped")? { maybe_time(row, "waits_until")? } else { None },
        is_automatic: columns::purpose(row)?.is_automatic(),
        is_for_operator: columns::purpose(row)?.is_for_operator(),
        segments: row.get("segments")?,
        due: time(row, "due_at")?,
        line: LineId(row.get("line")?),
        sender: columns::sender(row)?,
        line_free: time(row, "next_free_at")?,
    })
}

/// Occupies the line for as long as the part's segments take.
pub(crate) fn occupy(db: &Db, candidate: &PartCandidate, terms: &Terms, now: Timestamp) -> Result<(), StoreError> {
    let Some(pace) = terms.pace(&candidate.sender) else { return Ok(()) };
    let free = pace.free_after(now, now, candidate.segments.min(MAX_SEGMENTS));
    execute(db, "UPDATE line SET next_free_at = ? WHERE id = ?", (free.0, candidate.line.0)).map(drop)
}
