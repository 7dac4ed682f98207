//! `/Messages`: create (with faults on demand), list, fetch, redact, delete.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::sleep;

use super::ApiError;
use super::draft::CheckedMessage;
use super::page::Paging;
use super::parameters::{Parameters, sid_of};
use crate::dates::span;
use crate::exchange::{Exchange, ExchangeEvent};
use crate::lifecycle;
use crate::log::LogPosition;
use crate::message::{MessageDirection, MessageRecord, MessageStatus};
use crate::misbehavior::Fault;
use crate::segments;
use crate::server::cut_connection;

pub(super) async fn create(
    State(exchange): State<Arc<Exchange>>,
    Extension(place): Extension<LogPosition>,
    form: Parameters,
) -> Result<Response, ApiError> {
    let plan = PlannedFaults::draw(&exchange);
    sleep(plan.delay).await;
    if let Some(fault) = plan.ending.filter(|fault| fault.is_before_accepting()) {
        return Ok(end_badly(fault).await);
    }
    let record = accept(&exchange, &form)?;
    exchange.state().log.note_about(place, &record.sid);
    let answer = Json(record.to_json(&exchange.config.account_sid));
    let life = lifecycle::launch(&exchange, record.sid);
    if plan.reports_first {
        // Always resolves with an error, because the sender is only dropped.
        let _ = life.await;
    }
    match plan.ending {
        Some(fault) => Ok(end_badly(fault).await),
        None => Ok((StatusCode::CREATED, answer).into_response()),
    }
}

/// The faults that apply to a creation.
pub(super) struct PlannedFaults {
    pub(super) delay: Duration,
    pub(super) ending: Option<Fault>,
    reports_first: bool,
}

impl PlannedFaults {
    pub(super) fn draw(exchange: &Exchange) -> Self {
        let misbehavior = &mut exchange.state().misbehavior;
        let delay = match misbehavior.first(|fault| matches!(fault, Fault::DelayAnswer { .. })) {
            Some(Fault::DelayAnswer { milliseconds }) => Duration::from_millis(milliseconds),
            _ => Duration::ZERO,
        };
        let ending = misbehavior.first(Fault::ends_creation);
        Self { delay, ending, reports_first: misbehavior.strikes(Fault::CallbackBeforeAnswer) }
    }
}

pub(super) async fn end_badly(fault: Fault) -> Response {
    match fault {
        Fault::TooManyRequests => {
            ApiError::new(StatusCode::TOO_MANY_REQUESTS, 20429, "Too Many Requests").into_response()
        }
        Fault::DailyCap => {
            let exceeded = "Account exceeded the 50 daily messages limit";
            ApiError::new(StatusCode::TOO_MANY_REQUESTS, 63038, exceeded).into_response()
        }
        Fault::CutBeforeAccepting | Fault::CutAfterAccepting => cut_connection(),
        Fault::HangBeforeAccepting | Fault::HangAfterAccepting => std::future::pending().await,
        _ => ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, 20500, "An internal server error has occurred")
            .into_response(),
    }
}

fn accept(exchange: &Exchange, form: &Parameters) -> Result<MessageRecord, ApiError> {
    let mut state = exchange.state();
    let draft = CheckedMessage::check(form, &state)?;
    let now = Timestamp::now();
    let has_sender = draft.from.is_some();
    let record = MessageRecord {
        sid: state.ids.sid(if draft.media_urls.is_empty() { "SM" } else { "MM" }),
        direction: MessageDirection::OutboundApi,
        num_segments: if has_sender { segments::count(&draft.body).max(1) } else { 0 },
        status: if draft.messaging_service_sid.is_some() { MessageStatus::Accepted } else { MessageStatus::Queued },
        from: draft.from,
        to: draft.to,
        body: draft.body,
        media: draft.media_urls.into_iter().map(|url| state.outbound_media(url)).collect(),
        messaging_service_sid: draft.messaging_service_sid,
        error_code: None,
        created: now,
        updated: now,
        sent: None,
        status_callback: draft.status_callback,
        keyword: None,
        validity: draft.validity,
    };
    if let (MessageStatus::Queued, Some(from)) = (record.status, &record.from) {
        state.queues.join(from, &record.sid, record.num_segments);
    }
    state.messages.push(record.clone());
    drop(state);
    exchange.publish(ExchangeEvent::Message(record.clone()));
    Ok(record)
}

