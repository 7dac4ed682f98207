//! The turns of calls: words, tasks and answers.

use telephony_domain::call::words::Words;
use telephony_domain::call::{Event, Prompt};
use telephony_domain::id::{CallId, TurnId};
use telephony_domain::time::Timestamp;

use super::outgoing;
use super::row::{self, StoredCall};
use crate::calls::{CallQuestion, CallTurnOutcome};
use crate::lines::Line;
use crate::sqlite::engine::columns;
use crate::sqlite::engine::query::{Db, execute, find, list, one, time};
use crate::sqlite::rows::{conversation, line};
use crate::{LeaseHolder, StoreError};

/// Stores an agent's answer, or its absence, before the rules decide about it. Returns false for an answer to a turn
/// that is closed, which the rules do not get: it came twice, or the contact was purged.
pub(super) fn keep_answer(db: &Db, call: CallId, event: &Event, now: Timestamp) -> Result<bool, StoreError> {
    let (turn, answer, outcome) = match event {
        Event::Answer { turn, text } => (*turn, Some(text.as_str()), CallTurnOutcome::Answered),
        Event::NoAnswer { turn } => (*turn, None, CallTurnOutcome::None),
        _ => return Ok(true),
    };
    let sql = "UPDATE call_turn SET answer = ?3, outcome = ?4, answered_at = ?5
               WHERE call = ?1 AND number = ?2 AND outcome IS NULL";
    Ok(execute(db, sql, (call.0, turn, answer, outcome.as_str(), now.0))? > 0)
}

/// Corrects the outcome of an answer that is not spoken.
pub(super) fn set_outcome(db: &Db, call: CallId, turn: u32, outcome: CallTurnOutcome) -> Result<(), StoreError> {
    let sql = "UPDATE call_turn SET outcome = ?3 WHERE call = ?1 AND number = ?2 AND outcome IS NOT NULL";
    execute(db, sql, (call.0, turn, outcome.as_str())).map(drop)
}

/// Stores words that the agent does not answer.
pub(super) fn keep(db: &Db, call: CallId, turn: u32, words: &Words, now: Timestamp) -> Result<(), StoreError> {
    let sql = "INSERT INTO call_turn (id, call, number, prompt, words, said_at, outcome, answered_at)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    let kind = Prompt::Speech(words.clone()).kind();
    let outcome = CallTurnOutcome::None.as_str();
    execute(db, sql, (next_id(db)?.0, call.0, turn, kind, words.as_str(), now.0, outcome, now.0)).map(drop)
}

/// Stores a task for the agent.
pub(super) fn ask(
    db: &Db,
    call: &StoredCall,
    turn: u32,
    prompt: Prompt,
    now: Timestamp,
) -> Result<CallQuestion, StoreError> {
    let id = next_id(db)?;
    let words = prompt.words().map_or("", Words::as_str);
    let sql = "INSERT INTO call_turn (id, call, number, prompt, words, said_at) VALUES (?, ?, ?, ?, ?, ?)";
    execute(db, sql, (id.0, call.id.0, turn, prompt.kind(), words, now.0))?;
    question(db, call, id, turn, prompt, now)
}

/// Returns the tasks that the agent has not answered and that the rules still wait for.
pub(super) fn open(db: &Db, call: &StoredCall) -> Result<Vec<CallQuestion>, StoreError> {
    let sql =
        "SELECT id, number, prompt, words, said_at FROM call_turn WHERE call = ? AND outcome IS NULL ORDER BY number";
    let unanswered = list(db, sql, [call.id.0], |row| {
        Ok((TurnId(row.get("id")?), row.get("number")?, columns::call_prompt(row)?, time(row, "said_at")?))
    })?;
    let awaited: Vec<u32> = call.machine.open_turns().collect();
    let open = unanswered.into_iter().filter(|(_, number, ..)| awaited.contains(number));
    open.map(|(id, number, prompt, said)| question(db, call, id, number, prompt, said)).collect()
}

/// Returns the agent's open tasks of calls that ended since `since`, except of calls that `holder` ended.
pub(super) fn open_after_calls(
    db: &Db,
    holder: &LeaseHolder,
    since: Timestamp,
) -> Result<Vec<(CallId, CallQuestion)>, StoreError> {
    let sql = "SELECT DISTINCT t.call FROM call_turn AS t JOIN call AS k ON k.id = t.call
               WHERE t.outcome IS NULL AND k.state = 'over' AND k.ended_at >= ?1 AND k.holder IS NOT ?2
               ORDER BY t.call";
    let mut all = Vec::new();
    for id in list(db, sql, (since.0, &holder.0), |row| row.get(0).map(CallId))? {
        all.extend(open(db, &row::load(db, id)?)?.into_iter().map(|question| (id, question)));
    }
    Ok(all)
}

fn question(
    db: &Db,
    call: &StoredCall,
    id: TurnId,
    number: u32,
    prompt: Prompt,
    said: Timestamp,
) -> Result<CallQuestion, StoreError> {
    let line = conversation::line_of(db, call.conversation)?;
    Ok(CallQuestion {
        id,
        number,
        prompt,
        conversation: call.conversation,
        contact: conversation::contact_of(db, call.conversation)?,
        line: Line { id: line, sender: line::sender_of(db, line)? },
        said,
        is_inbound: call.machine.is_inbound(),
        is_proven: call.machine.is_proven(),
        can_be_texted: call.machine.can_be_texted(),
        deadline: call.machine.deadline(),
        task: outgoing::task(db, call.id)?.map(Words::from),
    })
}

/// Returns a new id. Agents get turns of texts and of calls by the same kind of id, so both come from one sequence.
fn next_id(db: &Db) -> Result<TurnId, StoreError> {
    let known = "SELECT seq FROM sqlite_sequence WHERE name = 'turn'";
    if find(db, known, (), |row| row.get::<_, i64>(0))?.is_none() {
        execute(db, "INSERT INTO sqlite_sequence (name, seq) VALUES ('turn', 0)", ())?;
    }
    one(db, "UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'turn' RETURNING seq", (), |row| {
        row.get(0).map(TurnId)
    })
}
