//! The phone at the other end of a call: it answers, speaks, presses keys and hangs up.

use super::update;
use super::wires::PhoneInput;
use crate::call::CallRecord;
use crate::exchange::Exchange;

/// The result of ringing.
pub(super) enum Pickup {
    Answered,
    Refused,
    None,
}

/// The call does not exist or is over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("find a call {0} that is not over")]
pub struct NoCall(pub String);

/// Speaks as soon as the call listens.
pub(crate) async fn say(exchange: &Exchange, sid: &str, text: &str, confidence: f32) -> Result<(), NoCall> {
    reach_listener(exchange, sid, PhoneInput::Speech { text: text.to_owned(), confidence }).await
}

/// Presses keys as soon as the call listens.
pub(crate) async fn press(exchange: &Exchange, sid: &str, keys: &str) -> Result<(), NoCall> {
    reach_listener(exchange, sid, PhoneInput::Keys(keys.to_owned())).await
}

/// Answers a ringing phone.
pub(crate) fn answer(exchange: &Exchange, sid: &str) -> Result<(), NoCall> {
    send(exchange, sid, PhoneInput::Answer)
}

pub(crate) fn hang_up(exchange: &Exchange, sid: &str) -> Result<(), NoCall> {
    send(exchange, sid, PhoneInput::HangUp)
}

/// Waits until a `<Gather>` listens, because Twilio drops earlier speech.
async fn reach_listener(exchange: &Exchange, sid: &str, input: PhoneInput) -> Result<(), NoCall> {
    let is_open = |call: &CallRecord| match call.status.is_final() {
        true => Some(false),
        false => call.is_listening.then_some(true),
    };
    let listens = exchange.wait(|state| state.call(sid).map_or(Some(false), is_open)).await;
    if !listens {
        return Err(NoCall(sid.to_owned()));
    }
    // The next input waits for the next `<Gather>`.
    update(exchange, sid, |call| call.is_listening = false);
    send(exchange, sid, input)
}

pub(crate) fn send(exchange: &Exchange, sid: &str, input: PhoneInput) -> Result<(), NoCall> {
    let state = exchange.state();
    let sent = state.wires.get(sid).map(|wires| wires.inputs.send(input));
    sent.and_then(Result::ok).ok_or_else(|| NoCall(sid.to_owned()))
}
