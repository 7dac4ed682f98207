//! Translates ngrok's errors for the operator. The codes are those of <https://ngrok.com/docs/errors>.

use std::error::Error;

use ngrok::tunnel::AcceptError;

use crate::tunnel::{Cause, TunnelError};

/// Codes with a known cause.
const CODES: &[(&str, Cause)] = &[
    ("ERR_NGROK_105", Cause::TokenRefused),
    ("ERR_NGROK_106", Cause::TokenRefused),
    ("ERR_NGROK_107", Cause::TokenRefused),
    ("ERR_NGROK_108", Cause::Plan),
    ("ERR_NGROK_307", Cause::Plan),
    ("ERR_NGROK_312", Cause::Plan),
    ("ERR_NGROK_313", Cause::Plan),
    ("ERR_NGROK_319", Cause::DomainNotReserved),
    ("ERR_NGROK_320", Cause::DomainNotReserved),
    ("ERR_NGROK_324", Cause::Plan),
    ("ERR_NGROK_334", Cause::DomainTaken),
    ("ERR_NGROK_348", Cause::Plan),
    ("ERR_NGROK_4018", Cause::TokenRefused),
];

pub(super) fn of(error: &impl ngrok::Error) -> TunnelError {
    described(error.error_code(), &error.msg())
}

/// Translates an error in accepting connections.
pub(super) fn of_accepting(error: &AcceptError) -> TunnelError {
    match error {
        AcceptError::ListenerClosed { message, error_code: Some(code) } => described(Some(code), message),
        error => TunnelError::new(Cause::Broken, in_full(error)),
    }
}

/// Formats an error with its causes.
pub(super) fn in_full(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}

fn described(code: Option<&str>, message: &str) -> TunnelError {
    let known = CODES.iter().find(|(known, _)| Some(*known) == code);
    let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
    let detail = code.map_or(message.clone(), |code| format!("{message} ({code})"));
    TunnelError::new(known.map_or(Cause::Other, |(_, cause)| *cause), detail)
}
