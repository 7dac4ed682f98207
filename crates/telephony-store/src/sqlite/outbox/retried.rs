//! Resends failed messages for the operator.

use telephony_domain::delivery::Status;
use telephony_domain::id::{ConversationId, LineId, MessageId, PartId};
use telephony_domain::time::Timestamp;

use super::{enqueue, queue};
use crate::StoreError;
use crate::outbox::{PartState, Retried};
use crate::sqlite::engine::columns;
use crate::sqlite::engine::query::{Db, Row, RowResult, execute, list};
use crate::sqlite::rows::conversation;

struct RetriedPart {
    id: PartId,
    conversation: ConversationId,
    line: LineId,
    segments: u32,
    state: PartState,
    status: Option<Status>,
}

impl RetriedPart {
    fn has_failed(&self) -> bool {
        let is_undelivered = self.status.is_some_and(|status| status.is_failure());
        self.state == PartState::Failed || (self.state == PartState::Sent && is_undelivered)
    }

    fn is_unknown(&self) -> bool {
        matches!(self.state, PartState::Unknown | PartState::FinallyUnknown)
    }
}

/// Makes the failed parts of a message wait again, and those canceled behind them.
pub(super) fn retry(db: &Db, message: MessageId, now: Timestamp) -> Result<Retried, StoreError> {
    let parts = parts(db, message)?;
    let Some(first) = parts.first() else {
        return Err(StoreError::NotFound(format!("message out-{message}")));
    };
    if parts.iter().any(RetriedPart::is_unknown) {
        return Ok(Retried::Unknown);
    }
    if !parts.iter().any(RetriedPart::has_failed) {
        return Ok(Retried::NotFailed);
    }
    if conversation::is_opted_out(db, first.conversation)? {
        return Err(StoreError::OptedOut);
    }
    let again: Vec<&RetriedPart> =
        parts.iter().filter(|part| part.has_failed() || part.state == PartState::Canceled).collect();
    enqueue::check_segments(db, first.line, again.iter().map(|part| part.segments).sum())?;
    again.iter().try_for_each(|part| renew(db, part, now))?;
    queue::promote(db, first.conversation, now)?;
    Ok(Retried::Waits(again.len()))
}

fn parts(db: &Db, message: MessageId) -> Result<Vec<RetriedPart>, StoreError> {
    let sql = "SELECT id, conversation, line, segments, state, status FROM part WHERE message = ? ORDER BY position";
    list(db, sql, [message.0], part)
}

fn part(row: &Row<'_>) -> RowResult<RetriedPart> {
    Ok(RetriedPart {
        id: PartId(row.get("id")?),
        conversation: ConversationId(row.get("conversation")?),
        line: LineId(row.get("line")?),
        segments: row.get("segments")?,
        state: columns::part_state(row)?,
        status: columns::status(row, "status")?,
    })
}

/// Resets the part as if it were new. It gets a new id at the provider, so that neither late reports on the old one nor
/// look-ups affect it; its attempts stay.
fn renew(db: &Db, part: &RetriedPart, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE part_attempt SET reason = (SELECT 'accepted as ' || provider_id || ', and ' || status
                                                 FROM part WHERE id = ?1)
               WHERE part = ?1 AND outcome = 'sent' AND number = (SELECT attempts FROM part WHERE id = ?1)";
    execute(db, sql, [part.id.0])?;
    let sql = "INSERT OR IGNORE INTO other_message (part, provider_id, provider)
               SELECT id, provider_id, provider FROM part WHERE id = ? AND provider_id IS NOT NULL";
    execute(db, sql, [part.id.0])?;
    let sql = "UPDATE part SET state = 'queued', due_at = NULL, waits_for = NULL, waits_until = NULL, doubt_since = NULL,
                      absences = 0, doubt_is_over = 0, doubted_from = NULL, resends = 0, has_left_open = 0,
                      denied_since = NULL, provider_id = NULL, status = NULL, provider_segments = NULL, conflict = NULL,
                      code = NULL, reason = NULL, sent_at = NULL, settled_at = NULL, poll_at = NULL, price_due_at = NULL,
                      correlator = ?2, retried_at = ?3, provider = (SELECT provider FROM line WHERE id = part.line)
               WHERE id = ?1";
    execute(db, sql, (part.id.0, enqueue::new_correlation_id()?, now.0)).map(drop)
}
