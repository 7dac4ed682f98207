//! A call's own row.

use telephony_domain::call::{Call, Phase};
use telephony_domain::id::{CallId, ConversationId, LineId};
use telephony_domain::time::Timestamp;

use super::spent;
use crate::calls::{CALL_LEASE, CallState};
use crate::costs::first_ask;
use crate::sqlite::engine::columns;
use crate::sqlite::engine::query::{self, Db, Row, RowResult, execute, maybe_time, new_id, one};
use crate::{LeaseHolder, StoreError};

/// A call as it is stored.
pub(super) struct StoredCall {
    pub(super) id: CallId,
    pub(super) conversation: ConversationId,
    pub(super) provider: String,
    pub(super) provider_id: Option<String>,
    pub(super) state: CallState,
    pub(super) machine: Call,
    pub(super) timer_at: Option<Timestamp>,
    pub(super) holder: Option<LeaseHolder>,
    pub(super) end_attempts: u32,
}

const COLUMNS: &str = "id, conversation, provider, provider_id, state, machine, timer_at, holder, end_attempts";

/// Creates the row of a call. It is due at once.
pub(super) fn insert(
    db: &Db,
    conversation: ConversationId,
    provider_id: Option<&str>,
    machine: &Call,
    now: Timestamp,
) -> Result<CallId, StoreError> {
    let sql = "INSERT INTO call (conversation, provider_id, is_inbound, state, machine, due_at, created_at, provider)
               VALUES (?1, ?2, ?3, 'open', ?4, ?5, ?6, (SELECT l.provider FROM line AS l JOIN conversation AS c
                                                        ON c.line = l.id WHERE c.id = ?1))";
    execute(db, sql, (conversation.0, provider_id, machine.is_inbound(), json(machine)?, now.0, now.0))?;
    Ok(CallId(new_id(db)))
}

pub(super) fn find(db: &Db, id: CallId) -> Result<Option<StoredCall>, StoreError> {
    query::find(db, &format!("SELECT {COLUMNS} FROM call WHERE id = ?"), [id.0], read)
}

pub(super) fn load(db: &Db, id: CallId) -> Result<StoredCall, StoreError> {
    find(db, id)?.ok_or_else(|| StoreError::NotFound(format!("call {id}")))
}

pub(super) fn find_by_provider_id(db: &Db, provider: &str, id: &str) -> Result<Option<StoredCall>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM call WHERE provider_id = ? AND provider = ?");
    query::find(db, &sql, [id, provider], read)
}

/// Returns the line with this number.
pub(super) fn line_of(db: &Db, number: &str) -> Result<Option<LineId>, StoreError> {
    query::find(db, "SELECT line FROM line_address WHERE address = ?", [number], |row| row.get(0).map(LineId))
}

/// Returns the number of calls at a line's provider that are not over.
pub(super) fn count_open(db: &Db, line: LineId) -> Result<usize, StoreError> {
    let sql =
        "SELECT count(*) FROM call WHERE due_at IS NOT NULL AND provider = (SELECT provider FROM line WHERE id = ?)";
    let open: u32 = one(db, sql, [line.0], |row| row.get(0))?;
    Ok(usize::try_from(open).unwrap_or(usize::MAX))
}

/// Returns the call that has been due for longest at a provider.
pub(super) fn first_due(db: &Db, provider: &str, now: Timestamp) -> Result<Option<StoredCall>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM call WHERE due_at <= ? AND provider = ? ORDER BY due_at LIMIT 1");
    query::find(db, &sql, (now.0, provider), read)
}

fn read(row: &Row<'_>) -> RowResult<StoredCall> {
    Ok(StoredCall {
        id: CallId(row.get("id")?),
        conversation: ConversationId(row.get("conversation")?),
        provider: row.get("provider")?,
        provider_id: row.get("provider_id")?,
        state: columns::call_state(row)?,
        machine: columns::call_machine(row)?,
        timer_at: maybe_time(row, "timer_at")?,
        holder: row.get::<_, Option<String>>("holder")?.map(LeaseHolder),
        end_attempts: row.get("end_attempts")?,
    })
}

