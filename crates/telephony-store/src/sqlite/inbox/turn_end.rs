//! Ends, failures and revivals of turns.

use std::borrow::Cow;

use telephony_domain::id::{ConversationId, MessageId, TurnId};
use telephony_domain::message::{MessageDraft, MessagePurpose};
use telephony_domain::notice::{Notice, name};
use telephony_domain::policy::Refusal;
use telephony_domain::retry::{Disposition, Failures, TurnFate, turn_fate, unavailable_from};
use telephony_domain::time::Timestamp;

use super::kept_answer;
use super::turn::{COLUMNS, TurnRow, close, close_attempt, held, read};
use crate::inbox::{Apology, LEASE, TurnEnd, TurnFailure, TurnLease};
use crate::sqlite::engine::query::{Db, apart, execute, find, list, maybe_time, one};
use crate::sqlite::outbox::{enqueue, full_line, pause, queue};
use crate::sqlite::rows::{conversation, notice};
use crate::{LONGEST_WAIT, LeaseHolder, StoreError};

/// Outcome of an attempt without a connection to the agent.
const UNREACHABLE: &str = "unreachable";

pub(crate) fn renew(db: &Db, lease: &TurnLease, now: Timestamp) -> Result<(), StoreError> {
    let turn = held(db, lease)?;
    execute(db, "UPDATE turn SET due_at = ? WHERE id = ?", ((now + LEASE).0, turn.id.0))?;
    conversation::rearm(db, turn.conversation)
}

pub(crate) fn finish(db: &Db, lease: &TurnLease, end: &TurnEnd, now: Timestamp) -> Result<(), StoreError> {
    let turn = held(db, lease)?;
    match end {
        TurnEnd::Refused(refusal) => refuse(db, &turn, *refusal, now),
        TurnEnd::Answered(_) if conversation::is_opted_out(db, turn.conversation)? => {
            refuse(db, &turn, Refusal::OptedOut, now)
        }
        TurnEnd::Answered(drafts) => match apart(db, || answer(db, &turn, drafts, now)) {
            Err(StoreError::QueueFull { .. }) => {
                close_attempt(db, &turn, "kept", Some(full_line::NO_ROOM), Some(now))?;
                kept_answer::keep(db, &turn, drafts, now)
            }
            answered => answered,
        },
    }
}

/// Ends a turn with a kept answer if its line has capacity again. Returns false if there was no kept answer; without
/// capacity it keeps waiting.
pub(crate) fn deliver_kept(db: &Db, turn: &TurnRow, now: Timestamp) -> Result<bool, StoreError> {
    let delivered = apart(db, || match kept_answer::take_kept(db, turn)? {
        None => Ok(false),
        Some(_) if conversation::is_opted_out(db, turn.conversation)? => {
            refuse(db, turn, Refusal::OptedOut, now).map(|()| true)
        }
        Some(drafts) => answer(db, turn, &drafts, now).map(|()| true),
    });
    match delivered {
        Err(StoreError::QueueFull { .. }) => kept_answer::wait(db, turn, now).map(|()| true),
        delivered => delivered,
    }
}

fn refuse(db: &Db, turn: &TurnRow, refusal: Refusal, now: Timestamp) -> Result<(), StoreError> {
    close(db, turn, "refused", "refused", Some(refusal.as_str()), now)
}

fn answer(db: &Db, turn: &TurnRow, drafts: &[MessageDraft], now: Timestamp) -> Result<(), StoreError> {
    let line = conversation::line_of(db, turn.conversation)?;
    take_back_apology(db, turn.conversation, now)?;
    for draft in drafts {
        let mut draft = Cow::Borrowed(draft);
        if draft.turn.is_none() {
            draft.to_mut().turn = Some(turn.id);
        }
        match enqueue::enqueue(db, line, &draft, now) {
            Err(StoreError::OptedOut) => tracing::warn!(turn = %turn.id, to = ?draft.to, "not sent: the contact opted \
                out"),
            enqueued => drop(enqueued?),
        }
    }
    notice::end(db, name::UNANSWERED)?;
    if drafts.is_empty() {
        pause::forget_exchanges(db, turn.conversation)?;
    } else {
        let sql = "SELECT min(received_at) AS received_at FROM inbound WHERE turn = ?";
        let received_at = one(db, sql, [turn.id.0], |row| maybe_time(row, "received_at"))?;
        pause::count_exchange(db, turn.conversation, received_at.unwrap_or(now), now)?;
    }
    close(db, turn, "answered", "answered", None, now)
}

