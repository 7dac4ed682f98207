//! Lists of calls and their transcripts.

use std::time::Duration;

use telephony_domain::call::answer::for_transcript;
use telephony_domain::call::report::CallStatus;
use telephony_domain::call::words::Words;
use telephony_domain::id::{CallId, LineId};
use telephony_domain::number::PhoneNumber;
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::calls::{CallDetail, CallEntry, CallTurn};
use crate::outgoing_calls::OutgoingDetail;
use crate::sqlite::engine::columns;
use crate::sqlite::engine::query::{Db, Row, RowResult, find, list, maybe_time, time};

const ENTRY: &str = "SELECT k.id, k.provider_id, c.contact, c.line, k.is_inbound, k.state, k.status, k.created_at,
                            k.ended_at, k.machine, k.seconds, k.price, k.currency,
                            (SELECT count(*) FROM call_turn WHERE call = k.id AND prompt <> 'summarize') AS turns
                     FROM call AS k JOIN conversation AS c ON c.id = k.conversation";

/// Returns calls, the newest first.
pub(super) fn entries(db: &Db, contact: Option<&PhoneNumber>, limit: u32) -> Result<Vec<CallEntry>, StoreError> {
    let sql = format!("{ENTRY} WHERE ?1 IS NULL OR c.contact = ?1 ORDER BY k.id DESC LIMIT ?2");
    list(db, &sql, (contact.map(PhoneNumber::as_str), limit), entry)
}

/// Returns a call with its transcript.
pub(super) fn detail(db: &Db, id: CallId) -> Result<Option<CallDetail>, StoreError> {
    let found = find(db, &format!("{ENTRY} WHERE k.id = ?"), [id.0], entry)?;
    found.map(|entry| detail_of(db, entry)).transpose()
}

/// Returns the newest calls with a contact, the oldest first.
pub(in crate::sqlite) fn details(db: &Db, contact: &PhoneNumber, limit: u32) -> Result<Vec<CallDetail>, StoreError> {
    let newest_first = entries(db, Some(contact), limit)?;
    newest_first.into_iter().rev().map(|entry| detail_of(db, entry)).collect()
}

fn detail_of(db: &Db, entry: CallEntry) -> Result<CallDetail, StoreError> {
    let id = entry.id.0;
    let turns = "SELECT number, prompt, words, said_at, answer, outcome, answered_at FROM call_turn
                 WHERE call = ? ORDER BY number";
    let events = "SELECT status, at FROM call_event WHERE call = ? ORDER BY id";
    let event = |row: &Row<'_>| Ok((columns::call_status(row)?, time(row, "at")?));
    let events: Vec<(Option<CallStatus>, Timestamp)> = list(db, events, [id], event)?;
    let events = events.into_iter().filter_map(|(status, at)| Some((status?, at))).collect();
    let outgoing = "SELECT o.state, o.message, o.task, o.failure, k.machine
                    FROM outgoing_call AS o JOIN call AS k ON k.id = o.call WHERE o.call = ?";
    let outgoing = find(db, outgoing, [id], outgoing_detail)?;
    Ok(CallDetail { turns: list(db, turns, [id], turn)?, outgoing, events, entry })
}

fn entry(row: &Row<'_>) -> RowResult<CallEntry> {
    let ended = maybe_time(row, "ended_at")?;
    let by_provider: Option<i64> = row.get("seconds")?;
    let (machine, turns) = (columns::call_machine(row)?, row.get("turns")?);
    let by_us = machine.answered().zip(ended).map(|(answered, ended)| ended.since(answered));
    Ok(CallEntry {
        id: CallId(row.get("id")?),
        provider_id: row.get("provider_id")?,
        contact: columns::number(row, "contact")?,
        line: LineId(row.get("line")?),
        is_inbound: row.get("is_inbound")?,
        state: columns::call_state(row)?,
        status: columns::call_status(row)?,
        began: time(row, "created_at")?,
        ended,
        turns,
        is_missed: machine.is_inbound() && ended.is_some() && turns == 0 && !machine.has_spoken(),
        is_cut_off: machine.is_cut_off(),
        spoken: by_provider.map(|seconds| Duration::from_secs(seconds.unsigned_abs())).or(by_us),
        price: columns::price(row)?,
    })
}

fn turn(row: &Row<'_>) -> RowResult<CallTurn> {
    Ok(CallTurn {
        number: row.get("number")?,
        prompt: columns::call_prompt(row)?,
        said: time(row, "said_at")?,
        answer: row.get::<_, Option<String>>("answer")?.and_then(|answer| for_transcript(&answer)).map(Words::from),
        outcome: columns::call_outcome(row)?,
        answered: maybe_time(row, "answered_at")?,
    })
}

fn outgoing_detail(row: &Row<'_>) -> RowResult<OutgoingDetail> {
    let machine = columns::call_machine(row)?;
    let words = |column: &str| row.get::<_, Option<String>>(column).map(|text| text.map(Words::from));
    Ok(OutgoingDetail {
        state: columns::dial_state(row)?,
        message: words("message")?,
        task: words("task")?,
        failure: row.get("failure")?,
        answered_by: machine.who_answered(),
        has_spoken: machine.has_spoken(),
    })
}
