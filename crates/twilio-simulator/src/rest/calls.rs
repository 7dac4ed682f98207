//! `/Calls`: place, list, fetch, hang up.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::Value;
use time::OffsetDateTime;

use super::ApiError;
use super::draft::normalize;
use super::page::Paging;
use super::parameters::{Parameters, sid_of};
use crate::call::{CallRecord, CallStatus};
use crate::calling;
use crate::exchange::{Event, Exchange};

pub(super) async fn create(
    State(exchange): State<Arc<Exchange>>,
    form: Parameters,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let record = accept(&exchange, &form)?;
    exchange.publish(Event::Call(record.clone()));
    calling::place(&exchange, record.sid.clone(), form.filled("Url").map(str::to_owned));
    Ok((StatusCode::CREATED, Json(record.to_json(&exchange.config.account_sid))))
}

fn accept(exchange: &Exchange, form: &Parameters) -> Result<CallRecord, ApiError> {
    let to = form.filled("To").ok_or_else(|| ApiError::bad_request(21201, "A 'To' number is required"))?;
    let from = form.filled("From").ok_or_else(|| ApiError::bad_request(21213, "A 'From' number is required"))?;
    if form.filled("Url").is_none() && form.filled("Twiml").is_none() {
        return Err(ApiError::bad_request(21205, "A 'Url' or 'Twiml' is required"));
    }
    let to = normalize(to).ok_or_else(|| ApiError::bad_request(21217, "The 'To' number is not valid"))?;
    let mut state = exchange.state();
    if state.number(from).is_none() {
        return Err(ApiError::bad_request(21210, "The 'From' number is not one of this account"));
    }
    if !state.account.reaches(&to) {
        return Err(ApiError::bad_request(21219, "The 'To' number is unverified: a trial account may not call it"));
    }
    let mut events: Vec<String> =
        form.all("StatusCallbackEvent").flat_map(str::split_whitespace).map(str::to_owned).collect();
    if events.is_empty() {
        events.push("completed".to_owned());
    }
    let record = CallRecord {
        sid: state.ids.sid("CA"),
        is_inbound: false,
        from: from.to_owned(),
        to,
        status: CallStatus::Queued,
        created: OffsetDateTime::now_utc(),
        answered: None,
        ended: None,
        status_callback: form.filled("StatusCallback").map(str::to_owned),
        status_events: events,
        reported: 0,
    };
    state.calls.push(record.clone());
    Ok(record)
}

pub(super) async fn list(State(exchange): State<Arc<Exchange>>, query: Parameters) -> Result<Json<Value>, ApiError> {
    let paging = Paging::read(&query)?;
    let state = exchange.state();
    let is_wanted = |call: &&CallRecord| {
        query.filled("To").is_none_or(|to| call.to == to)
            && query.filled("From").is_none_or(|from| call.from == from)
            && query.filled("Status").is_none_or(|status| call.status.as_str() == status)
    };
    let page = paging.cut(state.calls.iter().rev().filter(is_wanted).collect(), |call| &call.sid);
    let account = &exchange.config.account_sid;
    let items = page.items.iter().map(|call| call.to_json(account)).collect();
    let path = format!("/2010-04-01/Accounts/{account}/Calls.json");
    Ok(Json(paging.envelope_2010("calls", &path, &query, &page, items)))
}

pub(super) async fn fetch(
    State(exchange): State<Arc<Exchange>>,
    Path((account, segment)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let sid = sid_of(&segment)?;
    let state = exchange.state();
    let call = state.calls.iter().find(|call| call.sid == sid).ok_or_else(ApiError::not_found)?;
    Ok(Json(call.to_json(&account)))
}

/// Hangs up (`Status=completed`) or calls off (`Status=canceled`).
pub(super) async fn update(
    State(exchange): State<Arc<Exchange>>,
    Path((account, segment)): Path<(String, String)>,
    form: Parameters,
) -> Result<Json<Value>, ApiError> {
    let sid = sid_of(&segment)?;
    let current = exchange.state().calls.iter().find(|call| call.sid == sid).map(|call| call.status);
    let current = current.ok_or_else(ApiError::not_found)?;
    let over = || ApiError::bad_request(21220, "The call is not in progress, it cannot be changed");
    let status = match form.get("Status") {
        Some("completed") => CallStatus::Completed,
        Some("canceled") if current != CallStatus::InProgress => CallStatus::Canceled,
        Some("canceled") => return Err(over()),
        _ => return Err(ApiError::bad_request(20422, "The simulator changes calls by 'Status' only")),
    };
    let ended = calling::end(&exchange, sid, status).ok_or_else(over)?;
    Ok(Json(ended.to_json(&account)))
}
