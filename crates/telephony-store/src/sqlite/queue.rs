//! Which part may leave next: the head of each conversation, as far as its line is free.

use rusqlite::{Connection, Row};
use telephony_domain::id::{ConversationId, LineId, MessageId, PartId};
use telephony_domain::limit::{Cost, Limit, Terms, Verdict};
use telephony_domain::line::Sender;
use telephony_domain::number::PhoneNumber;
use telephony_domain::pace::Pacing;
use telephony_domain::retry::{DAILY_CAP_WAIT, PROBE};
use telephony_domain::time::Timestamp;

use super::account_stop::{self, Gate};
use super::query::{execute, list, maybe_time, one, time};
use super::{columns, kept_answer, ledger, limits, media};
use crate::outbox::{ATTEMPT_LEASE, AttemptLease, StartedPart};
use crate::{LONGEST_WAIT, LeaseHolder, Next, StoreError};

/// No part is longer (1,600 characters at 67 in each segment, rounded up): a line that is busy for longer than such a
/// part takes was put off by a clock that has been set back since, or by a slower pace.
const MOST_SEGMENTS: u32 = 32;

/// No more parts are put off in one step, which others wait for.
const HELD_AT_A_TIME: usize = 32;

/// Lets the first queued part of a conversation be next, unless another is; what is for the operator goes first.
pub(super) fn promote(db: &Connection, conversation: ConversationId, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE part SET state = 'ready', due_at = ?2
               WHERE id = (SELECT id FROM part WHERE conversation = ?1 AND state = 'queued'
                           ORDER BY is_for_operator DESC, id LIMIT 1)
                 AND NOT EXISTS (SELECT 1 FROM part WHERE conversation = ?1 AND due_at IS NOT NULL)";
    execute(db, sql, (conversation.0, now.0)).map(drop)
}

/// A part that waits for a limit lets what is for the operator go first: else nobody would hear of the limit. It waits
/// for the limit still, so that what the operator was told of it goes on to hold.
pub(super) fn give_way(db: &Connection, conversation: ConversationId) -> Result<(), StoreError> {
    let sql = "UPDATE part SET state = 'queued', due_at = NULL
               WHERE conversation = ?1 AND due_at IS NOT NULL AND state = 'ready' AND is_for_operator = 0
                 AND waits_for IS NOT NULL AND waits_for <> 'daily-cap'";
    execute(db, sql, [conversation.0]).map(drop)
}

/// The same for a part that has just begun to wait: whether something for the operator was queued behind it.
pub(super) fn has_given_way(db: &Connection, conversation: ConversationId, now: Timestamp) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM part WHERE conversation = ? AND state = 'queued' AND is_for_operator = 1)";
    let is_behind = one(db, sql, [conversation.0], |row| row.get(0))?;
    if is_behind {
        give_way(db, conversation)?;
        promote(db, conversation, now)?;
    }
    Ok(is_behind)
}

/// A message that may leave now leaves at `due`; what was enqueued behind it waits for it.
pub(super) fn put_off(db: &Connection, message: MessageId, due: Timestamp) -> Result<(), StoreError> {
    execute(db, "UPDATE part SET due_at = ?2 WHERE message = ?1 AND state = 'ready'", (message.0, due.0)).map(drop)
}

/// Cancels what waits in a conversation; what is being handed over, or is in doubt, goes its way.
pub(super) fn cancel_all(
    db: &Connection,
    conversation: ConversationId,
    reason: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "UPDATE part SET state = 'canceled', reason = ?2, due_at = NULL, waits_for = NULL, settled_at = ?3
               WHERE id IN (SELECT id FROM part WHERE conversation = ?1 AND state = 'queued' UNION ALL
                            SELECT id FROM part WHERE conversation = ?1 AND due_at IS NOT NULL AND state = 'ready')";
    execute(db, sql, (conversation.0, reason, now.0)).map(drop)
}

/// Cancels what waits of a message.
pub(super) fn cancel_rest(db: &Connection, message: MessageId, reason: &str, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE part SET state = 'canceled', reason = ?2, due_at = NULL, waits_for = NULL, settled_at = ?3
               WHERE message = ?1 AND state IN ('queued', 'ready')";
    execute(db, sql, (message.0, reason, now.0)).map(drop)
}

/// A part that could be next on its line.
pub(super) struct Candidate {
    pub(super) part: PartId,
    pub(super) message: MessageId,
    pub(super) conversation: ConversationId,
    pub(super) contact: PhoneNumber,
    pub(super) segments: u32,
    pub(super) due: Timestamp,
    is_automatic: bool,
    is_for_operator: bool,
    capped_until: Option<Timestamp>,
    line: LineId,
    sender: Sender,
    line_free: Timestamp,
}

