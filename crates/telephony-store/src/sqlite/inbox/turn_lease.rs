//! Selects a conversation with due work, and leases its turn.

use telephony_domain::id::{ConversationId, InboundId, LineId, TurnId};
use telephony_domain::retry::{Disposition, TurnFate};
use telephony_domain::time::Timestamp;

use super::turn::{self, COLUMNS, TurnRow, read};
use super::turn_end;
use crate::inbox::{Inbound, LEASE, LeasedTurn, TurnLease};
use crate::lines::Line;
use crate::sqlite::engine::columns;
use crate::sqlite::engine::query::{Db, Row, execute, find, list, maybe_time, one, time};
use crate::sqlite::rows::{conversation, line, media, restored};
use crate::{LONGEST_WAIT, LeaseHolder, Next, StoreError};

/// Maximum number of messages in a turn, beside a limit of characters that a single message may exceed: what an agent
/// can read at a time. The rest of a flood is the next turn.
const MAX_MESSAGES: i64 = 50;
const MAX_CHARACTERS: i64 = 20_000;

/// Leases the oldest due work.
pub(super) fn lease(
    db: &Db,
    holder: &LeaseHolder,
    merges: bool,
    now: Timestamp,
) -> Result<Next<LeasedTurn>, StoreError> {
    if restored::is_pending(db)? {
        return Ok(Next::Idle(None));
    }
    loop {
        let conversation = match due_conversation(db, now)? {
            Next::Taken(conversation) => conversation,
            Next::Idle(due) => return Ok(Next::Idle(due)),
        };
        match next_of(db, conversation, merges, now)? {
            Some(turn) if turn_end::deliver_kept(db, &turn, now)? => {}
            Some(turn) => return take(db, &turn, holder, now).map(Next::Taken),
            None => conversation::rearm(db, conversation)?,
        }
    }
}

/// Returns the longest overdue conversation, else one that a clock now set back had delayed too far.
fn due_conversation(db: &Db, now: Timestamp) -> Result<Next<ConversationId>, StoreError> {
    let read = |row: &Row<'_>| Ok((ConversationId(row.get("id")?), time(row, "due_at")?));
    let first = "SELECT id, due_at FROM conversation WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1";
    let Some((conversation, due)) = find(db, first, (), read)? else { return Ok(Next::Idle(None)) };
    if due <= now {
        return Ok(Next::Taken(conversation));
    }
    let last = "SELECT id, due_at FROM conversation WHERE due_at > ? ORDER BY due_at LIMIT 1";
    let put_off = find(db, last, [(now + LONGEST_WAIT).0], read)?;
    Ok(put_off.map_or(Next::Idle(Some(due)), |(conversation, _)| Next::Taken(conversation)))
}

/// Returns the next turn of a due conversation; none if its turn was just parked, or there is none after all.
fn next_of(db: &Db, conversation: ConversationId, merges: bool, now: Timestamp) -> Result<Option<TurnRow>, StoreError> {
    if let Some(turn) = in_flight(db, conversation)? {
        return if turn.is_leased { recover(db, turn, now) } else { Ok(Some(turn)) };
    }
    let parked = first_parked(db, conversation)?;
    let ready =
        one(db, "SELECT ready_at FROM conversation WHERE id = ?", [conversation.0], |row| maybe_time(row, "ready_at"))?;
    match (parked, ready) {
        (Some(parked), Some(ready)) if ready < parked.due => make_of_waiting(db, conversation, merges, now),
        (Some(parked), _) => Ok(Some(parked)),
        (None, Some(_)) => make_of_waiting(db, conversation, merges, now),
        (None, None) => Ok(None),
    }
}

fn in_flight(db: &Db, conversation: ConversationId) -> Result<Option<TurnRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM turn WHERE conversation = ? AND state IN ('leased', 'retrying')");
    find(db, &sql, [conversation.0], read)
}

fn first_parked(db: &Db, conversation: ConversationId) -> Result<Option<TurnRow>, StoreError> {
    let sql =
        format!("SELECT {COLUMNS} FROM turn WHERE conversation = ? AND state = 'parked' ORDER BY due_at, id LIMIT 1");
    find(db, &sql, [conversation.0], read)
}

