//! A step of a call: an event, the rules' decision, and the actions that the store carries out.

use telephony_domain::call::afterwards::SummaryRecipient;
use telephony_domain::call::script::Script;
use telephony_domain::call::words::Words;
use telephony_domain::call::{Action, Event};
use telephony_domain::id::CallId;
use telephony_domain::number::PhoneNumber;
use telephony_domain::time::Timestamp;

use super::row::{self, StoredCall};
use super::{outgoing, questions, texts, tokens, wrong_pins};
use crate::StoreError;
use crate::calls::{CallQuestion, CallState, CallStep, CallTurnOutcome, CallWork};
use crate::sqlite::engine::columns;
use crate::sqlite::engine::query::{Db, execute, one};
use crate::sqlite::rows::conversation;

/// Has the rules decide about an event, and stores the result.
pub(super) fn take(
    db: &Db,
    mut call: StoredCall,
    event: Event,
    work: &CallWork,
    now: Timestamp,
) -> Result<CallStep, StoreError> {
    let (inherited, orphaned) = match &call.holder {
        Some(holder) if *holder != work.holder && call.state != CallState::Over => inheritance(db, &call)?,
        _ => Default::default(),
    };
    note_status(db, call.id, &event, now)?;
    let is_news = questions::keep_answer(db, call.id, &event, now)?;
    let was_ended_by_operator = call.state != CallState::Open && !call.is_finished();
    let is_request = matches!(event, Event::Request { .. });
    let is_final = matches!(&event, Event::Status(status) if status.is_final());
    let line = conversation::line_of(db, call.conversation)?;
    let contact = conversation::contact_of(db, call.conversation)?;
    call.machine.set_can_be_texted(texts::can_be_texted(db, line, &contact, work, now)?);
    let mut decided = if is_news { call.machine.on(event, now) } else { Vec::new() };
    if was_ended_by_operator {
        decided = is_request.then(|| Action::Respond(Script::hang_up())).into_iter().collect();
    }
    let ends = decided.iter().any(|action| matches!(action, Action::HangUp | Action::Cancel));
    call.state = next_state(&call, ends, is_final);
    let mut step = CallStep { actions: inherited, asked: orphaned, ..new_step(db, &call, work)? };
    for action in decided {
        carry_out(db, &call, action, &mut step, work, now)?;
    }
    row::save(db, &call, &work.holder, now)?;
    Ok(step)
}

/// Returns the work that a call inherits from an earlier gateway.
pub(super) fn take_over(db: &Db, call: &StoredCall, work: &CallWork) -> Result<CallStep, StoreError> {
    let (actions, asked) = inheritance(db, call)?;
    Ok(CallStep { actions, asked, ..new_step(db, call, work)? })
}

/// Returns the agent's open tasks, and the time limit at the provider, which the earlier gateway may not have set.
fn inheritance(db: &Db, call: &StoredCall) -> Result<(Vec<Action>, Vec<CallQuestion>), StoreError> {
    Ok((call.machine.time_limit().into_iter().collect(), questions::open(db, call)?))
}

fn new_step(db: &Db, call: &StoredCall, work: &CallWork) -> Result<CallStep, StoreError> {
    Ok(CallStep {
        call: call.id,
        provider_id: call.provider_id.clone(),
        actions: Vec::new(),
        asked: Vec::new(),
        token: tokens::of_step(db, call.id, call.machine.step(), &work.token)?,
        is_over: call.state == CallState::Over,
        locks_out: false,
    })
}

/// Like [`take`], for a report. It may be the first to show the provider's id of the call.
pub(super) fn report(
    db: &Db,
    provider_id: &str,
    id: Option<CallId>,
    event: Event,
    work: &CallWork,
    now: Timestamp,
) -> Result<Option<CallStep>, StoreError> {
    if let Some(call) = row::find_by_provider_id(db, work.provider, provider_id)? {
        return take(db, call, event, work, now).map(Some);
    }
    let Some(mut call) = id.map(|id| row::find(db, id)).transpose()?.flatten() else { return Ok(None) };
    match outgoing::bind(db, &mut call, provider_id, now)? {
        true => take(db, call, event, work, now).map(Some),
        false => Ok(None),
    }
}

fn next_state(call: &StoredCall, ends: bool, is_final: bool) -> CallState {
    match call.state {
        _ if is_final => CallState::Over,
        CallState::Open if ends => CallState::Ending,
        CallState::Open if call.is_finished() => CallState::Over,
        state => state,
    }
}

/// Carries out the actions that belong to the transaction, and leaves the others to the gateway. [`super::due`] ends
/// calls.
fn carry_out(
    db: &Db,
    call: &StoredCall,
    action: Action,
    step: &mut CallStep,
    work: &CallWork,
    now: Timestamp,
) -> Result<(), StoreError> {
    match action {
        Action::Ask { turn, prompt } => step.asked.push(questions::ask(db, call, turn, prompt, now)?),
        Action::Text { turn, text, is_answer } => {
            let to = conversation::contact_of(db, call.conversation)?;
            let outcome = queue_text(db, call, turn, to, &text, work, now)?;
            if is_answer {
                questions::set_outcome(db, call.id, turn, outcome)?;
            }
        }
        Action::SendSummary { turn, to, text } => {
            let to = match to {
                SummaryRecipient::Contact => Some(conversation::contact_of(db, call.conversation)?),
                SummaryRecipient::Operator => work.operator.clone(),
            };
            let outcome = match to {
                Some(to) => queue_text(db, call, turn, to, &text, work, now)?,
                None => CallTurnOutcome::Unheard,
            };
            questions::set_outcome(db, call.id, turn, outcome)?;
        }
        Action::KeepUnheard { turn, .. } => questions::set_outcome(db, call.id, turn, CallTurnOutcome::Unheard)?,
        Action::Keep { turn, words } => questions::keep(db, call.id, turn, &words, now)?,
        Action::CountWrongPin => step.locks_out |= wrong_pins::count(db, now)?,
        Action::HangUp | Action::Cancel => {}
        Action::Respond(_) | Action::Interrupt(_) | Action::LimitTime(_) | Action::Check => step.actions.push(action),
    }
    Ok(())
}

/// Queues the text of a turn, once. Returns the outcome for an answer or summary that goes by text.
fn queue_text(
    db: &Db,
    call: &StoredCall,
    turn: u32,
    to: PhoneNumber,
    text: &Words,
    work: &CallWork,
    now: Timestamp,
) -> Result<CallTurnOutcome, StoreError> {
    let line = conversation::line_of(db, call.conversation)?;
    let is_queued = texts::queue(db, line, to, format!("call-{}-{turn}", call.id), text, work, now)?;
    Ok(if is_queued { CallTurnOutcome::Texted } else { CallTurnOutcome::Unheard })
}

pub(super) fn note_status(db: &Db, call: CallId, event: &Event, now: Timestamp) -> Result<(), StoreError> {
    let Event::Status(status) = event else { return Ok(()) };
    let sql = "INSERT INTO call_event (call, status, at) VALUES (?, ?, ?) ON CONFLICT (call, status) DO NOTHING";
    if execute(db, sql, (call.0, status.as_str(), now.0))? == 0 {
        return Ok(());
    }
    let known = one(db, "SELECT status FROM call WHERE id = ?", [call.0], columns::call_status)?;
    // Reports may arrive in any order.
    if known.is_some_and(|known| known.is_final() || known > *status) {
        return Ok(());
    }
    execute(db, "UPDATE call SET status = ?2 WHERE id = ?1", (call.0, status.as_str())).map(drop)
}
