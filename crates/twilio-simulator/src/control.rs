//! Control over HTTP for programs in any language: the counterpart of [`Simulator`](crate::Simulator), which Rust code
//! uses. The crate's documentation lists the routes.

mod account;
mod calls;
mod media;

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

use crate::config::DeliveryOutcome;
use crate::delivery::Delivery;
use crate::exchange::{Exchange, ExchangeEvent};
use crate::inbound::{self, InboundText, NotOurs, Unsent};
use crate::log::MAX_DETAILS;
use crate::media::{LARGEST_MESSAGE, MediaRecord};
use crate::message::MessageRecord;
use crate::misbehavior::{Fault, FaultExtent};
use crate::queue::QueuePacing;

/// The largest inbound message as JSON, in bytes: base64 encodes three bytes as four characters.
const LARGEST_TEXT: usize = LARGEST_MESSAGE / 3 * 4 + 64 * 1024;

/// Returns the routes under `/_simulator`.
pub(crate) fn router(exchange: &Arc<Exchange>) -> Router {
    let routes = Router::new()
        .route("/inbound-message", post(inbound_message).layer(DefaultBodyLimit::max(LARGEST_TEXT)))
        .route("/inbound-call", post(calls::ring_in))
        .route("/calls", get(calls::show))
        .route("/calls/{sid}/answer", post(calls::answer))
        .route("/calls/{sid}/say", post(calls::say))
        .route("/calls/{sid}/press", post(calls::press))
        .route("/calls/{sid}/hang-up", post(calls::hang_up))
        .route("/call-outcome", post(calls::set_outcome))
        .route("/redeliver/{sid}", post(redeliver))
        .route("/misbehave", get(misbehaving).post(misbehave).delete(behave))
        .route("/pacing", post(set_pacing))
        .route("/outcome", get(outcomes).post(set_outcome))
        .route("/account", get(account::show).post(account::change))
        .route("/numbers", post(account::put_number))
        .route("/services", post(account::put_service))
        .route("/alerts", get(account::alerts).post(account::add_alert))
        .route("/missing", post(account::set_missing))
        .route("/events", get(events))
        .route("/messages", get(messages))
        .route("/media/{sid}", get(media::show))
        .route("/log", get(log))
        .route("/log/{id}", get(log_detail))
        .route("/reset", post(reset))
        .with_state(Arc::clone(exchange));
    Router::new().nest("/_simulator", routes)
}

impl IntoResponse for NotOurs {
    fn into_response(self) -> Response {
        (StatusCode::NOT_FOUND, Json(json!({"error": format!("failed to {self}")}))).into_response()
    }
}

impl IntoResponse for Unsent {
    fn into_response(self) -> Response {
        match self {
            Self::NotOurs(not_ours) => not_ours.into_response(),
            Self::TooMuch => {
                (StatusCode::PAYLOAD_TOO_LARGE, Json(json!({"error": format!("failed to {self}")}))).into_response()
            }
        }
    }
}

async fn inbound_message(
    State(exchange): State<Arc<Exchange>>,
    Json(text): Json<InboundText>,
) -> Result<Json<Delivery>, Unsent> {
    inbound::receive(&exchange, text).await.map(Json)
}

async fn redeliver(State(exchange): State<Arc<Exchange>>, Path(sid): Path<String>) -> Result<Json<Delivery>, NotOurs> {
    inbound::redeliver(&exchange, &sid).await.map(Json)
}

#[derive(Deserialize)]
struct Wrong {
    fault: Fault,
    extent: FaultExtent,
}

async fn misbehave(State(exchange): State<Arc<Exchange>>, Json(wrong): Json<Wrong>) -> StatusCode {
    exchange.state().misbehavior.add(wrong.fault, wrong.extent);
    StatusCode::NO_CONTENT
}