pub(crate) fn record_failure(
    db: &Db,
    lease: &TurnLease,
    failure: &TurnFailure,
    now: Timestamp,
) -> Result<TurnFate, StoreError> {
    let turn = held(db, lease)?;
    let failures = failures_of(db, &turn, failure.is_unreachable)?;
    let fate = fail(db, &turn, &failure.reason, failure.disposition, failures, failure.jitter, now)?;
    let outcome = match fate {
        TurnFate::RetryAt(_) | TurnFate::ParkedUntil(_) if failure.is_unreachable => UNREACHABLE,
        TurnFate::RetryAt(_) => "retried",
        TurnFate::ParkedUntil(_) => "parked",
        TurnFate::Dead => "failed",
    };
    close_attempt(db, &turn, outcome, Some(&failure.reason), Some(now))?;
    conversation::rearm(db, turn.conversation)?;
    if let (Some(sorry), Some(due)) = (&failure.sorry, unavailable_from(fate, asked_since(db, &turn, now)?, now)) {
        apologize(db, &turn, sorry, due, now)?;
    }
    Ok(fate)
}

/// Returns turns whose last attempt did not reach the agent and that wait for another.
pub(crate) fn waiting_for_agent(db: &Db) -> Result<Vec<TurnRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM turn WHERE ended_at IS NULL AND state IN ('retrying', 'parked') AND EXISTS
             (SELECT 1 FROM turn_attempt WHERE turn = turn.id AND number = turn.fence AND outcome = ?)"
    );
    list(db, &sql, [UNREACHABLE], read)
}

pub(crate) fn hasten(db: &Db, now: Timestamp) -> Result<usize, StoreError> {
    let waiting: Vec<TurnRow> = waiting_for_agent(db)?.into_iter().filter(|turn| turn.due > now).collect();
    for turn in &waiting {
        execute(db, "UPDATE turn SET due_at = ? WHERE id = ?", (now.0, turn.id.0))?;
        conversation::rearm(db, turn.conversation)?;
    }
    Ok(waiting.len())
}

/// Returns when the agent was first asked since the turn last started over, because a slow failure keeps the contact
/// waiting as well.
fn asked_since(db: &Db, turn: &TurnRow, now: Timestamp) -> Result<Timestamp, StoreError> {
    let sql = "SELECT min(a.started_at) FROM turn AS t JOIN turn_attempt AS a ON a.turn = t.id
               WHERE t.id = ? AND a.number > t.fence - t.attempts";
    let asked: Option<i64> = one(db, sql, [turn.id.0], |row| row.get(0))?;
    Ok(asked.map_or(now, |asked| Timestamp(asked).min(now)))
}

