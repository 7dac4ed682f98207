//! Calls that we place, until the provider's id is known. None is dialed twice.

mod placing;

use std::time::Duration;

use telephony_domain::call::Event;
use telephony_domain::call::report::CallStatus;
use telephony_domain::dialing::doubt::{self, DialDoubtStep};
use telephony_domain::id::CallId;
use telephony_domain::notice::Notice;
use telephony_domain::number::PhoneNumber;
use telephony_domain::reconcile::SearchResult;
use telephony_domain::time::Timestamp;

pub(super) use self::placing::{place, refusal};
use super::row::{self, StoredCall};
use super::{spent, step, tokens};
use crate::calls::{CallState, CallWork, DueCall};
use crate::outgoing_calls::{CallToDial, DIAL_TIMEOUT, DialState, DoubtfulCall};
use crate::sqlite::engine::columns;
use crate::sqlite::engine::query::{Db, Row, RowResult, execute, find, list, maybe_time, time};
use crate::sqlite::rows::{conversation, notice};
use crate::{LeaseHolder, StoreError};

/// Time after which a request to the provider counts as unanswered, so that its call is in doubt.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// A call without the provider's id.
pub(super) struct Undialed {
    from: PhoneNumber,
    keys: Option<String>,
    state: DialState,
    placed: Timestamp,
    dialed: Option<Timestamp>,
    doubted: Option<Timestamp>,
    absences: u32,
}

/// Returns the dialing of an outgoing call without the provider's id. Returns none for every other call.
pub(super) fn undialed(db: &Db, call: &StoredCall) -> Result<Option<Undialed>, StoreError> {
    if call.provider_id.is_some() || call.machine.is_inbound() {
        return Ok(None);
    }
    let sql = "SELECT o.from_number, o.keys, o.state, k.created_at, o.dialed_at, o.doubted_at, o.absences
               FROM outgoing_call AS o JOIN call AS k ON k.id = o.call WHERE o.call = ?";
    find(db, sql, [call.id.0], |row: &Row<'_>| -> RowResult<Undialed> {
        Ok(Undialed {
            from: columns::number(row, "from_number")?,
            keys: row.get("keys")?,
            state: columns::dial_state(row)?,
            placed: time(row, "created_at")?,
            dialed: maybe_time(row, "dialed_at")?,
            doubted: maybe_time(row, "doubted_at")?,
            absences: row.get("absences")?,
        })
    })
}

/// Takes a due call that is not dialed yet or in doubt. Returns none if it gave up on the call.
pub(super) fn take(
    db: &Db,
    call: StoredCall,
    undialed: Undialed,
    work: &CallWork,
    now: Timestamp,
) -> Result<Option<DueCall>, StoreError> {
    let to = conversation::contact_of(db, call.conversation)?;
    if let (DialState::Dialing | DialState::Doubtful, Some(dialed)) = (undialed.state, undialed.dialed) {
        doubt(db, call.id, now)?;
        row::postpone(db, call.id, &work.holder, now + REQUEST_TIMEOUT)?;
        return Ok(Some(DueCall::Find(DoubtfulCall { call: call.id, from: undialed.from, to, dialed })));
    }
    let too_late = match call.state {
        CallState::Open if now.since(undialed.placed) < DIAL_TIMEOUT => None,
        CallState::Open => Some("the gateway did not dial it in time"),
        CallState::Ending | CallState::Over => Some("it was ended before it was dialed"),
    };
    if let Some(reason) = too_late {
        not_dialed(db, call, reason, &work.holder, now)?;
        return Ok(None);
    }
    execute(db, "UPDATE outgoing_call SET state = 'dialing', dialed_at = ?2 WHERE call = ?1", (call.id.0, now.0))?;
    row::postpone(db, call.id, &work.holder, now + REQUEST_TIMEOUT)?;
    let token = tokens::of_step(db, call.id, call.machine.step(), &work.token)?;
    let plan = call.machine.plan().clone();
    let dial = CallToDial { call: call.id, from: undialed.from, to, plan, keys: undialed.keys, token };
    Ok(Some(DueCall::Dial(Box::new(dial))))
}

/// Gives up on the calls that wait to be dialed: after a restart of the gateway, they would be unexpected.
pub(super) fn give_up_waiting(db: &Db, holder: &LeaseHolder, now: Timestamp) -> Result<(), StoreError> {
    let waiting = "SELECT call FROM outgoing_call WHERE state = 'waiting'";
    for id in list(db, waiting, (), |row| row.get(0).map(CallId))? {
        not_dialed(db, row::load(db, id)?, "the gateway stopped before it dialed", holder, now)?;
    }
    Ok(())
}

