//! The stop of the account's lines: begun by a rejected part, probed, ended by an accepted one.

use telephony_domain::id::{ConversationId, MessageId, PartId};
use telephony_domain::notice::{Notice, name};
use telephony_domain::retry::{MIN_ATTEMPTS, PROBE, STALE_AFTER};
use telephony_domain::time::Timestamp;

use super::part::PartRow;
use super::queue;
use crate::account_stops::{AccountStop, ProbeOutcome};
use crate::sqlite::engine::query::{Db, Row, RowResult, execute, find, list, one, time};
use crate::sqlite::rows::notice;
use crate::{Next, StoreError};

/// Rejected probes until a part is tried, because reads may be rejected while sends are not.
const PART_EVERY: u32 = 5;

/// Maximum number of messages failed in one transaction, because others wait for it.
const FAILED_AT_A_TIME: u32 = 200;

/// Returns the current stop.
pub(super) fn look(db: &Db) -> Result<Option<AccountStop>, StoreError> {
    find(db, "SELECT code, reason, since, probe_at FROM account_stop", (), read)
}

fn read(row: &Row<'_>) -> RowResult<AccountStop> {
    Ok(AccountStop {
        code: row.get("code")?,
        reason: row.get("reason")?,
        since: time(row, "since")?,
        next_probe: time(row, "probe_at")?,
    })
}

/// The permission of parts to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gate {
    /// All parts.
    Open,
    /// One at a time, until the provider accepts one.
    Trial,
    /// No parts.
    Closed,
}

/// Returns which parts may start now.
pub(super) fn gate(db: &Db) -> Result<Gate, StoreError> {
    let sql = "SELECT is_open AND NOT EXISTS (SELECT 1 FROM part WHERE state = 'starting') FROM account_stop";
    Ok(match find(db, sql, (), |row| row.get(0))? {
        None => Gate::Open,
        Some(true) => Gate::Trial,
        Some(false) => Gate::Closed,
    })
}

/// Stops all lines. An ongoing stop keeps its start and its next probe.
pub(super) fn begin(db: &Db, code: Option<u32>, reason: &str, now: Timestamp) -> Result<(), StoreError> {
    let sql = "INSERT INTO account_stop (id, code, reason, since, probe_at) VALUES (1, ?1, ?2, ?3, ?4)
               ON CONFLICT DO UPDATE SET code = ?1, reason = ?2, is_open = 0";
    execute(db, sql, (code, reason, now.0, (now + PROBE.wait(1, 0.0)).0))?;
    if notice::raise(db, &Notice::AccountStopped { code, reason: reason.to_owned() }, now)? {
        tracing::error!(provider.code = code, "sending is stopped, and every message waits: {reason}");
    }
    Ok(())
}

/// Records that a part of the conversation was refused: parts of others are tried first, because the refusal may
/// concern it alone.
pub(super) fn note_tried(db: &Db, conversation: ConversationId) -> Result<(), StoreError> {
    execute(db, "UPDATE account_stop SET tried = ?", [conversation.0]).map(drop)
}

/// Returns true if the part was refused with the same code in a stop that has ended since: the provider serves the
/// account and refuses only this part.
pub(super) fn is_refused_alone(db: &Db, part: &PartRow, code: Option<u32>) -> Result<bool, StoreError> {
    let sql = "SELECT NOT EXISTS (SELECT 1 FROM account_stop)
                  AND EXISTS (SELECT 1 FROM part_attempt
                              WHERE part = ?1 AND number < ?2 AND outcome = 'retried' AND code = ?3)";
    one(db, sql, (part.id.0, part.attempts, code), |row| row.get(0))
}

