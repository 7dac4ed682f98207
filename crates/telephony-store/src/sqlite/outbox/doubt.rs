//! Parts in doubt: looking them up, and deciding when they are not found.

use telephony_domain::id::{LineId, PartId};
use telephony_domain::notice::Notice;
use telephony_domain::reconcile::{self, Doubt, SearchResult};
use telephony_domain::retry::PartFate;
use telephony_domain::time::Timestamp;

use super::part::{AttemptEnd, PartKey, PartRow, close_attempt, load};
use super::{consent, ledger, part, queue};
use crate::outbox::{ATTEMPT_LEASE, AttemptLease, DoubtfulPart, OpenAttempt, PartState, SendFailure};
use crate::sqlite::engine::columns;
use crate::sqlite::engine::query::{Db, Row, execute, find, list, one, time};
use crate::sqlite::rows::{conversation, line, notice};
use crate::{LONGEST_WAIT, LeaseHolder, Next, StoreError};

/// Reason of a doubt whose process is gone.
const ABANDONED: &str = "the program ended while sending the part";

/// Raises a doubt after an attempt with an unknown outcome.
pub(super) fn raise(db: &Db, part: &PartRow, failure: &SendFailure, now: Timestamp) -> Result<PartFate, StoreError> {
    let end = AttemptEnd { outcome: "unknown", ended: Some(now), code: failure.code, reason: Some(&failure.reason) };
    enter(db, part, &end, failure.was_answered, now)?;
    Ok(PartFate::Unknown)
}

fn enter(db: &Db, part: &PartRow, end: &AttemptEnd<'_>, is_over: bool, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE part SET state = 'unknown', due_at = ?2, doubt_since = ?2, absences = 0, denied_since = NULL,
                      code = ?3, reason = ?4, doubt_is_over = ?5, doubted_from = coalesce(doubted_from,
                          (SELECT coalesce(provider_time, started_at) FROM part_attempt WHERE part = ?1 AND number = part.attempts), ?2)
               WHERE id = ?1";
    execute(db, sql, (part.id.0, now.0, end.code, end.reason, is_over))?;
    close_attempt(db, part, end)
}

/// Returns the attempts without a stored outcome.
pub(super) fn open_attempts(db: &Db, now: Timestamp) -> Result<Vec<OpenAttempt>, StoreError> {
    // A lease that ends much later than a new one was given by a clock that has been set back since. One that ends a
    // little later was given after the caller had read `now`.
    let sql = "SELECT id, attempts, due_at <= ?1 OR due_at > ?2 AS is_overdue FROM part WHERE state = 'starting'";
    list(db, sql, (now.0, (now + 2 * ATTEMPT_LEASE).0), |row| {
        let lease = AttemptLease { part: PartId(row.get("id")?), attempt: row.get("attempts")? };
        Ok(OpenAttempt { lease, is_overdue: row.get("is_overdue")? })
    })
}

/// Raises doubts about those of `attempts` that are still open. Returns the number.
pub(super) fn raise_abandoned(db: &Db, attempts: &[AttemptLease], now: Timestamp) -> Result<usize, StoreError> {
    let mut raised = 0;
    for lease in attempts {
        let part = load(db, PartKey::Id(lease.part))?;
        let is_open = |part: &PartRow| part.state == PartState::Starting && part.attempts == lease.attempt;
        if let Some(part) = part.filter(is_open) {
            let end = AttemptEnd { outcome: "unknown", ended: None, code: None, reason: Some(ABANDONED) };
            enter(db, &part, &end, false, now)?;
            raised += 1;
        }
    }
    Ok(raised)
}

/// Raises doubts about parts that earlier gateways were sending when they ended. Makes parts due that they were looking
/// up: a part that is looked up too early waits for its second look as usual.
pub(super) fn take_over(db: &Db, holder: &LeaseHolder, now: Timestamp) -> Result<usize, StoreError> {
    execute(db, "UPDATE part SET due_at = ?1 WHERE state = 'unknown' AND due_at > ?1", [now.0])?;
    let sql = "SELECT p.id, p.attempts FROM part AS p JOIN part_attempt AS a ON a.part = p.id AND a.number = p.attempts
               WHERE p.state = 'starting' AND a.holder GLOB 'gateway-*' AND a.holder <> ?";
    let attempts = list(db, sql, [&holder.0], |row| {
        Ok(AttemptLease { part: PartId(row.get("id")?), attempt: row.get("attempts")? })
    })?;
    raise_abandoned(db, &attempts, now)
}

/// Leases the part whose look-up is the longest overdue.
pub(super) fn take(db: &Db, provider: &str, now: Timestamp) -> Result<Next<DoubtfulPart>, StoreError> {
    let read = |row: &Row<'_>| Ok((PartId(row.get("id")?), time(row, "due_at")?));
    let first = "SELECT id, due_at FROM part WHERE state = 'unknown' AND provider = ? ORDER BY due_at LIMIT 1";
    let Some((part, due)) = find(db, first, [provider], read)? else { return Ok(Next::Idle(None)) };
    if due <= now {
        return lease(db, part, now).map(Next::Taken);
    }
    let put_off =
        "SELECT id, due_at FROM part WHERE state = 'unknown' AND due_at > ? AND provider = ? ORDER BY due_at LIMIT 1";
    match find(db, put_off, ((now + LONGEST_WAIT).0, provider), read)? {
        Some((part, _)) => lease(db, part, now).map(Next::Taken),
        None => Ok(Next::Idle(Some(due))),
    }
}

