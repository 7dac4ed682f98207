//! Due calls: a timer fires, a lease runs out, or the provider has to end the call.

use std::time::Duration;

use telephony_domain::call::Event;
use telephony_domain::time::Timestamp;

use super::{outgoing, row, step};
use crate::calls::{CallState, CallWork, DueCall};
use crate::sqlite::engine::query::{Db, execute, maybe_time, one};
use crate::{LeaseHolder, Next, StoreError};

/// The wait after the first attempt to end a call; each further one doubles it.
const END_AGAIN: Duration = Duration::from_secs(2);

/// The most doublings of that wait: some two minutes.
const MAX_DOUBLINGS: u32 = 6;

/// Takes the call that has been due for longest.
pub(super) fn take(db: &Db, work: &CallWork, now: Timestamp) -> Result<Next<DueCall>, StoreError> {
    let Some(call) = row::first_due(db, work.provider, now)? else {
        let sql = "SELECT min(due_at) AS due_at FROM call WHERE due_at > ? AND provider = ?";
        let next = one(db, sql, (now.0, work.provider), |row| maybe_time(row, "due_at"))?;
        return Ok(Next::Idle(next));
    };
    if let Some(undialed) = outgoing::undialed(db, &call)? {
        return match outgoing::take(db, call, undialed, work, now)? {
            Some(due) => Ok(Next::Taken(due)),
            None => take(db, work, now),
        };
    }
    if call.state == CallState::Ending {
        row::count_end_attempt(db, call.id, now + END_AGAIN * 2u32.pow(call.end_attempts.min(MAX_DOUBLINGS)))?;
        return Ok(Next::Taken(DueCall::End(call.id, call.provider_id, call.end_attempts)));
    }
    if call.holder.as_ref() != Some(&work.holder) {
        row::renew(db, &call, &work.holder, now)?;
        return Ok(Next::Taken(DueCall::TakenOver(Box::new(step::take_over(db, &call, work)?))));
    }
    if call.timer_at.is_some_and(|timer| timer <= now) {
        return step::take(db, call, Event::Timer, work, now).map(Box::new).map(DueCall::Fired).map(Next::Taken);
    }
    row::renew(db, &call, &work.holder, now)?;
    Ok(Next::Taken(DueCall::Silent(call.id, call.provider_id)))
}

/// Makes the calls of other gateways due, and gives up on those that they have not dialed.
pub(super) fn free(db: &Db, holder: &LeaseHolder, now: Timestamp) -> Result<usize, StoreError> {
    outgoing::give_up_waiting(db, holder, now)?;
    let sql = "UPDATE call SET due_at = ?2 WHERE due_at > ?2 AND holder IS NOT ?1";
    execute(db, sql, (&holder.0, now.0))
}
