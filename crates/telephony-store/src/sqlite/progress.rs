//! How far messages are, when they will leave, and which parts the provider is asked after.

use std::time::Duration;

use rusqlite::{Connection, Row};
use telephony_domain::id::{LineId, MessageId, PartId};
use telephony_domain::pace::Pacing;
use telephony_domain::time::Timestamp;

use super::query::{execute, find, list, maybe_time, one, time};
use super::{lines, queue, words};
use crate::StoreError;
use crate::outbox::{PartProgress, Progress, SilentPart};

/// The first times after it was sent at which the provider is asked after a part.
const FIRST_POLLS: [Duration; 4] = [minutes(1), minutes(5), minutes(15), minutes(60)];

/// The distance of all later ones.
const POLL_EVERY: Duration = minutes(12 * 60);

/// After this the provider says nothing new.
const POLL_UNTIL: Duration = minutes(3 * 24 * 60);

const fn minutes(number: u64) -> Duration {
    Duration::from_secs(60 * number)
}

/// The first time after `now` at which the provider is asked after a part sent at `sent`; none when it is too old.
pub(super) fn next_poll(sent: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let age = now.since(sent);
    let later = (1..).map(|times| POLL_EVERY * times).take_while(|wait| *wait <= POLL_UNTIL);
    FIRST_POLLS.into_iter().chain(later).find(|wait| *wait > age).map(|wait| sent + wait)
}

/// Parts to be asked after now; each is noted as asked.
pub(super) fn take_silent(
    db: &Connection,
    until_first: Duration,
    limit: u32,
    now: Timestamp,
) -> Result<Vec<SilentPart>, StoreError> {
    let brought_forward = FIRST_POLLS[0].saturating_sub(until_first);
    let is_first = i64::try_from(FIRST_POLLS[0].as_millis()).unwrap_or(i64::MAX);
    let sql = "SELECT id, provider_id, sent_at, poll_at FROM part
               WHERE poll_at IS NOT NULL AND poll_at <= ?1 AND (poll_at <= ?2 OR poll_at = sent_at + ?3)
               ORDER BY poll_at LIMIT ?4";
    let asked = ((now + brought_forward).0, now.0, is_first, limit);
    let due = list(db, sql, asked, |row| {
        let part = SilentPart { part: PartId(row.get("id")?), provider_id: row.get("provider_id")? };
        Ok((part, time(row, "sent_at")?, time(row, "poll_at")?))
    })?;
    due.into_iter()
        .map(|(part, sent, poll)| {
            let next = next_poll(sent, poll.max(now)).map(|time| time.0);
            execute(db, "UPDATE part SET poll_at = ? WHERE id = ?", (next, part.part.0))?;
            Ok(part)
        })
        .collect()
}

/// How far a message is.
pub(super) fn of_message(db: &Connection, message: MessageId) -> Result<Progress, StoreError> {
    let parts = parts_of(db, message)?;
    if parts.is_empty() { Err(unknown(message)) } else { Ok(Progress { message, parts }) }
}

/// The parts of a message, in order.
pub(super) fn parts_of(db: &Connection, message: MessageId) -> Result<Vec<PartProgress>, StoreError> {
    list(db, "SELECT * FROM part WHERE message = ? ORDER BY position", [message.0], read)
}

fn read(row: &Row<'_>) -> rusqlite::Result<PartProgress> {
    let state = words::part_state(row)?;
    let is_waiting = matches!(state, crate::outbox::PartState::Ready);
    Ok(PartProgress {
        part: PartId(row.get("id")?),
        state,
        provider_id: row.get("provider_id")?,
        status: words::status(row, "status")?,
        segments: row.get::<_, Option<u32>>("provider_segments")?.map_or_else(|| row.get("segments"), Ok)?,
        code: row.get("code")?,
        reason: row.get("reason")?,
        next_attempt: if is_waiting { next_attempt(row)? } else { None },
        waits_for: row.get("waits_for")?,
        conflict: words::status(row, "conflict")?,
        price: words::price(row)?,
    })
}

/// A part that waits for a limit is looked at more often than it can leave.
fn next_attempt(row: &Row<'_>) -> rusqlite::Result<Option<Timestamp>> {
    let is_limited = row.get::<_, Option<String>>("waits_for")?.is_some();
    let until = if is_limited { maybe_time(row, "waits_until")? } else { None };
    Ok(maybe_time(row, "due_at")?.max(until))
}

/// When the first waiting part of a message can leave, by what is ahead of it on its line.
pub(super) fn expected_start(
    db: &Connection,
    message: MessageId,
    pacing: Pacing,
    now: Timestamp,
) -> Result<Timestamp, StoreError> {
    let sql = "SELECT id, line, due_at, waits_for, waits_until FROM part WHERE message = ? AND state IN ('queued', 'ready') ORDER BY id LIMIT 1";
    let first =
        find(db, sql, [message.0], |row| Ok((row.get::<_, i64>("id")?, LineId(row.get("line")?), next_attempt(row)?)))?;
    let Some((part, line, due)) = first else {
        return of_message(db, message).map(|_| now);
    };
    let sender = lines::sender_of(db, line)?;
    let sql = "SELECT coalesce(sum(segments), 0) FROM part WHERE line = ? AND id < ? AND state IN ('queued', 'ready')";
    let ahead: u32 = one(db, sql, (line.0, part), |row| row.get(0))?;
    let noted = one(db, "SELECT next_free_at FROM line WHERE id = ?", [line.0], |row| time(row, "next_free_at"))?;
    let free = queue::free_at(&sender, noted, pacing, now).max(now);
    let after_those = match pacing.of(&sender) {
        Some(pace) if ahead > 0 => pace.free_after(free, now, ahead),
        _ => free,
    };
    Ok(after_those.max(due.unwrap_or(now)))
}

fn unknown(message: MessageId) -> StoreError {
    StoreError::NotFound(format!("message {message}"))
}
