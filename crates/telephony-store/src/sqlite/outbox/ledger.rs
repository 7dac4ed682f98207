//! The ledger of the last day: segments possibly sent, and whether more may be.

use telephony_domain::forecast::Budget;
use telephony_domain::id::PartId;
use telephony_domain::limit::{Cost, DAY, Limit, LimitVerdict, Limits, decide};
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::outbox::AttemptLease;
use crate::sqlite::engine::query::{Db, Row, RowResult, execute, find, list, time};

/// Rows older than a day deleted at a time, faster than rows are added.
const DELETED_AT_A_TIME: u32 = 4;

/// Decides whether a part to `contact` may leave now.
pub(super) fn verdict(
    db: &Db,
    limits: &Limits,
    contact: &str,
    cost: Cost,
    now: Timestamp,
) -> Result<LimitVerdict, StoreError> {
    decide(limits, cost, now, |limit, capacity| {
        let passed = match limit {
            Limit::SegmentsPerDay => by_everyone(db, capacity)?,
            Limit::SegmentsPerContactPerDay => by_contact(db, contact, capacity)?,
            Limit::RepliesPerContactPer30s => parts_by_contact(db, contact, capacity)?,
        };
        // A time after now comes from a clock that was set back; treat it as now.
        Ok(passed.map(|sent| sent.min(now)))
    })
}

/// Returns the newest row with which the sum of segments exceeds `capacity`.
fn by_everyone(db: &Db, capacity: u32) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT spent_at FROM spent WHERE before < ? - ? ORDER BY before DESC LIMIT 1";
    find(db, sql, (sum_of_everyone(db)?, capacity), |row| time(row, "spent_at"))
}

fn by_contact(db: &Db, contact: &str, capacity: u32) -> Result<Option<Timestamp>, StoreError> {
    let sql =
        "SELECT spent_at FROM spent WHERE contact = ? AND before_contact < ? - ? ORDER BY before_contact DESC LIMIT 1";
    find(db, sql, (contact, sum_of_contact(db, contact)?, capacity), |row| time(row, "spent_at"))
}

fn parts_by_contact(db: &Db, contact: &str, capacity: u32) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT spent_at FROM spent WHERE contact = ? ORDER BY before_contact DESC LIMIT 1 OFFSET ?";
    find(db, sql, (contact, capacity), |row| time(row, "spent_at"))
}

fn sum_of_everyone(db: &Db) -> Result<i64, StoreError> {
    let sql = "SELECT before + segments FROM spent ORDER BY before DESC LIMIT 1";
    Ok(find(db, sql, (), |row| row.get(0))?.unwrap_or(0))
}

fn sum_of_contact(db: &Db, contact: &str) -> Result<i64, StoreError> {
    let sql = "SELECT before_contact + segments FROM spent WHERE contact = ? ORDER BY before_contact DESC LIMIT 1";
    Ok(find(db, sql, [contact], |row| row.get(0))?.unwrap_or(0))
}

/// Returns the budget of a daily limit of `most` segments to all contacts.
pub(super) fn budget(db: &Db, most: u32, now: Timestamp) -> Result<Budget, StoreError> {
    let sql = "SELECT spent_at, segments FROM spent WHERE spent_at > ? ORDER BY before";
    Ok(Budget::new(most, list(db, sql, [(now - DAY).0], |row| spent(row, now))?))
}

/// Returns the budget of a daily limit for one contact.
pub(super) fn budget_of(db: &Db, contact: &str, most: u32, now: Timestamp) -> Result<Budget, StoreError> {
    let sql = "SELECT spent_at, segments FROM spent WHERE contact = ? AND spent_at > ? ORDER BY before_contact";
    Ok(Budget::new(most, list(db, sql, (contact, (now - DAY).0), |row| spent(row, now))?))
}

fn spent(row: &Row<'_>, now: Timestamp) -> RowResult<(Timestamp, u32)> {
    Ok((time(row, "spent_at")?.min(now), row.get("segments")?))
}

/// Records an attempt that may spend `segments`.
pub(super) fn spend(
    db: &Db,
    attempt: AttemptLease,
    contact: &str,
    segments: u32,
    now: Timestamp,
) -> Result<(), StoreError> {
    keep_in_order(db, now)?;
    let sql = "INSERT OR IGNORE INTO spent (part, attempt, contact, spent_at, segments, before, before_contact)
               VALUES (?, ?, ?, ?, ?, ?, ?)";
    let sums = (sum_of_everyone(db)?, sum_of_contact(db, contact)?);
    execute(db, sql, (attempt.part.0, attempt.attempt, contact, now.0, segments, sums.0, sums.1))?;
    let sql = "DELETE FROM spent WHERE (part, attempt) IN (SELECT part, attempt FROM spent ORDER BY before LIMIT ?)
               AND spent_at <= ?";
    execute(db, sql, (DELETED_AT_A_TIME, (now - DAY).0)).map(drop)
}

/// Corrects times after a clock was set back, so that earlier sends do not look like future ones.
fn keep_in_order(db: &Db, now: Timestamp) -> Result<(), StoreError> {
    let newest = find(db, "SELECT spent_at FROM spent ORDER BY before DESC LIMIT 1", (), |row| time(row, "spent_at"))?;
    if newest.is_some_and(|newest| newest > now) {
        execute(db, "UPDATE spent SET spent_at = ?1 WHERE spent_at > ?1", [now.0])?;
    }
    Ok(())
}

/// Returns segments to the limits after an attempt that sent nothing.
pub(super) fn give_back(db: &Db, part: PartId, attempt: u32) -> Result<(), StoreError> {
    let sql = "DELETE FROM spent WHERE part = ? AND attempt = ? RETURNING contact, segments, before, before_contact";
    let Some((contact, segments, before, before_contact)) = find(db, sql, (part.0, attempt), |row| {
        Ok((row.get::<_, Option<String>>(0)?, row.get::<_, u32>(1)?, row.get::<_, i64>(2)?, row.get::<_, i64>(3)?))
    })?
    else {
        return Ok(());
    };
    execute(db, "UPDATE spent SET before = before - ? WHERE before > ?", (segments, before))?;
    let sql = "UPDATE spent SET before_contact = before_contact - ? WHERE contact = ? AND before_contact > ?";
    execute(db, sql, (segments, contact, before_contact)).map(drop)
}
