//! Expected departures, from the queue, the segments sent, and the provider's caps.

use telephony_domain::forecast::{Expected, expect};
use telephony_domain::id::{ConversationId, LineId, MessageId, PartId};
use telephony_domain::limit::{DAY, Limit, Terms};
use telephony_domain::notice::name::{self, DAILY_CAP};
use telephony_domain::number::PhoneNumber;
use telephony_domain::time::Timestamp;

use super::{candidate, ledger, progress};
use crate::StoreError;
use crate::lines::{Line, LineQueue};
use crate::outbox::ExpectedStart;
use crate::sqlite::engine::columns;
use crate::sqlite::engine::query::{Db, Row, find, list, maybe_time, one, time};
use crate::sqlite::rows::line;

/// The first waiting part of a message.
struct First {
    part: PartId,
    line: LineId,
    conversation: ConversationId,
    contact: PhoneNumber,
    is_for_operator: bool,
}

/// Returns when the first waiting part of a message is expected to leave; `now` if none waits.
pub(crate) fn expected_start(
    db: &Db,
    message: MessageId,
    terms: &Terms,
    now: Timestamp,
) -> Result<ExpectedStart, StoreError> {
    let Some(first) = first_waiting(db, message)? else {
        return progress::of_message(db, message).map(|_| ExpectedStart { at: now, waits_for: None });
    };
    let mut holds = vec![by_its_line(db, &first, terms, now)?, by_its_conversation(db, &first)?, by_cap(db, now)?];
    if !first.is_for_operator {
        holds.push(by_its_contact(db, &first, terms, now)?);
    }
    let at_once = ExpectedStart { at: now, waits_for: None };
    let holds = holds.into_iter().flatten().chain([at_once.clone()]);
    Ok(holds.max_by_key(|hold| (hold.at, hold.waits_for.is_some())).unwrap_or(at_once))
}

fn first_waiting(db: &Db, message: MessageId) -> Result<Option<First>, StoreError> {
    let sql = "SELECT p.id, p.line, p.conversation, p.is_for_operator, c.contact
               FROM part AS p JOIN conversation AS c ON c.id = p.conversation
               WHERE p.message = ? AND p.state IN ('queued', 'ready') ORDER BY p.id LIMIT 1";
    find(db, sql, [message.0], |row| {
        Ok(First {
            part: PartId(row.get("id")?),
            line: LineId(row.get("line")?),
            conversation: ConversationId(row.get("conversation")?),
            contact: columns::number(row, "contact")?,
            is_for_operator: row.get("is_for_operator")?,
        })
    })
}

fn by_its_line(db: &Db, first: &First, terms: &Terms, now: Timestamp) -> Result<Option<ExpectedStart>, StoreError> {
    let sql = "SELECT segments FROM part WHERE line = ? AND id <= ? AND state IN ('queued', 'ready') ORDER BY id";
    let waiting = list(db, sql, (first.line.0, first.part.0), |row| row.get(0))?;
    let noted = one(db, "SELECT next_free_at FROM line WHERE id = ?", [first.line.0], |row| row.get(0).map(Timestamp))?;
    let line = Line { id: first.line, sender: line::sender_of(db, first.line)? };
    let expected = on_line(db, &line, noted, waiting, terms, first.is_for_operator, now)?;
    Ok(Some(start(expected, Limit::SegmentsPerDay)))
}

fn on_line(
    db: &Db,
    line: &Line,
    noted: Timestamp,
    waiting: Vec<u32>,
    terms: &Terms,
    is_for_operator: bool,
    now: Timestamp,
) -> Result<Expected, StoreError> {
    let most = terms.limits.segments_per_day.filter(|_| !is_for_operator);
    let budget = most.map(|most| ledger::budget(db, most, now)).transpose()?;
    let free = candidate::free_at(&line.sender, noted, terms, now);
    Ok(expect(waiting, free, terms.pace(&line.sender), budget, now))
}