/// Leases a part in doubt. If the clock was set back, replaces later times by now once: if each look did so again, no
/// doubt would be old enough to be resolved before the clock has caught up.
fn lease(db: &Db, id: PartId, now: Timestamp) -> Result<DoubtfulPart, StoreError> {
    let sql = "UPDATE part SET due_at = ?2, doubt_since = min(doubt_since, ?3), doubted_from = min(doubted_from, ?3),
                      denied_since = min(denied_since, ?3)
               WHERE id = ?1";
    execute(db, sql, (id.0, (now + ATTEMPT_LEASE).0, now.0))?;
    let sql = "SELECT p.attempts, p.text, p.line, c.contact, p.doubted_from,
                      (SELECT count(*) FROM message_media WHERE message = p.message AND p.position = 1) AS media
               FROM part AS p JOIN conversation AS c ON c.id = p.conversation
               WHERE p.id = ?";
    let (line, part) = one(db, sql, [id.0], |row| {
        let part = DoubtfulPart {
            lease: AttemptLease { part: id, attempt: row.get("attempts")? },
            from: Vec::new(),
            to: columns::number(row, "contact")?,
            text: row.get("text")?,
            media: row.get("media")?,
            attempted: time(row, "doubted_from")?,
        };
        Ok((LineId(row.get("line")?), part))
    })?;
    Ok(DoubtfulPart { from: line::addresses(db, line)?, ..part })
}

/// Returns those of these provider ids that already belong to parts.
pub(super) fn claimed(db: &Db, provider: &str, provider_ids: &[String]) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT provider_id FROM part WHERE provider_id = ?1 AND provider = ?2
               UNION ALL SELECT provider_id FROM other_message WHERE provider_id = ?1 AND provider = ?2";
    let claims =
        provider_ids.iter().filter_map(|id| find(db, sql, [id.as_str(), provider], |row| row.get(0)).transpose());
    claims.collect()
}

/// Records that a look at the provider's list did not show the part.
pub(super) fn not_found(
    db: &Db,
    lease: AttemptLease,
    finding: SearchResult,
    now: Timestamp,
) -> Result<reconcile::DoubtStep, StoreError> {
    let part = part::held(db, lease)?;
    if part.state != PartState::Unknown {
        return Err(StoreError::LeaseLost);
    }
    let since = part.doubt_since.map_or(now, |since| since.min(now));
    let doubt = Doubt {
        since,
        absences: part.absences,
        denied_since: part.denied_since.map(|since| since.min(now)),
        is_over: part.doubt_is_over,
        resends: part.resends,
        has_left_open: part.has_left_open,
        is_opted_out: conversation::is_opted_out(db, part.conversation)?,
    };
    match reconcile::next(doubt, finding, now) {
        reconcile::DoubtStep::LookAgainAt(due) => look_again(db, &part, finding, due.min(now + LONGEST_WAIT), now),
        reconcile::DoubtStep::Canceled => {
            ledger::give_back(db, part.id, part.attempts)?;
            end(db, &part, "canceled", consent::OPTED_OUT, now)?;
            Ok(reconcile::DoubtStep::Canceled)
        }
        reconcile::DoubtStep::SendAgain => send_again(db, &part, now),
        reconcile::DoubtStep::FinallyUnknown => {
            raise_unknown(db, &part, now)?;
            end(db, &part, "finally-unknown", "it may have been sent or not", now)?;
            Ok(reconcile::DoubtStep::FinallyUnknown)
        }
    }
}

/// Raises a notice, because only the operator can decide whether to send it again.
fn raise_unknown(db: &Db, part: &PartRow, now: Timestamp) -> Result<(), StoreError> {
    let contact = conversation::contact_of(db, part.conversation)?.to_string();
    notice::raise(db, &Notice::SendingUnknown { message: part.message, contact }, now).map(drop)
}

fn look_again(
    db: &Db,
    part: &PartRow,
    finding: SearchResult,
    due: Timestamp,
    now: Timestamp,
) -> Result<reconcile::DoubtStep, StoreError> {
    let denied_since = (finding == SearchResult::Denied).then(|| part.denied_since.unwrap_or(now).min(now));
    let sql = "UPDATE part SET due_at = ?2, absences = absences + ?3, denied_since = ?4 WHERE id = ?1";
    execute(db, sql, (part.id.0, due.0, finding == SearchResult::Absent, denied_since.map(|since| since.0)))?;
    Ok(reconcile::DoubtStep::LookAgainAt(due))
}

fn send_again(db: &Db, part: &PartRow, now: Timestamp) -> Result<reconcile::DoubtStep, StoreError> {
    ledger::give_back(db, part.id, part.attempts)?;
    let sql = "UPDATE part SET state = 'ready', due_at = ?2, doubt_since = NULL, resends = resends + 1,
                      has_left_open = has_left_open OR NOT doubt_is_over WHERE id = ?1";
    execute(db, sql, (part.id.0, now.0))?;
    Ok(reconcile::DoubtStep::SendAgain)
}

fn end(db: &Db, part: &PartRow, state: &str, reason: &str, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE part SET state = ?2, reason = ?3, due_at = NULL, settled_at = ?4 WHERE id = ?1";
    execute(db, sql, (part.id.0, state, reason, now.0))?;
    queue::promote(db, part.conversation, now)
}