/// Queues an apology, once for each outage: its key stays the same until a turn of the conversation is answered. It
/// leaves at `due` unless there is an answer by then.
fn apologize(db: &Db, turn: &TurnRow, sorry: &Apology, due: Timestamp, now: Timestamp) -> Result<(), StoreError> {
    let sql = "SELECT coalesce(max(id), 0) FROM turn WHERE conversation = ? AND state = 'answered'";
    let last_answered: i64 = one(db, sql, [turn.conversation.0], |row| row.get(0))?;
    let draft = MessageDraft {
        key: format!("unavailable-{}-{last_answered}", turn.conversation),
        purpose: MessagePurpose::Unavailable,
        to: conversation::contact_of(db, turn.conversation)?,
        text: sorry.text.clone(),
        parts: sorry.parts.clone(),
        media: Vec::new(),
        turn: None,
    };
    match enqueue::enqueue(db, conversation::line_of(db, turn.conversation)?, &draft, now) {
        Ok(enqueued) if enqueued.is_new => queue::put_off(db, enqueued.message, due),
        Ok(_) | Err(StoreError::OptedOut | StoreError::QueueFull { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Cancels a queued apology, because there is an answer.
fn take_back_apology(db: &Db, conversation: ConversationId, now: Timestamp) -> Result<(), StoreError> {
    let sql = "SELECT id FROM message WHERE id IN (SELECT message FROM part WHERE conversation = ?1 AND due_at IS NOT NULL
                                                  UNION SELECT message FROM part WHERE conversation = ?1 AND state = 'queued')
               AND purpose = 'unavailable'";
    for message in list(db, sql, [conversation.0], |row| row.get(0).map(MessageId))? {
        queue::cancel_rest(db, message, "an answer arrived in time", now)?;
    }
    queue::promote(db, conversation, now)
}

/// Counts the failures of a turn, including that of its running attempt.
pub(crate) fn failures_of(db: &Db, turn: &TurnRow, is_unreachable: bool) -> Result<Failures, StoreError> {
    let all = turn.failures.saturating_add(1);
    if is_unreachable {
        return Ok(Failures { all, since_outage: all });
    }
    let sql = "SELECT max(number) FROM turn_attempt WHERE turn = ? AND outcome = ?";
    let outage: Option<i64> = one(db, sql, (turn.id.0, UNREACHABLE), |row| row.get(0))?;
    let since = outage.and_then(|outage| u32::try_from(turn.fence - outage).ok());
    Ok(Failures { all, since_outage: since.map_or(all, |since| since.min(all)) })
}

/// Decides about a failed turn and records it; the caller handles the attempt and the conversation.
pub(crate) fn fail(
    db: &Db,
    turn: &TurnRow,
    reason: &str,
    why: Disposition,
    failures: Failures,
    jitter: f64,
    now: Timestamp,
) -> Result<TurnFate, StoreError> {
    let first_failed = turn.first_failed.map_or(now, |first| first.min(now));
    let latest = now + LONGEST_WAIT;
    let fate = match turn_fate(why, first_failed, failures, jitter, now) {
        TurnFate::RetryAt(due) => TurnFate::RetryAt(due.min(latest)),
        TurnFate::ParkedUntil(due) => TurnFate::ParkedUntil(due.min(latest)),
        TurnFate::Dead => TurnFate::Dead,
    };
    let (state, due) = match fate {
        TurnFate::RetryAt(due) => ("retrying", Some(due.0)),
        TurnFate::ParkedUntil(due) => ("parked", Some(due.0)),
        TurnFate::Dead => ("dead", None),
    };
    let sql = "UPDATE turn SET state = ?2, due_at = ?3, reason = ?4, failures = ?5, first_failed_at = ?6 WHERE id = ?1";
    execute(db, sql, (turn.id.0, state, due, reason, failures.all, first_failed.0))?;
    if fate == TurnFate::Dead {
        execute(db, "UPDATE inbound SET state = 'failed', why = ?2 WHERE turn = ?1", (turn.id.0, reason))?;
    }
    raise_notice(db, turn, fate, reason, now)?;
    Ok(fate)
}

/// Raises a notice about a parked or dead turn; one for all of them, because one cause makes many.
fn raise_notice(db: &Db, turn: &TurnRow, fate: TurnFate, reason: &str, now: Timestamp) -> Result<(), StoreError> {
    let contact = conversation::contact_of(db, turn.conversation)?.to_string();
    let reason = reason.to_owned();
    let notice = match fate {
        TurnFate::RetryAt(_) => return Ok(()),
        TurnFate::ParkedUntil(_) => Notice::Unanswered { contact, reason },
        TurnFate::Dead => Notice::GaveUpAnswering { contact, reason },
    };
    notice::raise(db, &notice, now).map(drop)
}

pub(crate) fn hand_back(db: &Db, lease: &TurnLease, now: Timestamp) -> Result<(), StoreError> {
    let turn = held(db, lease)?;
    let sql = "UPDATE turn SET state = 'retrying', due_at = ?2, attempts = attempts - 1 WHERE id = ?1";
    execute(db, sql, (turn.id.0, now.0))?;
    execute(db, "DELETE FROM turn_attempt WHERE turn = ? AND number = ?", (turn.id.0, turn.fence))?;
    conversation::rearm(db, turn.conversation)
}

/// Moves the fence, so that a holder that is still alive has no right any more.
pub(crate) fn free(db: &Db, holder: &LeaseHolder, now: Timestamp) -> Result<usize, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM turn WHERE ended_at IS NULL AND state = 'leased' AND holder <> ?");
    let leased = list(db, &sql, [&holder.0], read)?;
    for turn in &leased {
        close_attempt(db, turn, "lost", Some("the program ended while working on the turn"), None)?;
        execute(db, "UPDATE turn SET due_at = ?, fence = fence + 1 WHERE id = ?", (now.0, turn.id.0))?;
        conversation::rearm(db, turn.conversation)?;
    }
    Ok(leased.len())
}

/// Revives a turn as if it had never failed; it goes ahead of later messages, unless they are being answered.
pub(crate) fn revive(db: &Db, turn: TurnId, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE turn SET state = 'parked', due_at = ?2, attempts = 0, failures = 0, first_failed_at = NULL, reason = NULL
               WHERE id = ?1 AND state IN ('parked', 'dead') RETURNING conversation";
    let revived = find(db, sql, (turn.0, now.0), |row| row.get(0).map(ConversationId))?;
    let conversation = revived.ok_or_else(|| StoreError::NotFound(format!("failed turn {turn}")))?;
    execute(db, "UPDATE inbound SET state = 'answering', why = NULL WHERE turn = ?", [turn.0])?;
    conversation::rearm(db, conversation)
}
