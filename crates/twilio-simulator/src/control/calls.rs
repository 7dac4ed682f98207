//! Calls from the phone's side: call, answer, speak, press keys, hang up.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::call::CallRecord;
use crate::calling::{self, phone};
use crate::config::CallOutcome;
use crate::delivery::Delivery;
use crate::exchange::Exchange;
use crate::inbound::NotOurs;
use crate::simulator::CLEAR;
use phone::NoCall;

impl IntoResponse for NoCall {
    fn into_response(self) -> Response {
        (StatusCode::CONFLICT, Json(json!({"error": format!("failed to {self}")}))).into_response()
    }
}

#[derive(Deserialize)]
pub(super) struct Ring {
    from: String,
    to: String,
    attestation: Option<String>,
}

pub(super) async fn ring_in(
    State(exchange): State<Arc<Exchange>>,
    Json(ring): Json<Ring>,
) -> Result<Json<Delivery>, NotOurs> {
    if let Some(verdict) = ring.attestation {
        exchange.state().attestations.insert(ring.from.clone(), verdict);
    }
    calling::ring_in(&exchange, &ring.from, &ring.to).await.map(Json)
}

/// Returns all calls, oldest first.
pub(super) async fn show(State(exchange): State<Arc<Exchange>>) -> Json<Value> {
    Json(exchange.state().calls.iter().map(shown).collect())
}

/// Returns a call with its transcript.
pub(super) fn shown(call: &CallRecord) -> Value {
    json!({
        "sid": call.sid, "from": call.from, "to": call.to, "direction": call.direction(), "status": call.status.as_str(),
        "answeredBy": call.answered_by, "isListening": call.is_listening, "transcript": call.transcript,
    })
}

pub(super) async fn answer(
    State(exchange): State<Arc<Exchange>>,
    Path(sid): Path<String>,
) -> Result<StatusCode, NoCall> {
    phone::answer(&exchange, &sid).map(|()| StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
pub(super) struct SpokenWords {
    text: String,
    confidence: Option<f32>,
}

/// Speaks on a call; responds once the call has listened.
pub(super) async fn say(
    State(exchange): State<Arc<Exchange>>,
    Path(sid): Path<String>,
    Json(speech): Json<SpokenWords>,
) -> Result<StatusCode, NoCall> {
    phone::say(&exchange, &sid, &speech.text, speech.confidence.unwrap_or(CLEAR)).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
pub(super) struct PressedKeys {
    keys: String,
}

/// Presses keys on a call; responds once the call has listened.
pub(super) async fn press(
    State(exchange): State<Arc<Exchange>>,
    Path(sid): Path<String>,
    Json(pressed): Json<PressedKeys>,
) -> Result<StatusCode, NoCall> {
    phone::press(&exchange, &sid, &pressed.keys).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn hang_up(
    State(exchange): State<Arc<Exchange>>,
    Path(sid): Path<String>,
) -> Result<StatusCode, NoCall> {
    phone::hang_up(&exchange, &sid).map(|()| StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
pub(super) struct CallFate {
    to: String,
    outcome: CallOutcome,
}

pub(super) async fn set_outcome(State(exchange): State<Arc<Exchange>>, Json(fate): Json<CallFate>) -> StatusCode {
    exchange.state().call_outcomes.insert(fate.to, fate.outcome);
    StatusCode::NO_CONTENT
}
