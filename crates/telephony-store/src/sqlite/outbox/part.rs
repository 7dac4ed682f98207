//! The fields of a part that decide its fate, and its attempts.

use telephony_domain::delivery::Status;
use telephony_domain::id::{ConversationId, MessageId, PartId};
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::outbox::{AttemptLease, PartState};
use crate::sqlite::engine::columns;
use crate::sqlite::engine::query::{Db, Row, RowResult, execute, find, maybe_time, time};

pub(super) struct PartRow {
    pub(super) id: PartId,
    pub(super) message: MessageId,
    pub(super) conversation: ConversationId,
    pub(super) state: PartState,
    pub(super) segments: u32,
    pub(super) attempts: u32,
    /// Time of its first attempt.
    pub(super) first_tried: Timestamp,
    pub(super) doubt_since: Option<Timestamp>,
    pub(super) absences: u32,
    pub(super) denied_since: Option<Timestamp>,
    pub(super) doubt_is_over: bool,
    pub(super) resends: u32,
    pub(super) has_left_open: bool,
    pub(super) provider: String,
    pub(super) provider_id: Option<String>,
    pub(super) sent: Option<Timestamp>,
    pub(super) status: Option<Status>,
}

/// The key of a part.
#[derive(Clone, Copy)]
pub(super) enum PartKey<'a> {
    Id(PartId),
    ProviderId(&'a str, &'a str),
    CorrelationId(&'a str),
}

/// Returns the part, if it exists.
pub(super) fn load(db: &Db, key: PartKey<'_>) -> Result<Option<PartRow>, StoreError> {
    const COLUMNS: &str = "SELECT p.*, coalesce(p.retried_at, a.started_at, m.created_at) AS first_tried_at
                           FROM part AS p JOIN message AS m ON m.id = p.message
                           LEFT JOIN part_attempt AS a ON a.part = p.id AND a.number = 1";
    match key {
        PartKey::Id(id) => find(db, &format!("{COLUMNS} WHERE p.id = ?"), [id.0], read),
        PartKey::ProviderId(provider, id) => {
            find(db, &format!("{COLUMNS} WHERE p.provider_id = ? AND p.provider = ?"), [id, provider], read)
        }
        PartKey::CorrelationId(name) => find(db, &format!("{COLUMNS} WHERE p.correlator = ?"), [name], read),
    }
}

fn read(row: &Row<'_>) -> RowResult<PartRow> {
    Ok(PartRow {
        id: PartId(row.get("id")?),
        message: MessageId(row.get("message")?),
        conversation: ConversationId(row.get("conversation")?),
        state: columns::part_state(row)?,
        segments: row.get("segments")?,
        attempts: row.get("attempts")?,
        first_tried: time(row, "first_tried_at")?,
        doubt_since: maybe_time(row, "doubt_since")?,
        absences: row.get("absences")?,
        denied_since: maybe_time(row, "denied_since")?,
        doubt_is_over: row.get("doubt_is_over")?,
        resends: row.get("resends")?,
        has_left_open: row.get("has_left_open")?,
        provider: row.get("provider")?,
        provider_id: row.get("provider_id")?,
        sent: maybe_time(row, "sent_at")?,
        status: columns::status(row, "status")?,
    })
}

/// Returns the part, while the attempt is its newest and its outcome is open.
pub(super) fn held(db: &Db, lease: AttemptLease) -> Result<PartRow, StoreError> {
    let part = load(db, PartKey::Id(lease.part))?.filter(|part| {
        part.attempts == lease.attempt && matches!(part.state, PartState::Starting | PartState::Unknown)
    });
    part.ok_or(StoreError::LeaseLost)
}

/// The end of an attempt.
pub(super) struct AttemptEnd<'a> {
    /// Outcome in one word.
    pub(super) outcome: &'static str,
    /// End; none if it was interrupted at an unknown time.
    pub(super) ended: Option<Timestamp>,
    pub(super) code: Option<u32>,
    pub(super) reason: Option<&'a str>,
}

/// Records the end of the newest attempt. One that was in doubt and ended well keeps the reason of the doubt.
pub(super) fn close_attempt(db: &Db, part: &PartRow, end: &AttemptEnd<'_>) -> Result<(), StoreError> {
    let sql = "UPDATE part_attempt SET outcome = ?3, ended_at = ?4, code = coalesce(?5, code),
                      reason = coalesce(?6, 'in doubt at first: ' || reason)
               WHERE part = ?1 AND number = ?2";
    let ended = end.ended.map(|time| time.0);
    execute(db, sql, (part.id.0, part.attempts, end.outcome, ended, end.code, end.reason)).map(drop)
}