/// Stores a call after a decision of the rules, and leases it to the gateway that works on it. The next attempt to end
/// a call keeps its time.
pub(super) fn save(db: &Db, call: &StoredCall, holder: &LeaseHolder, now: Timestamp) -> Result<(), StoreError> {
    let lease_until = now + CALL_LEASE;
    let timer = call.machine.next_timer();
    let due = match call.state {
        CallState::Open => Some(timer.map_or(lease_until, |timer| timer.min(lease_until))),
        CallState::Ending => Some(now),
        CallState::Over => None,
    };
    let sql = "UPDATE call SET machine = ?2, state = ?3, timer_at = ?4, holder = ?5,
                      due_at = iif(?3 = 'ending' AND state = 'ending', due_at, ?6),
                      ended_at = iif(?3 = 'open', NULL, coalesce(ended_at, ?7)),
                      price_due_at = iif(?3 = 'over' AND status = 'completed', coalesce(price_due_at, ?8), price_due_at)
               WHERE id = ?1";
    let row = (
        call.id.0,
        json(&call.machine)?,
        call.state.as_str(),
        timer.map(|at| at.0),
        &holder.0,
        due.map(|at| at.0),
        now.0,
        first_ask(now).0,
    );
    execute(db, sql, row)?;
    if call.state != CallState::Open && !call.machine.is_inbound() {
        spent::end(db, call.id, &call.machine, now)?;
    }
    Ok(())
}

/// Renews the lease of a call that had no event.
pub(super) fn renew(db: &Db, call: &StoredCall, holder: &LeaseHolder, now: Timestamp) -> Result<(), StoreError> {
    let lease_until = now + CALL_LEASE;
    postpone(db, call.id, holder, call.timer_at.map_or(lease_until, |timer| timer.min(lease_until)))
}

/// Leases a call until it is due again.
pub(super) fn postpone(db: &Db, call: CallId, holder: &LeaseHolder, due: Timestamp) -> Result<(), StoreError> {
    execute(db, "UPDATE call SET holder = ?2, due_at = ?3 WHERE id = ?1", (call.0, &holder.0, due.0)).map(drop)
}

/// Counts an attempt to end a call, and schedules the next one.
pub(super) fn count_end_attempt(db: &Db, call: CallId, next: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE call SET end_attempts = end_attempts + 1, due_at = ?2 WHERE id = ?1";
    execute(db, sql, (call.0, next.0)).map(drop)
}

/// Marks all calls to be ended at the provider, and their open tasks as unanswered: the calls of a backup are long
/// over, and their answers may have been texted since.
pub(in crate::sqlite) fn end_all(db: &Db, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE call_turn SET outcome = 'none', answered_at = ? WHERE outcome IS NULL";
    execute(db, sql, [now.0])?;
    let sql = "UPDATE call SET state = 'ending', due_at = ?1, ended_at = ?1 WHERE state = 'open'";
    execute(db, sql, [now.0]).map(drop)
}

/// Has the open calls of a conversation ended at the provider. The agent's open tasks stay unanswered.
pub(in crate::sqlite) fn end_of(db: &Db, conversation: ConversationId, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE call_turn SET outcome = 'none', answered_at = ?2
               WHERE outcome IS NULL AND call IN (SELECT id FROM call WHERE conversation = ?1)";
    execute(db, sql, (conversation.0, now.0))?;
    let sql = "UPDATE call SET state = 'ending', due_at = ?2, ended_at = ?2 WHERE conversation = ?1 AND state = 'open'";
    execute(db, sql, (conversation.0, now.0)).map(drop)
}

/// Records that a call is over at the provider.
pub(super) fn close(db: &Db, call: CallId, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE call SET state = 'over', due_at = NULL, ended_at = coalesce(ended_at, ?2) WHERE id = ?1";
    execute(db, sql, (call.0, now.0)).map(drop)
}

impl StoredCall {
    /// Returns true if the rules have finished with it.
    pub(super) fn is_finished(&self) -> bool {
        *self.machine.phase() == Phase::Over
    }
}

fn json(machine: &Call) -> Result<String, StoreError> {
    serde_json::to_string(machine).map_err(|error| StoreError::Other(error.to_string()))
}