impl Candidate {
    /// When it may leave.
    fn leaves(&self, pacing: Pacing, now: Timestamp) -> Timestamp {
        let due = if self.due > now + LONGEST_WAIT { now } else { self.due };
        due.max(free_at(&self.sender, self.line_free, pacing, now))
    }
}

impl Candidate {
    /// Until when it waits for a daily cap of the provider's, if that is not over; a clock set back ends it.
    fn capped_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.capped_until.filter(|until| *until > now && *until <= now + DAILY_CAP_WAIT)
    }
}

/// When a line is free; now where its own note makes no sense at its pace.
pub(super) fn free_at(sender: &Sender, noted: Timestamp, pacing: Pacing, now: Timestamp) -> Timestamp {
    let latest = pacing.of(sender).map_or(now, |pace| pace.free_after(now, now, MOST_SEGMENTS));
    if noted > latest { now } else { noted }
}

/// Takes the part that may leave first, if it may now; parts that a limit holds up wait.
pub(super) fn start(
    db: &Connection,
    holder: &LeaseHolder,
    terms: &Terms,
    only: Option<MessageId>,
    now: Timestamp,
) -> Result<Next<StartedPart>, StoreError> {
    match account_stop::gate(db)? {
        Gate::Open => start_first(db, holder, terms, only, now),
        Gate::Closed => Ok(Next::Idle(None)),
        Gate::Trial => start_trial(db, holder, terms, only, now),
    }
}

/// Takes the part that tries whether the provider serves the account. Where none could leave for long, there is nothing to
/// wait for.
fn start_trial(
    db: &Connection,
    holder: &LeaseHolder,
    terms: &Terms,
    only: Option<MessageId>,
    now: Timestamp,
) -> Result<Next<StartedPart>, StoreError> {
    let next = start_first(db, holder, terms, only, now)?;
    if only.is_none() && matches!(next, Next::Idle(due) if due.is_none_or(|due| due > now + PROBE.longest)) {
        account_stop::accepted(db)?;
    }
    Ok(next)
}

fn start_first(
    db: &Connection,
    holder: &LeaseHolder,
    terms: &Terms,
    only: Option<MessageId>,
    now: Timestamp,
) -> Result<Next<StartedPart>, StoreError> {
    for _ in 0..HELD_AT_A_TIME {
        let candidate = match first(db, terms.pacing, only, now)? {
            Next::Taken(candidate) => candidate,
            Next::Idle(due) => {
                limits::end_limit_notices(db)?;
                kept_answer::end_limit_notices(db)?;
                return Ok(Next::Idle(due));
            }
        };
        if let Some(until) = candidate.capped_until(now) {
            limits::stay_capped(db, candidate.part, until, now)?;
            continue;
        }
        let cost = Cost {
            segments: candidate.segments,
            is_automatic: candidate.is_automatic,
            is_for_operator: candidate.is_for_operator,
        };
        match ledger::verdict(db, &terms.limits, candidate.contact.as_str(), cost, now)? {
            Verdict::Fits => {
                occupy(db, &candidate, terms.pacing, now)?;
                return take(db, candidate, holder, now).map(Next::Taken);
            }
            Verdict::Waits(limit, until) => {
                limits::hold(db, &candidate, &terms.limits, limit, until, now)?;
                let is_overtaken = has_given_way(db, candidate.conversation, now)?;
                if limit == Limit::SegmentsPerDay && !is_overtaken {
                    return Ok(Next::Idle(Some(until)));
                }
            }
            Verdict::NeverFits(limit) => limits::refuse(db, &candidate, &terms.limits, limit, now)?,
        }
    }
    Ok(Next::Idle(Some(now)))
}

/// The part that may leave first, if it may now.
fn first(
    db: &Connection,
    pacing: Pacing,
    only: Option<MessageId>,
    now: Timestamp,
) -> Result<Next<Candidate>, StoreError> {
    let candidates = match only {
        Some(message) => towards(db, message)?,
        None => heads(db, now)?,
    };
    let next = candidates.into_iter().map(|candidate| (candidate.leaves(pacing, now), candidate));
    let order = |(leaves, candidate): &(Timestamp, Candidate)| {
        ((*leaves).max(now), !candidate.is_for_operator, candidate.due, candidate.part)
    };
    Ok(match next.min_by_key(order) {
        None => Next::Idle(None),
        Some((leaves, _)) if leaves > now => Next::Idle(Some(leaves)),
        Some((_, candidate)) => Next::Taken(candidate),
    })
}

