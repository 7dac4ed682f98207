//! Tokens: the addresses of documents, one for each step of a call.

use telephony_domain::call::token::CallToken;
use telephony_domain::call::{Event, Heard};
use telephony_domain::id::CallId;
use telephony_domain::time::Timestamp;

use super::row::StoredCall;
use super::{outgoing, row, step, wrong_pins};
use crate::StoreError;
use crate::calls::{CallDocumentRequest, CallWork, Requested};
use crate::sqlite::engine::query::{Db, execute, find, one};

/// Has the rules decide about a request, if its token belongs to the call.
pub(super) fn request(
    db: &Db,
    request: &CallDocumentRequest,
    work: &CallWork,
    now: Timestamp,
) -> Result<Requested, StoreError> {
    let sql = "SELECT call, step FROM call_token WHERE token = ?";
    let found = find(db, sql, [request.token.as_str()], |row| Ok((CallId(row.get(0)?), row.get(1)?)))?;
    let Some((call, step)) = found else { return Ok(Requested::UnknownToken) };
    let mut call = row::load(db, call)?;
    if !outgoing::bind(db, &mut call, &request.provider_id, now)? {
        return Ok(Requested::ForeignCall);
    }
    let heard = without_pin(db, &call, request, now)?;
    let event = Event::Request { step, heard, answered_by: request.answered_by };
    Ok(Requested::Step(Box::new(step::take(db, call, event, work, now)?)))
}

/// Returns the input, with the verdict instead of the digits of a PIN: the digits are not stored, and the agent does
/// not get them, even if the caller enters them at the wrong moment.
fn without_pin(
    db: &Db,
    call: &StoredCall,
    request: &CallDocumentRequest,
    now: Timestamp,
) -> Result<Option<Heard>, StoreError> {
    match &request.heard {
        Some(_) if call.machine.asks_pin() => {
            let is_locked_out = !call.machine.is_proven() && wrong_pins::are_too_many(db, now)?;
            Ok(Some(Heard::Pin { is_correct: request.is_pin && !is_locked_out }))
        }
        Some(_) if request.is_pin => Ok(Some(Heard::Pin { is_correct: true })),
        heard => Ok(heard.clone()),
    }
}

/// Returns the token of a step. A step without one gets `fresh`.
pub(super) fn of_step(db: &Db, call: CallId, step: u32, fresh: &CallToken) -> Result<CallToken, StoreError> {
    let sql = "INSERT INTO call_token (token, call, step) VALUES (?, ?, ?) ON CONFLICT (call, step) DO NOTHING";
    if execute(db, sql, (fresh.as_str(), call.0, step))? == 1 {
        return Ok(fresh.clone());
    }
    let sql = "SELECT token FROM call_token WHERE call = ? AND step = ?";
    let token: String = one(db, sql, (call.0, step), |row| row.get(0))?;
    CallToken::read(&token).ok_or_else(|| StoreError::Damaged(format!("the token of call {call}")))
}