/// Records the provider's id of a call. Returns false if the call has a different id, or if another call has this one.
pub(super) fn bind(db: &Db, call: &mut StoredCall, provider_id: &str, now: Timestamp) -> Result<bool, StoreError> {
    if let Some(known) = &call.provider_id {
        return Ok(known == provider_id);
    }
    if call.machine.is_inbound() || row::find_by_provider_id(db, &call.provider, provider_id)?.is_some() {
        return Ok(false);
    }
    if call.state != CallState::Open {
        // It was dialed after all, or ended while it was dialed. A status until now is not the provider's.
        call.state = CallState::Ending;
        execute(db, "DELETE FROM call_event WHERE call = ?", [call.id.0])?;
        let sql = "UPDATE call SET state = 'ending', status = NULL, due_at = ?2 WHERE id = ?1";
        execute(db, sql, (call.id.0, now.0))?;
        spent::restore(db, call.id)?;
    }
    execute(db, "UPDATE call SET provider_id = ?2 WHERE id = ?1", (call.id.0, provider_id))?;
    let sql = "UPDATE outgoing_call SET state = 'dialed', failure = NULL, dialed_at = coalesce(dialed_at, ?2)
               WHERE call = ?1";
    execute(db, sql, (call.id.0, now.0))?;
    call.provider_id = Some(provider_id.to_owned());
    Ok(true)
}

/// Records the provider's answer to the request. Returns false if the call already has a different id.
pub(super) fn dialed(
    db: &Db,
    mut call: StoredCall,
    provider_id: &str,
    holder: &LeaseHolder,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let was_named = call.provider_id.is_some();
    let is_bound = bind(db, &mut call, provider_id, now)?;
    if is_bound && !was_named && call.state == CallState::Open {
        row::save(db, &call, holder, now)?;
    }
    Ok(is_bound)
}

/// Records that the outcome of a request is unknown, and makes the call due.
pub(super) fn doubt_now(db: &Db, call: CallId, now: Timestamp) -> Result<(), StoreError> {
    doubt(db, call, now)?;
    let sql = "UPDATE call SET due_at = ?2 WHERE id = ?1 AND provider_id IS NULL AND due_at IS NOT NULL";
    execute(db, sql, (call.0, now.0)).map(drop)
}

/// Records that the outcome of a request is unknown, with the time. A later doubt does not change the time.
fn doubt(db: &Db, call: CallId, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE outgoing_call SET state = 'doubtful', doubted_at = coalesce(doubted_at, ?2)
               WHERE call = ?1 AND state IN ('dialing', 'doubtful')";
    execute(db, sql, (call.0, now.0)).map(drop)
}

/// Records a search of the provider's list that did not find the call.
pub(super) fn not_found(
    db: &Db,
    call: StoredCall,
    finding: SearchResult,
    holder: &LeaseHolder,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(Undialed { doubted: Some(since), absences, .. }) = undialed(db, &call)? else { return Ok(()) };
    let id = call.id;
    let reason = match doubt::next(since, absences, finding, now) {
        DialDoubtStep::LookAgainAt(at) => {
            let sql = "UPDATE outgoing_call SET absences = absences + ?2 WHERE call = ?1";
            execute(db, sql, (id.0, finding == SearchResult::Absent))?;
            return row::postpone(db, id, holder, at);
        }
        DialDoubtStep::NotPlaced => "the request got no answer, and the account's list does not have the call",
        DialDoubtStep::Unknown => {
            notice::raise(db, &Notice::CallUnknown { call: id }, now)?;
            let reason =
                "the request got no answer, and the account's list of calls cannot be read, so it may have been placed";
            return close_undialed(db, call, reason, holder, now);
        }
    };
    not_dialed(db, call, reason, holder, now)
}

/// Records that a call was not dialed, with a notice: the command that requested it may be gone. The call is over.
pub(super) fn not_dialed(
    db: &Db,
    call: StoredCall,
    reason: &str,
    holder: &LeaseHolder,
    now: Timestamp,
) -> Result<(), StoreError> {
    if call.provider_id.is_some() {
        return Ok(());
    }
    let id = call.id;
    notice::raise(db, &Notice::CallNotPlaced { call: id, reason: reason.to_owned() }, now)?;
    close_undialed(db, call, reason, holder, now)?;
    spent::give_back(db, id)
}

fn close_undialed(
    db: &Db,
    mut call: StoredCall,
    reason: &str,
    holder: &LeaseHolder,
    now: Timestamp,
) -> Result<(), StoreError> {
    let failed = Event::Status(CallStatus::Failed);
    step::note_status(db, call.id, &failed, now)?;
    // Nothing was said, so no action follows.
    call.machine.on(failed, now);
    call.state = CallState::Over;
    row::save(db, &call, holder, now)?;
    let sql = "UPDATE outgoing_call SET state = 'not-dialed', failure = ?2 WHERE call = ?1";
    execute(db, sql, (call.id.0, reason)).map(drop)
}

/// Returns the task of a call.
pub(super) fn task(db: &Db, call: CallId) -> Result<Option<String>, StoreError> {
    Ok(find(db, "SELECT task FROM outgoing_call WHERE call = ?", [call.0], |row| row.get(0))?.flatten())
}
