//! A turn as the JSON object that a program reads; the guide for the `command` agent describes it.

use serde_json::{Value, json};

use telephony_domain::reaction;

use crate::agent::{OnCall, Past, Role, Said, Turn};
use crate::attachment::{Availability, TurnAttachment};

/// Converts the turn for a program.
pub(super) fn question(turn: &Turn) -> Value {
    json!({
        "turn": turn.id,
        "attempt": turn.attempt,
        "contact": turn.contact,
        "line": turn.line,
        "channel": if turn.on_call.is_some() { "call" } else { "message" },
        "call": turn.on_call.as_ref().map(call_of),
        "text": turn.text(),
        "messages": turn.said.iter().map(message).collect::<Vec<_>>(),
        "history": turn.history.iter().map(past).collect::<Vec<_>>(),
    })
}

fn call_of(call: &OnCall) -> Value {
    json!({
        "direction": if call.is_inbound { "inbound" } else { "outbound" },
        "isProven": call.is_proven,
        "canBeTexted": call.can_be_texted,
        "secondsLeft": call.time_left.as_secs(),
        "task": call.task,
    })
}

fn message(said: &Said) -> Value {
    let reaction = reaction::read(&said.text);
    json!({
        "id": said.provider_id,
        "text": said.text,
        "media": said.media.iter().map(attachment).collect::<Vec<_>>(),
        "reaction": reaction.map(|reaction| json!({ "deed": reaction.deed, "about": reaction.about })),
        "alsoTo": said.also_to,
        "received": said.received,
    })
}

fn attachment(attachment: &TurnAttachment) -> Value {
    let (file, size, unavailable) = match &attachment.held {
        Availability::File { path, size } => (Some(path), Some(size), None),
        Availability::Unavailable(reason) => (None, None, Some(reason)),
    };
    json!({ "contentType": attachment.content_type, "file": file, "size": size, "unavailable": unavailable })
}

fn past(past: &Past) -> Value {
    let from = match past.role {
        Role::Contact => "contact",
        Role::Agent => "agent",
        Role::Operator => "operator",
    };
    json!({ "from": from, "text": past.text })
}