/// Recovers a turn whose lease expired. It counts as failed, or a turn that kills its process would be retried forever,
/// but it does not wait again.
fn recover(db: &Db, turn: TurnRow, now: Timestamp) -> Result<Option<TurnRow>, StoreError> {
    let reason = "the program ended while working on the turn";
    turn::close_attempt(db, &turn, "lost", Some(reason), None)?;
    let failures = turn_end::failures_of(db, &turn, false)?;
    match turn_end::fail(db, &turn, reason, Disposition::Retry { after: None }, failures, 0.0, now)? {
        TurnFate::RetryAt(_) => Ok(Some(turn)),
        TurnFate::ParkedUntil(_) | TurnFate::Dead => Ok(None),
    }
}

/// Makes a turn of the waiting messages of a conversation, or of the oldest only.
fn make_of_waiting(
    db: &Db,
    conversation: ConversationId,
    merges: bool,
    now: Timestamp,
) -> Result<Option<TurnRow>, StoreError> {
    let sql = "SELECT id, length(text) AS characters FROM inbound WHERE conversation = ? AND state = 'waiting'
               ORDER BY id LIMIT ?";
    let most = if merges { MAX_MESSAGES } else { 1 };
    let waiting =
        list(db, sql, (conversation.0, most), |row| Ok((InboundId(row.get("id")?), row.get::<_, i64>("characters")?)))?;
    let messages = as_many_as_fit(&waiting);
    let turn = if messages.is_empty() { None } else { Some(turn::make(db, conversation, &messages, now, now)?) };
    let sql = "SELECT received_at FROM inbound WHERE conversation = ? AND state = 'waiting' ORDER BY id LIMIT 1";
    let rest = find(db, sql, [conversation.0], |row| time(row, "received_at"))?;
    conversation::set_ready(db, conversation, rest.map(|since| (since, now)))?;
    Ok(turn)
}

/// Returns the first message, and those after it that fit.
fn as_many_as_fit(waiting: &[(InboundId, i64)]) -> Vec<InboundId> {
    let mut capacity = MAX_CHARACTERS;
    let fit = waiting.iter().enumerate().take_while(|(place, (_, characters))| {
        capacity -= characters;
        *place == 0 || capacity >= 0
    });
    fit.map(|(_, (message, _))| *message).collect()
}

fn take(db: &Db, turn: &TurnRow, holder: &LeaseHolder, now: Timestamp) -> Result<LeasedTurn, StoreError> {
    let sql = "UPDATE turn SET state = 'leased', due_at = ?2, holder = ?3, fence = fence + 1, attempts = attempts + 1
               WHERE id = ?1 RETURNING fence, attempts";
    let (fence, attempt) = one(db, sql, (turn.id.0, (now + LEASE).0, &holder.0), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let sql = "INSERT INTO turn_attempt (turn, number, holder, started_at) VALUES (?, ?, ?, ?)";
    execute(db, sql, (turn.id.0, fence, &holder.0, now.0))?;
    conversation::rearm(db, turn.conversation)?;
    let sql = "SELECT line, contact FROM conversation WHERE id = ?";
    let (line, contact) =
        one(db, sql, [turn.conversation.0], |row| Ok((LineId(row.get("line")?), columns::number(row, "contact")?)))?;
    Ok(LeasedTurn {
        lease: TurnLease { turn: turn.id, fence },
        attempt,
        conversation: turn.conversation,
        line: Line { id: line, sender: line::sender_of(db, line)? },
        standing: conversation::standing(db, line, &contact)?,
        contact,
        messages: messages_of(db, turn.id)?,
    })
}

fn messages_of(db: &Db, turn: TurnId) -> Result<Vec<Inbound>, StoreError> {
    let sql = "SELECT id, provider_id, text, also_to, received_at FROM inbound WHERE turn = ? ORDER BY id";
    let mut messages = list(db, sql, [turn.0], |row| {
        Ok(Inbound {
            id: InboundId(row.get("id")?),
            provider_id: row.get("provider_id")?,
            text: row.get("text")?,
            media: Vec::new(),
            also_to: columns::also_to(row)?,
            received: time(row, "received_at")?,
        })
    })?;
    for message in &mut messages {
        message.media = media::of_inbound(db, message.id)?;
    }
    Ok(messages)
}
