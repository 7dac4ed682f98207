//! Daily counts, independent of contacts.

use std::time::Duration;

use telephony_domain::message::MessagePurpose;
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::sqlite::engine::query::{Db, execute, maybe_time, one};

/// Window of all counts.
pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Counter of wrong codes sent by the operator.
pub(crate) const WRONG_CODE: &str = "wrong-code";

/// Counts a message if its purpose has a daily limit.
pub(crate) fn note_message(db: &Db, purpose: MessagePurpose, now: Timestamp) -> Result<(), StoreError> {
    match purpose {
        MessagePurpose::Pairing | MessagePurpose::Notice | MessagePurpose::OperatorCommand => {
            note(db, purpose.as_str(), now)
        }
        MessagePurpose::Reply | MessagePurpose::Send | MessagePurpose::Approval | MessagePurpose::Unavailable => Ok(()),
    }
}

/// Adds one, and drops counts older than a day.
pub(crate) fn note(db: &Db, what: &str, now: Timestamp) -> Result<(), StoreError> {
    execute(db, "INSERT INTO tally (what, at) VALUES (?, ?)", (what, now.0))?;
    execute(db, "DELETE FROM tally WHERE what = ? AND at <= ?", (what, (now - DAY).0)).map(drop)
}

/// Returns the count within a time before `now`, a day at most. Times after now come from a clock that was set back,
/// and count as now.
pub(crate) fn count(db: &Db, what: &str, within: Duration, now: Timestamp) -> Result<u32, StoreError> {
    execute(db, "UPDATE tally SET at = ?2 WHERE what = ?1 AND at > ?2", (what, now.0))?;
    one(db, "SELECT count(*) FROM tally WHERE what = ? AND at > ?", (what, (now - within).0), |row| row.get(0))
}

/// Returns the count of messages in a day and the time of the newest, without correcting times.
pub(crate) fn look(db: &Db, purpose: MessagePurpose, now: Timestamp) -> Result<(u32, Option<Timestamp>), StoreError> {
    let sql = "SELECT count(*), max(at) AS last FROM tally WHERE what = ? AND at > ? AND at <= ?";
    one(db, sql, (purpose.as_str(), (now - DAY).0, now.0), |row| Ok((row.get(0)?, maybe_time(row, "last")?)))
}
