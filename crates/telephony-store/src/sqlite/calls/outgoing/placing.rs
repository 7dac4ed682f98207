//! New calls: checked against the rules and stored in one transaction.

use telephony_domain::call::Call;
use telephony_domain::call::plan::CallPlan;
use telephony_domain::call::words::Words;
use telephony_domain::dialing::NotDialed;
use telephony_domain::id::{CallId, LineId};
use telephony_domain::number::PhoneNumber;
use telephony_domain::time::Timestamp;

use super::{row, spent};
use crate::StoreError;
use crate::outgoing_calls::{CallDraft, OutgoingRules, Placed};
use crate::sqlite::engine::columns;
use crate::sqlite::engine::query::{Db, execute, find};
use crate::sqlite::rows::conversation;

/// Stores a call, unless a rule forbids it or its key is known.
pub(in crate::sqlite::calls) fn place(
    db: &Db,
    draft: &CallDraft,
    rules: &OutgoingRules,
    now: Timestamp,
) -> Result<Placed, StoreError> {
    if let Some((call, contact, is_same)) = with_key(db, draft)? {
        return Ok(if is_same { Placed::Known(call) } else { Placed::KeyTaken(call, contact) });
    }
    let line = match check(db, &draft.from, &draft.to, rules, now)? {
        Ok(line) => line,
        Err(refusal) => return Ok(Placed::Refused(refusal)),
    };
    let conversation = conversation::find_or_make(db, line, &draft.to)?;
    let max_duration = rules.dialing.duration(draft.plan.max_duration, spent::usage(db, now)?);
    let machine = Call::new(CallPlan { max_duration, ..draft.plan.clone() }, now);
    let call = row::insert(db, conversation, None, &machine, now)?;
    let sql = "INSERT INTO outgoing_call (call, key, from_number, message, task, keys, state)
               VALUES (?, ?, ?, ?, ?, ?, 'waiting')";
    execute(db, sql, (call.0, &draft.key, draft.from.as_str(), message(draft), task(draft), &draft.keys))?;
    spent::note(db, call, max_duration, now)?;
    Ok(Placed::Waiting(call))
}

/// Returns the reason why a call is forbidden now, if there is one.
pub(in crate::sqlite::calls) fn refusal(
    db: &Db,
    from: &PhoneNumber,
    to: &PhoneNumber,
    rules: &OutgoingRules,
    now: Timestamp,
) -> Result<Option<NotDialed>, StoreError> {
    Ok(check(db, from, to, rules, now)?.err())
}

/// Returns the line to call from, or the first reason that forbids the call.
fn check(
    db: &Db,
    from: &PhoneNumber,
    to: &PhoneNumber,
    rules: &OutgoingRules,
    now: Timestamp,
) -> Result<Result<LineId, NotDialed>, StoreError> {
    let Some(line) = row::line_of(db, from.as_str())? else { return Ok(Err(NotDialed::NotOurs(from.clone()))) };
    if let Err(refusal) = rules.dialing.check(to, spent::usage(db, now)?, now) {
        return Ok(Err(refusal));
    }
    if row::line_of(db, to.as_str())?.is_some() {
        return Ok(Err(NotDialed::OwnNumber));
    }
    let standing = conversation::standing(db, line, to)?;
    if standing.is_blocked {
        return Ok(Err(NotDialed::Blocked));
    }
    if standing.is_opted_out {
        return Ok(Err(NotDialed::OptedOut));
    }
    if let Some(call) = open_call(db, to)? {
        return Ok(Err(NotDialed::OnCall(call)));
    }
    let most = rules.most_calls;
    Ok(if row::count_open(db, line)? < most { Ok(line) } else { Err(NotDialed::AllBusy { most }) })
}

/// Returns the call with the key of a draft and its contact, and whether it was requested in the same way.
fn with_key(db: &Db, draft: &CallDraft) -> Result<Option<(CallId, PhoneNumber, bool)>, StoreError> {
    let sql = "SELECT k.id, c.contact,
                      c.contact = ?2 AND o.from_number = ?3 AND o.message IS ?4 AND o.task IS ?5 AND o.keys IS ?6 AS is_same
               FROM outgoing_call AS o JOIN call AS k ON k.id = o.call
               JOIN conversation AS c ON c.id = k.conversation WHERE o.key = ?1";
    let wanted = (&draft.key, draft.to.as_str(), draft.from.as_str(), message(draft), task(draft), &draft.keys);
    find(db, sql, wanted, |row| Ok((CallId(row.get("id")?), columns::number(row, "contact")?, row.get("is_same")?)))
}

fn message(draft: &CallDraft) -> Option<&str> {
    draft.plan.purpose.message().map(Words::as_str)
}

fn task(draft: &CallDraft) -> Option<&str> {
    draft.task.as_ref().map(Words::as_str)
}

fn open_call(db: &Db, contact: &PhoneNumber) -> Result<Option<CallId>, StoreError> {
    let sql = "SELECT k.id FROM call AS k JOIN conversation AS c ON c.id = k.conversation
               WHERE c.contact = ? AND k.due_at IS NOT NULL ORDER BY k.id LIMIT 1";
    find(db, sql, [contact.as_str()], |row| row.get(0).map(CallId))
}