/// Returns the active faults in the order in which they were added.
async fn misbehaving(State(exchange): State<Arc<Exchange>>) -> Json<Value> {
    let state = exchange.state();
    let shown = |(fault, extent): &(Fault, FaultExtent)| json!({"fault": fault, "extent": extent});
    Json(state.misbehavior.rules().iter().map(shown).collect())
}

/// Changes the sending rate. `"lifted"` releases all waiting messages.
async fn set_pacing(State(exchange): State<Arc<Exchange>>, Json(pacing): Json<QueuePacing>) -> StatusCode {
    exchange.set_pacing(pacing);
    StatusCode::NO_CONTENT
}

async fn behave(State(exchange): State<Arc<Exchange>>) -> StatusCode {
    exchange.state().misbehavior.clear();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
struct MessageFate {
    to: String,
    outcome: DeliveryOutcome,
}

async fn set_outcome(State(exchange): State<Arc<Exchange>>, Json(fate): Json<MessageFate>) -> StatusCode {
    exchange.state().outcomes.insert(fate.to, fate.outcome);
    StatusCode::NO_CONTENT
}

/// Returns the configured outcomes by recipient.
async fn outcomes(State(exchange): State<Arc<Exchange>>) -> Json<Value> {
    Json(json!(exchange.state().outcomes))
}

async fn messages(State(exchange): State<Arc<Exchange>>) -> Json<Value> {
    let account = &exchange.config.account_sid;
    Json(exchange.state().messages.iter().map(|message| shown(message, account)).collect())
}

/// Returns a message in REST's format, with its keyword and files.
fn shown(message: &MessageRecord, account: &str) -> Value {
    let file = |media: &MediaRecord| {
        json!({
            "sid": media.sid, "content_type": media.content_type, "size": media.bytes.len(),
            "url": format!("/_simulator/media/{}", media.sid),
        })
    };
    let mut json = message.to_json(account);
    json["keyword"] = json!(message.keyword);
    json["media"] = message.media.iter().filter(|media| media.is_here()).map(file).collect();
    json
}

async fn log(State(exchange): State<Arc<Exchange>>) -> Json<Value> {
    Json(json!(exchange.state().log.entries()))
}

/// Returns the contents of a logged request and its answer.
async fn log_detail(State(exchange): State<Arc<Exchange>>, Path(id): Path<u64>) -> Response {
    match exchange.state().log.detail(id) {
        Some(detail) => Json(detail).into_response(),
        None => {
            let error = format!("what it carried is kept of the latest {MAX_DETAILS} requests only");
            (StatusCode::NOT_FOUND, Json(json!({ "error": error }))).into_response()
        }
    }
}

async fn reset(State(exchange): State<Arc<Exchange>>) -> StatusCode {
    exchange.reset();
    StatusCode::NO_CONTENT
}

/// Streams events from now on. A client that falls behind gets a notice and should reload everything.
async fn events(State(exchange): State<Arc<Exchange>>) -> impl IntoResponse {
    let followed = stream::unfold((exchange.subscribe(), exchange), async |(mut receiver, exchange)| {
        let event = match receiver.recv().await {
            Ok(event) => sse(&event, &exchange),
            Err(RecvError::Lagged(_)) => SseEvent::default().event("behind").data("{}"),
            Err(RecvError::Closed) => return None,
        };
        Some((Ok::<_, Infallible>(event), (receiver, exchange)))
    });
    Sse::new(followed).keep_alive(KeepAlive::default())
}

fn sse(event: &ExchangeEvent, exchange: &Exchange) -> SseEvent {
    let account = &exchange.config.account_sid;
    let (name, data) = match event {
        ExchangeEvent::Message(message) => ("message", shown(message, account)),
        ExchangeEvent::Call(call) => ("call", calls::shown(call)),
        ExchangeEvent::Request(entry) => ("request", json!(entry)),
        ExchangeEvent::Alert(alert) => ("alert", alert.to_json(account, &exchange.base_url)),
    };
    SseEvent::default().event(name).data(data.to_string())
}
