//! The outgoing calls of the last day, for the limits. The record has no contacts and outlives the calls, because a
//! purge must not allow more calls.

use std::time::Duration;

use telephony_domain::call::Call;
use telephony_domain::dialing::DialingUsage;
use telephony_domain::id::CallId;
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::sqlite::engine::query::{Db, execute, one};

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Counts a new call with its maximum duration, and drops calls older than a day. Times after now come from a clock
/// that was set back, and count as now.
pub(super) fn note(db: &Db, call: CallId, max_duration: Duration, now: Timestamp) -> Result<(), StoreError> {
    execute(db, "DELETE FROM call_spent WHERE placed_at <= ?", [(now - DAY).0])?;
    execute(db, "UPDATE call_spent SET placed_at = ?1 WHERE placed_at > ?1", [now.0])?;
    let sql = "INSERT INTO call_spent (call, placed_at, seconds) VALUES (?, ?, ?)";
    execute(db, sql, (call.0, now.0, seconds(max_duration))).map(drop)
}

/// Counts a call that ended with its time since the answer. A later end does not change it.
pub(super) fn end(db: &Db, call: CallId, machine: &Call, now: Timestamp) -> Result<(), StoreError> {
    let spoken = machine.answered().map_or(Duration::ZERO, |answered| now.since(answered));
    let sql = "UPDATE call_spent SET seconds = min(seconds, ?2) WHERE call = ?1";
    execute(db, sql, (call.0, seconds(spoken))).map(drop)
}

/// Counts a call no longer, because it was not dialed.
pub(super) fn give_back(db: &Db, call: CallId) -> Result<(), StoreError> {
    execute(db, "DELETE FROM call_spent WHERE call = ?", [call.0]).map(drop)
}

/// Counts a call again that was dialed after all, with its maximum duration until its end.
pub(super) fn restore(db: &Db, call: CallId) -> Result<(), StoreError> {
    let sql = "INSERT INTO call_spent (call, placed_at, seconds)
               SELECT id, created_at, machine ->> '$.plan.max_duration.secs' FROM call WHERE id = ?
               ON CONFLICT DO NOTHING";
    execute(db, sql, [call.0]).map(drop)
}

/// Returns the calls that count against the limits.
pub(super) fn usage(db: &Db, now: Timestamp) -> Result<DialingUsage, StoreError> {
    let sql = "SELECT count(*) FILTER (WHERE placed_at > ?1) AS calls, coalesce(sum((seconds + 59) / 60), 0) AS minutes
               FROM call_spent WHERE placed_at > ?2";
    one(db, sql, ((now - HOUR).0, (now - DAY).0), |row| {
        Ok(DialingUsage { calls_this_hour: row.get("calls")?, minutes_today: row.get("minutes")? })
    })
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}