/// Of each line the part that has been due for longest, the first for the operator, and one that a clock now set back had
/// put off too far.
fn heads(db: &Connection, now: Timestamp) -> Result<Vec<Candidate>, StoreError> {
    let sql = "SELECT p.id, p.message, p.conversation, p.segments, p.due_at, c.contact, m.purpose,
                      p.waits_for IS 'daily-cap' AS is_capped, p.waits_until, p.line, l.number, l.messaging_service, l.next_free_at
               FROM line AS l JOIN part AS p ON p.id IN (
                   (SELECT id FROM part WHERE line = l.id AND state = 'ready' ORDER BY due_at, id LIMIT 1),
                   (SELECT id FROM part WHERE line = l.id AND state = 'ready' AND is_for_operator = 1
                    ORDER BY due_at, id LIMIT 1),
                   (SELECT id FROM part WHERE line = l.id AND state = 'ready' AND due_at > ? ORDER BY due_at LIMIT 1))
               JOIN conversation AS c ON c.id = p.conversation JOIN message AS m ON m.id = p.message";
    list(db, sql, [(now + LONGEST_WAIT).0], candidate)
}

/// The part that keeps a message from leaving: its own, or one that its conversation has ahead of it.
fn towards(db: &Connection, message: MessageId) -> Result<Vec<Candidate>, StoreError> {
    let sql = "SELECT p.id, p.message, p.conversation, p.segments, p.due_at, c.contact, m.purpose,
                      p.waits_for IS 'daily-cap' AS is_capped, p.waits_until, p.line, l.number, l.messaging_service, l.next_free_at
               FROM part AS p JOIN line AS l ON l.id = p.line
               JOIN conversation AS c ON c.id = p.conversation JOIN message AS m ON m.id = p.message
               WHERE p.conversation = (SELECT conversation FROM message WHERE id = ?1) AND p.due_at IS NOT NULL
                 AND p.state = 'ready' AND (p.message <= ?1 OR p.is_for_operator = 1)";
    list(db, sql, [message.0], candidate)
}

fn candidate(row: &Row<'_>) -> rusqlite::Result<Candidate> {
    Ok(Candidate {
        part: PartId(row.get("id")?),
        message: MessageId(row.get("message")?),
        conversation: ConversationId(row.get("conversation")?),
        contact: columns::number(row, "contact")?,
        capped_until: if row.get::<_, bool>("is_capped")? { maybe_time(row, "waits_until")? } else { None },
        is_automatic: columns::purpose(row)?.is_automatic(),
        is_for_operator: columns::purpose(row)?.is_for_operator(),
        segments: row.get("segments")?,
        due: time(row, "due_at")?,
        line: LineId(row.get("line")?),
        sender: columns::sender(row)?,
        line_free: time(row, "next_free_at")?,
    })
}

fn occupy(db: &Connection, candidate: &Candidate, pacing: Pacing, now: Timestamp) -> Result<(), StoreError> {
    let Some(pace) = pacing.of(&candidate.sender) else { return Ok(()) };
    let free = pace.free_after(now, now, candidate.segments.min(MOST_SEGMENTS));
    execute(db, "UPDATE line SET next_free_at = ? WHERE id = ?", (free.0, candidate.line.0)).map(drop)
}

fn take(db: &Connection, head: Candidate, holder: &LeaseHolder, now: Timestamp) -> Result<StartedPart, StoreError> {
    let sql = "UPDATE part SET state = 'starting', due_at = ?2, waits_for = NULL, attempts = attempts + 1 WHERE id = ?1
               RETURNING attempts, position, text, correlator";
    let (mut started, position): (_, u32) = one(db, sql, (head.part.0, (now + ATTEMPT_LEASE).0), |row| {
        let started = StartedPart {
            lease: AttemptLease { part: head.part, attempt: row.get("attempts")? },
            message: head.message,
            correlation_id: row.get("correlator")?,
            from: head.sender,
            to: head.contact,
            text: row.get("text")?,
            media: Vec::new(),
        };
        Ok((started, row.get("position")?))
    })?;
    let sql = "INSERT INTO part_attempt (part, number, holder, started_at) VALUES (?, ?, ?, ?)";
    execute(db, sql, (head.part.0, started.lease.attempt, &holder.0, now.0))?;
    ledger::spend(db, started.lease, started.to.as_str(), head.segments, now)?;
    if position == 1 {
        started.media = media::of_outbound(db, started.message)?;
    }
    Ok(started)
}
