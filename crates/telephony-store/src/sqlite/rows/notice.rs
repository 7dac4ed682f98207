//! Notices to the operator: raised once while they hold, and sent by SMS at most once a day.

use telephony_domain::message::MessagePurpose;
use telephony_domain::notice::sms::pause_after;
use telephony_domain::notice::{DAY, Notice};
use telephony_domain::number::PhoneNumber;
use telephony_domain::time::Timestamp;

use super::tally;
use crate::StoreError;
use crate::notices::{RaisedNotice, UnsentNotices};
use crate::sqlite::engine::news;
use crate::sqlite::engine::query::{Db, Row, RowResult, execute, find, list, one, time};

/// SQL: the notice holds at `?1`.
const HOLDS: &str = "is_over = 0 AND coalesce(until > ?1, 1)";

/// Raises a notice or updates its text. Returns true if it is new.
pub(crate) fn raise(db: &Db, notice: &Notice, now: Timestamp) -> Result<bool, StoreError> {
    let (name, value) = (notice.name(), json(notice)?);
    let until = notice.lasts().map(|lasts| (now + lasts).0);
    if is_held(db, &name, now)? {
        execute(db, "UPDATE notice SET value = ?2, until = ?3 WHERE name = ?1", (&name, &value, until))?;
        return Ok(false);
    }
    // A clock that was set back since must not suppress it.
    let sql = "INSERT INTO notice (name, value, by_sms, since, until) VALUES (?1, ?2, ?3, ?4, ?5)
               ON CONFLICT DO UPDATE SET value = ?2, by_sms = ?3, since = ?4, until = ?5, is_over = 0,
                   told_at = iif(told_at > ?6 AND told_at <= ?4, told_at, NULL)";
    execute(db, sql, (&name, &value, notice.is_by_sms(), now.0, until, (now - DAY).0))?;
    news::notice_raised();
    Ok(true)
}

/// Raises a notice that is sent even if the same was sent today.
pub(crate) fn raise_again(db: &Db, notice: &Notice, now: Timestamp) -> Result<(), StoreError> {
    forget(db, &notice.name())?;
    raise(db, notice, now).map(drop)
}

/// Returns true while the notice holds.
pub(crate) fn is_held(db: &Db, name: &str, now: Timestamp) -> Result<bool, StoreError> {
    is_there(db, HOLDS, name, now)
}

/// Returns true while the notice holds and was not sent by SMS.
pub(crate) fn is_untold(db: &Db, name: &str, now: Timestamp) -> Result<bool, StoreError> {
    is_there(db, &format!("{HOLDS} AND told_at IS NULL"), name, now)
}

fn is_there(db: &Db, condition: &str, name: &str, now: Timestamp) -> Result<bool, StoreError> {
    let sql = format!("SELECT {condition} FROM notice WHERE name = ?2");
    Ok(find(db, &sql, (now.0, name), |row| row.get(0))?.unwrap_or(false))
}

/// Ends a notice. Returns false if it did not hold.
pub(crate) fn end(db: &Db, name: &str) -> Result<bool, StoreError> {
    Ok(execute(db, "UPDATE notice SET is_over = 1 WHERE name = ? AND is_over = 0", [name])? > 0)
}

/// Deletes a notice, as if it had never been raised.
pub(crate) fn forget(db: &Db, name: &str) -> Result<(), StoreError> {
    execute(db, "DELETE FROM notice WHERE name = ?", [name]).map(drop)
}

/// Masks a purged contact in notices and in their names. Of two that get the same name, one stays.
pub(crate) fn mask(db: &Db, contact: &PhoneNumber) -> Result<(), StoreError> {
    let sql = "UPDATE OR REPLACE notice SET name = replace(name, ?1, ?2), value = replace(value, ?1, ?2)
               WHERE instr(name, ?1) > 0 OR instr(value, ?1) > 0";
    execute(db, sql, (contact.as_str(), contact.masked())).map(drop)
}

/// Returns the notices that hold, oldest first.
pub(crate) fn held(db: &Db, now: Timestamp) -> Result<Vec<RaisedNotice>, StoreError> {
    let sql = format!("SELECT name, value, since FROM notice WHERE {HOLDS} ORDER BY since, name");
    list(db, &sql, [now.0], raised)
}

/// Returns the number of notices that hold and whose names start with `prefix`.
pub(crate) fn held_with(db: &Db, prefix: &str, now: Timestamp) -> Result<u32, StoreError> {
    let sql = format!("SELECT count(*) FROM notice WHERE {HOLDS} AND substr(name, 1, length(?2)) = ?2");
    one(db, &sql, (now.0, prefix), |row| row.get(0))
}

/// Returns the notices that hold and are to be sent by SMS, and from when on.
pub(crate) fn unsent(db: &Db, now: Timestamp) -> Result<UnsentNotices, StoreError> {
    let sql = format!(
        "SELECT name, value, since FROM notice WHERE {HOLDS} AND by_sms AND told_at IS NULL ORDER BY since, name"
    );
    let notices = list(db, &sql, [now.0], raised)?;
    Ok(UnsentNotices { from: if notices.is_empty() { now } else { quiet_until(db, now)? }, notices })
}

fn quiet_until(db: &Db, now: Timestamp) -> Result<Timestamp, StoreError> {
    let (sent, last) = tally::look(db, MessagePurpose::Notice, now)?;
    Ok(last.map_or(now, |last| last + pause_after(sent)))
}

/// Hides notices about past events; ongoing ones stay.
pub(crate) fn seen(db: &Db, now: Timestamp) -> Result<usize, StoreError> {
    execute(db, &format!("UPDATE notice SET is_over = 1 WHERE until IS NOT NULL AND {HOLDS}"), [now.0])
}

/// Deletes notices that are over and no longer needed.
pub(crate) fn tidy(db: &Db, now: Timestamp) -> Result<(), StoreError> {
    let sql = format!("DELETE FROM notice WHERE NOT ({HOLDS}) AND (told_at IS NULL OR told_at <= ?2)");
    execute(db, &sql, (now.0, (now - DAY).0)).map(drop)
}

fn raised(row: &Row<'_>) -> RowResult<RaisedNotice> {
    Ok(RaisedNotice { name: row.get("name")?, stored: row.get("value")?, since: time(row, "since")? })
}

fn json(notice: &Notice) -> Result<String, StoreError> {
    serde_json::to_string(notice).map_err(|error| StoreError::Other(error.to_string()))
}
