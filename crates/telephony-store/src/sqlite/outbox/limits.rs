//! Parts held back by a limit: their waits and notices.

use telephony_domain::id::PartId;
use telephony_domain::limit::{Limit, Limits};
use telephony_domain::notice::Notice;
use telephony_domain::notice::name::LIMIT;
use telephony_domain::number::PhoneNumber;
use telephony_domain::plural::counted;
use telephony_domain::time::Timestamp;

use super::candidate::PartCandidate;
use super::queue;
use crate::sqlite::engine::query::{Db, execute};
use crate::sqlite::rows::{contact, notice};
use crate::{LONGEST_WAIT, StoreError};

/// Makes a part wait until it fits `limit`. The oldest part over the daily limit keeps its place, so that smaller ones
/// do not overtake it forever; parts over a contact's limit do not block others.
pub(super) fn hold(
    db: &Db,
    candidate: &PartCandidate,
    limits: &Limits,
    limit: Limit,
    until: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let due = match limit {
        Limit::SegmentsPerDay => candidate.due,
        Limit::SegmentsPerContactPerDay | Limit::RepliesPerContactPer30s => until.min(now + LONGEST_WAIT),
    };
    let sql = "UPDATE part SET due_at = ?2, waits_for = ?3, waits_until = ?4, reason = ?5 WHERE id = ?1";
    let reason = format!("limits.{} is reached", limit.key());
    execute(db, sql, (candidate.part.0, due.0, limit.key(), until.0, &reason))?;
    raise_notice(db, limit, limits, &candidate.contact, now)
}

/// Makes a part keep waiting for a cap of the provider.
pub(super) fn stay_capped(db: &Db, part: PartId, until: Timestamp, now: Timestamp) -> Result<(), StoreError> {
    let due = until.min(now + LONGEST_WAIT);
    execute(db, "UPDATE part SET due_at = ?2 WHERE id = ?1", (part.0, due.0)).map(drop)
}

/// Fails a part that is larger than a limit, with the rest of its message, because it would wait forever.
pub(super) fn refuse(
    db: &Db,
    candidate: &PartCandidate,
    limits: &Limits,
    limit: Limit,
    now: Timestamp,
) -> Result<(), StoreError> {
    let most = limit.most(limits).unwrap_or_default();
    let reason =
        format!("it has {} but limits.{} is {most}: raise it", counted(candidate.segments, "segment"), limit.key());
    tracing::warn!(part = %candidate.part, limit = limit.key(), "a part was not sent: it is larger than the limit");
    let sql = "UPDATE part SET state = 'failed', due_at = NULL, waits_for = NULL, waits_until = NULL, reason = ?2,
                      settled_at = ?3 WHERE id = ?1";
    execute(db, sql, (candidate.part.0, reason, now.0))?;
    queue::cancel_rest(db, candidate.message, "an earlier part was not sent", now)?;
    queue::promote(db, candidate.conversation, now)
}

/// Raises a notice, once while parts wait. It has whole numbers, which the operator needs for commands.
fn raise_notice(
    db: &Db,
    limit: Limit,
    limits: &Limits,
    contact: &PhoneNumber,
    now: Timestamp,
) -> Result<(), StoreError> {
    let most = limit.most(limits).unwrap_or_default();
    let notice = match limit {
        Limit::SegmentsPerDay => Notice::DailyLimitReached { most },
        Limit::SegmentsPerContactPerDay => {
            let is_approved = contact::is_approved(db, contact)?;
            Notice::ContactLimitReached { most, contact: contact.to_string(), is_approved }
        }
        Limit::RepliesPerContactPer30s => Notice::ReplyLimitReached { most, contact: contact.to_string() },
    };
    if notice::raise(db, &notice, now)? {
        tracing::warn!(limit = limit.key(), most, "a limit is reached: messages wait until they fit");
    }
    Ok(())
}

/// Raises a notice that the provider accepts nothing more for hours, while a part waits for it.
pub(super) fn raise_capped(db: &Db, reason: &str, now: Timestamp) -> Result<(), StoreError> {
    notice::raise(db, &Notice::ProviderCapReached { reason: reason.to_owned() }, now).map(drop)
}

/// Ends notices about limits that no part waits for any more.
pub(super) fn end_limit_notices(db: &Db) -> Result<(), StoreError> {
    let sql = format!(
        "UPDATE notice SET is_over = 1 WHERE name GLOB '{LIMIT}*' AND is_over = 0
         AND NOT EXISTS (SELECT 1 FROM part WHERE waits_for = substr(notice.name, length('{LIMIT}') + 1))"
    );
    execute(db, &sql, ()).map(drop)
}
