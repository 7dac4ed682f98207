//! Progress of messages, and parts to poll.

use std::time::Duration;

use telephony_domain::id::{MessageId, PartId};
use telephony_domain::limit::Limit;
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::outbox::{PartProgress, PartState, Progress, SilentPart};
use crate::sqlite::engine::columns;
use crate::sqlite::engine::query::{Db, Row, RowResult, execute, find, list, maybe_time, time};

/// Ages of a part at which the provider is first polled.
const FIRST_POLLS: [Duration; 4] = [minutes(1), minutes(5), minutes(15), minutes(60)];

/// Interval of later polls.
const POLL_EVERY: Duration = minutes(12 * 60);

/// Age after which the provider reports nothing new.
const POLL_UNTIL: Duration = minutes(3 * 24 * 60);

const fn minutes(number: u64) -> Duration {
    Duration::from_secs(60 * number)
}

/// Returns the next poll after `now` for a part sent at `sent`; none if it is too old.
pub(crate) fn next_poll(sent: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let age = now.since(sent);
    let later = (1..).map(|times| POLL_EVERY * times).take_while(|wait| *wait <= POLL_UNTIL);
    FIRST_POLLS.into_iter().chain(later).find(|wait| *wait > age).map(|wait| sent + wait)
}

/// Returns parts to poll now, and records each as polled.
pub(crate) fn take_silent(
    db: &Db,
    provider: &str,
    until_first: Duration,
    limit: u32,
    now: Timestamp,
) -> Result<Vec<SilentPart>, StoreError> {
    let brought_forward = FIRST_POLLS[0].saturating_sub(until_first);
    let is_first = i64::try_from(FIRST_POLLS[0].as_millis()).unwrap_or(i64::MAX);
    let sql = "SELECT id, provider_id, sent_at, poll_at FROM part
               WHERE poll_at IS NOT NULL AND poll_at <= ?1 AND (poll_at <= ?2 OR poll_at = sent_at + ?3)
                     AND provider = ?5
               ORDER BY poll_at LIMIT ?4";
    let asked = ((now + brought_forward).0, now.0, is_first, limit, provider);
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

/// Returns the progress of a message.
pub(crate) fn of_message(db: &Db, message: MessageId) -> Result<Progress, StoreError> {
    let parts = parts_of(db, message)?;
    if parts.is_empty() { Err(unknown(message)) } else { Ok(Progress { message, parts }) }
}

/// Returns the parts of a message, in order; parts behind one that waits have its reason.
pub(crate) fn parts_of(db: &Db, message: MessageId) -> Result<Vec<PartProgress>, StoreError> {
    let mut parts = list(db, "SELECT * FROM part WHERE message = ? ORDER BY position", [message.0], read)?;
    if parts.iter().any(is_behind)
        && let Some(hold) = hold_of(db, message)?
    {
        parts.iter_mut().filter(|part| is_behind(part)).for_each(|part| hold.apply(part));
    }
    Ok(parts)
}

/// Returns true if it waits, but not for a limit itself.
fn is_behind(part: &PartProgress) -> bool {
    matches!(part.state, PartState::Queued | PartState::Ready) && part.waits_for.is_none()
}

/// The cause of a wait ahead of a part.
struct Hold {
    waits_for: Option<String>,
    until: Option<Timestamp>,
    reason: Option<String>,
}

impl Hold {
    fn apply(&self, part: &mut PartProgress) {
        part.waits_for.clone_from(&self.waits_for);
        part.reason.clone_from(&self.reason);
        part.next_attempt = part.next_attempt.max(self.until);
    }
}

/// Returns why the first part of the conversation waits, or the one that must not be overtaken once the daily limit is
/// reached; messages to the operator wait for neither.
fn hold_of(db: &Db, message: MessageId) -> Result<Option<Hold>, StoreError> {
    let sql = "SELECT waits_for, waits_until, reason FROM part WHERE (waits_for IS NOT NULL OR reason IS NOT NULL) AND id IN (
                   (SELECT id FROM part WHERE due_at IS NOT NULL AND conversation = (SELECT conversation FROM message WHERE id = ?1)),
                   (SELECT id FROM part WHERE waits_for = ?2 LIMIT 1))
               AND NOT EXISTS (SELECT 1 FROM part WHERE message = ?1 AND is_for_operator = 1)
               ORDER BY waits_until DESC LIMIT 1";
    find(db, sql, (message.0, Limit::SegmentsPerDay.key()), |row| {
        Ok(Hold {
            waits_for: row.get("waits_for")?,
            until: maybe_time(row, "waits_until")?,
            reason: row.get("reason")?,
        })
    })
}

fn read(row: &Row<'_>) -> RowResult<PartProgress> {
    let state = columns::part_state(row)?;
    let is_waiting = matches!(state, PartState::Ready);
    Ok(PartProgress {
        part: PartId(row.get("id")?),
        state,
        provider_id: row.get("provider_id")?,
        status: columns::status(row, "status")?,
        segments: row.get::<_, Option<u32>>("provider_segments")?.map_or_else(|| row.get("segments"), Ok)?,
        code: row.get("code")?,
        reason: row.get("reason")?,
        next_attempt: if is_waiting { next_attempt(row)? } else { None },
        waits_for: row.get("waits_for")?,
        conflict: columns::status(row, "conflict")?,
        price: columns::price(row)?,
    })
}

/// Reads the next attempt; a part that waits for a limit is checked more often than it can leave.
pub(crate) fn next_attempt(row: &Row<'_>) -> RowResult<Option<Timestamp>> {
    let is_limited = row.get::<_, Option<String>>("waits_for")?.is_some();
    let until = if is_limited { maybe_time(row, "waits_until")? } else { None };
    Ok(maybe_time(row, "due_at")?.max(until))
}

fn unknown(message: MessageId) -> StoreError {
    StoreError::NotFound(format!("message {message}"))
}