/// Takes a due probe, including one that a clock now set back had delayed too far.
pub(super) fn begin_probe(db: &Db, now: Timestamp) -> Result<Next<()>, StoreError> {
    let sql = "SELECT probe_at, probes FROM account_stop";
    let Some((due, probes)) = find(db, sql, (), |row| Ok((time(row, "probe_at")?, row.get::<_, u32>("probes")?)))?
    else {
        return Ok(Next::Idle(None));
    };
    if due > now && due <= now + PROBE.longest {
        return Ok(Next::Idle(Some(due)));
    }
    let next = now + PROBE.wait(probes.saturating_add(2), 0.0);
    execute(db, "UPDATE account_stop SET probe_at = ?, probes = probes + 1, since = min(since, ?)", (next.0, now.0))?;
    Ok(Next::Taken(()))
}

pub(super) fn end_probe(db: &Db, outcome: &ProbeOutcome, now: Timestamp) -> Result<(), StoreError> {
    match outcome {
        ProbeOutcome::NoAnswer => Ok(()),
        ProbeOutcome::Served => execute(db, "UPDATE account_stop SET is_open = 1", ()).map(drop),
        ProbeOutcome::Refused { code, reason } => {
            if look(db)?.is_some() {
                begin(db, *code, reason, now)?;
            }
            let sql = "UPDATE account_stop SET is_open = 1 WHERE probes % ? = 0";
            execute(db, sql, [PART_EVERY])?;
            fail_stale(db, now)
        }
    }
}

/// Makes the next probe due at once.
pub(super) fn probe_soon(db: &Db, now: Timestamp) -> Result<(), StoreError> {
    execute(db, "UPDATE account_stop SET probe_at = min(probe_at, ?)", [now.0]).map(drop)
}

/// Ends the stop if an accepted part was a trial.
pub(super) fn accepted(db: &Db) -> Result<(), StoreError> {
    if execute(db, "DELETE FROM account_stop WHERE is_open", ())? > 0 {
        tracing::info!("the account is accepted again: sending resumes");
        notice::end(db, name::ACCOUNT_STOPPED)?;
    }
    Ok(())
}

/// Fails messages that waited for a day while the account was stopped.
pub(super) fn fail_stale(db: &Db, now: Timestamp) -> Result<(), StoreError> {
    let sql = "SELECT m.id, m.conversation, s.reason, s.code
               FROM account_stop AS s, part AS p JOIN message AS m ON m.id = p.message
               WHERE p.state IN ('queued', 'ready') AND s.since <= ?1 AND s.probes >= ?2
                 AND coalesce(p.retried_at, m.created_at) <= ?1
               GROUP BY m.id ORDER BY m.id LIMIT ?3";
    let stale = list(db, sql, ((now - STALE_AFTER).0, MIN_ATTEMPTS, FAILED_AT_A_TIME), |row| {
        Ok(Stale {
            message: MessageId(row.get(0)?),
            conversation: ConversationId(row.get(1)?),
            reason: row.get(2)?,
            code: row.get(3)?,
        })
    })?;
    if stale.is_empty() {
        return Ok(());
    }
    stale.iter().try_for_each(|stale| fail(db, stale, now))?;
    notice::raise(db, &Notice::GaveUpWhileStopped, now).map(drop)
}

struct Stale {
    message: MessageId,
    conversation: ConversationId,
    reason: String,
    code: Option<u32>,
}

/// Fails the first waiting part, and with it the rest of the message.
fn fail(db: &Db, stale: &Stale, now: Timestamp) -> Result<(), StoreError> {
    let sql = "SELECT id FROM part WHERE message = ? AND state IN ('queued', 'ready') ORDER BY id LIMIT 1";
    let part = one(db, sql, [stale.message.0], |row| row.get(0).map(PartId))?;
    let sql = "UPDATE part SET state = 'failed', due_at = NULL, waits_for = NULL, waits_until = NULL, code = ?2,
                      reason = ?3, settled_at = ?4 WHERE id = ?1";
    execute(db, sql, (part.0, stale.code, &stale.reason, now.0))?;
    queue::cancel_rest(db, stale.message, "an earlier part was not sent", now)?;
    queue::promote(db, stale.conversation, now)
}