pub(super) async fn list(
    State(exchange): State<Arc<Exchange>>,
    Path(account): Path<String>,
    query: Parameters,
) -> Result<Json<Value>, ApiError> {
    let paging = Paging::read(&query)?;
    let filter = ListFilter::read(&query)?;
    let state = exchange.state();
    let mut found: Vec<&MessageRecord> = state.messages.iter().rev().filter(|message| filter.admits(message)).collect();
    // Sorted by the date of sending, as at Twilio; unsent messages come first.
    found.sort_by_key(|message| (message.sent.is_some(), Reverse(message.sent)));
    let page = paging.cut(found, |message| &message.sid);
    let items = page.items.iter().map(|message| message.to_json(&account)).collect();
    let path = format!("/2010-04-01/Accounts/{account}/Messages.json");
    Ok(Json(paging.envelope_2010("messages", &path, &query, &page, items)))
}

struct ListFilter<'a> {
    to: Option<&'a str>,
    from: Option<&'a str>,
    sent_from: Option<Timestamp>,
    sent_until: Option<Timestamp>,
}

impl<'a> ListFilter<'a> {
    /// Reads the filter. `DateSent` matches a day or second; `DateSent>` and `DateSent<` are inclusive.
    fn read(query: &'a Parameters) -> Result<Self, ApiError> {
        let date = |name: &str| match query.filled(name) {
            None => Ok(None),
            Some(value) => span(value)
                .map(Some)
                .ok_or_else(|| ApiError::bad_request(20001, &format!("{name} is not a date: use YYYY-MM-DD"))),
        };
        let (on, after, before) = (date("DateSent")?, date("DateSent>")?, date("DateSent<")?);
        Ok(Self {
            to: query.filled("To"),
            from: query.filled("From"),
            sent_from: on.or(after).map(|(first, _)| first),
            sent_until: on.or(before).map(|(_, last)| last),
        })
    }

    fn admits(&self, message: &MessageRecord) -> bool {
        self.to.is_none_or(|to| message.to == to)
            && self.from.is_none_or(|from| message.from.as_deref() == Some(from))
            && self.sent_from.is_none_or(|from| message.sent.is_some_and(|sent| sent >= from))
            && self.sent_until.is_none_or(|until| message.sent.is_some_and(|sent| sent <= until))
    }
}

pub(super) async fn fetch(
    State(exchange): State<Arc<Exchange>>,
    Path((account, segment)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let state = exchange.state();
    let message = state.message(sid_of(&segment)?).ok_or_else(ApiError::not_found)?;
    Ok(Json(message.to_json(&account)))
}

/// Redacts a message: `Body` can only become empty, and only once the status is final.
pub(super) async fn update(
    State(exchange): State<Arc<Exchange>>,
    Path((account, segment)): Path<(String, String)>,
    form: Parameters,
) -> Result<Json<Value>, ApiError> {
    let sid = sid_of(&segment)?;
    let mut state = exchange.state();
    let message = state.messages.iter_mut().find(|message| message.sid == sid);
    let message = message.ok_or_else(ApiError::not_found)?;
    if form.get("Body") != Some("") {
        return Err(ApiError::bad_request(20001, "A message can only be redacted: send an empty 'Body'"));
    }
    require_rest(message)?;
    message.body.clear();
    message.updated = Timestamp::now();
    Ok(Json(message.to_json(&account)))
}

pub(super) async fn delete(
    State(exchange): State<Arc<Exchange>>,
    Path((_, segment)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let sid = sid_of(&segment)?;
    let mut state = exchange.state();
    let position = state.messages.iter().position(|message| message.sid == sid);
    let position = position.ok_or_else(ApiError::not_found)?;
    require_rest(&state.messages[position])?;
    state.messages.remove(position);
    Ok(StatusCode::NO_CONTENT)
}

/// Rejects changes with 20009, like Twilio, while a message is in transit.
fn require_rest(message: &MessageRecord) -> Result<(), ApiError> {
    if message.status.is_final() || message.status == MessageStatus::Sent {
        Ok(())
    } else {
        Err(ApiError::new(StatusCode::CONFLICT, 20009, "The message is still being sent: try again later"))
    }
}