fn by_its_contact(db: &Db, first: &First, terms: &Terms, now: Timestamp) -> Result<Option<ExpectedStart>, StoreError> {
    let Some(most) = terms.limits.segments_per_contact_per_day else { return Ok(None) };
    let sql = "SELECT id, segments FROM part WHERE conversation = ?1 AND state = 'queued' AND id <= ?2 UNION ALL
               SELECT id, segments FROM part WHERE conversation = ?1 AND due_at IS NOT NULL AND state = 'ready' AND id <= ?2
               ORDER BY id";
    let waiting: Vec<u32> = list(db, sql, (first.conversation.0, first.part.0), |row| row.get("segments"))?;
    let budget = ledger::budget_of(db, first.contact.as_str(), most, now)?;
    Ok(Some(start(expect(waiting, now, None, Some(budget), now), Limit::SegmentsPerContactPerDay)))
}

fn start(expected: Expected, limit: Limit) -> ExpectedStart {
    ExpectedStart { at: expected.leaves, waits_for: expected.is_held.then(|| limit.key().to_owned()) }
}

/// Returns the delay of the first part in its conversation, whatever the reason.
fn by_its_conversation(db: &Db, first: &First) -> Result<Option<ExpectedStart>, StoreError> {
    let sql = "SELECT due_at, waits_for, waits_until FROM part
               WHERE conversation = ? AND due_at IS NOT NULL AND state = 'ready'";
    let head = find(db, sql, [first.conversation.0], |row| Ok((progress::next_attempt(row)?, row.get("waits_for")?)))?;
    Ok(head.and_then(|(at, waits_for)| Some(ExpectedStart { at: at?, waits_for })))
}

/// Returns the delay by the provider's daily cap. It does not say when its day ends: at the latest a day after it began
/// to reject, and if it still rejects, another day later.
fn by_cap(db: &Db, now: Timestamp) -> Result<Option<ExpectedStart>, StoreError> {
    let sql = "SELECT max(p.waits_until) AS until, (SELECT since FROM notice WHERE name = ?1) AS since
               FROM part AS p WHERE p.waits_for = ?2";
    let (until, since) = one(db, sql, (name::limit(DAILY_CAP), DAILY_CAP), |row: &Row<'_>| {
        Ok((maybe_time(row, "until")?, maybe_time(row, "since")?))
    })?;
    let Some(until) = until.filter(|until| *until > now) else { return Ok(None) };
    let mut over = since.map_or(now, |since| since.min(now)) + DAY;
    while over <= now {
        over = over + DAY;
    }
    Ok(Some(ExpectedStart { at: over.max(until), waits_for: Some(DAILY_CAP.to_owned()) }))
}

/// Returns the queue of each line and its end.
pub(crate) fn queues(db: &Db, terms: &Terms, now: Timestamp) -> Result<Vec<LineQueue>, StoreError> {
    let sql = "SELECT id, number, messaging_service, waiting_segments, next_free_at FROM line ORDER BY id";
    let lines = list(db, sql, (), |row| {
        Ok((line::read(row)?, row.get::<_, u32>("waiting_segments")?, time(row, "next_free_at")?))
    })?;
    let cap = by_cap(db, now)?;
    lines.into_iter().map(|(line, segments, noted)| queue_of(db, line, segments, noted, &cap, terms, now)).collect()
}

fn queue_of(
    db: &Db,
    line: Line,
    segments: u32,
    noted: Timestamp,
    cap: &Option<ExpectedStart>,
    terms: &Terms,
    now: Timestamp,
) -> Result<LineQueue, StoreError> {
    if segments == 0 {
        return Ok(LineQueue { line, segments, ends: now, waits_for: None });
    }
    let sql = "SELECT segments FROM part WHERE line = ? AND state IN ('queued', 'ready') ORDER BY id";
    let waiting = list(db, sql, [line.id.0], |row| row.get(0))?;
    let expected = on_line(db, &line, noted, waiting, terms, false, now)?;
    let by_pace = ExpectedStart { at: expected.free, ..start(expected, Limit::SegmentsPerDay) };
    let last = match cap {
        Some(cap) if cap.at > by_pace.at => cap.clone(),
        _ => by_pace,
    };
    Ok(LineQueue { line, segments, ends: last.at, waits_for: last.waits_for })
}
