//! `/Calls`: create, list, fetch, update, hang up.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::sleep;

use super::ApiError;
use super::draft::normalize;
use super::messages::{PlannedFaults, end_badly};
use super::page::Paging;
use super::parameters::{Parameters, sid_of};
use crate::call::{CallRecord, SimulatedCallStatus};
use crate::calling::phone::send;
use crate::calling::wires::{DocumentSource, PhoneInput};
use crate::calling::{self, Detection, Placement};
use crate::exchange::{Exchange, ExchangeEvent};
use crate::log::LogPosition;
use crate::misbehavior::Fault;
use crate::webhook::request::WebhookTarget;

/// The longest call, in seconds: one day.
const LONGEST_CALL: u32 = 86_400;

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
    let placement = placement(&form)?;
    let (record, inputs) = accept(&exchange, &form)?;
    exchange.state().log.note_about(place, &record.sid);
    exchange.publish(ExchangeEvent::Call(record.clone()));
    calling::place(&exchange, record.sid.clone(), inputs, placement);
    match plan.ending {
        Some(fault) => Ok(end_badly(fault).await),
        None => Ok((StatusCode::CREATED, Json(record.to_json(&exchange.config.account_sid))).into_response()),
    }
}

/// Validates the call's document, ringing time and machine detection.
fn placement(form: &Parameters) -> Result<Placement, ApiError> {
    form.check_urls()?;
    let source = source(form).ok_or_else(|| ApiError::bad_request(21205, "A 'Url' or 'Twiml' is required"))?;
    let callback = form.filled("AsyncAmdStatusCallback").map(|url| WebhookTarget::post(url.to_owned()));
    let is_async = form.filled("AsyncAmd") == Some("true");
    let detection = match form.filled("MachineDetection") {
        None => None,
        Some("Enable") => Some("machine_start"),
        Some("DetectMessageEnd") => Some("machine_end_beep"),
        Some(_) => return Err(ApiError::bad_request(20001, "MachineDetection is Enable or DetectMessageEnd")),
    };
    let detection = detection.map(|machine| Detection { machine, callback: callback.filter(|_| is_async) });
    let keys = form.filled("SendDigits").map(str::to_owned);
    if keys.as_ref().is_some_and(|keys| !keys.chars().all(|key| "0123456789*#wW".contains(key))) {
        return Err(ApiError::bad_request(13212, "SendDigits contains digits, *, #, w and W"));
    }
    Ok(Placement { source, ring_seconds: seconds(form, "Timeout", 600)?.unwrap_or(60), detection, keys })
}

/// Returns the document that a request names or contains.
fn source(form: &Parameters) -> Option<DocumentSource> {
    if let Some(url) = form.filled("Url") {
        let endpoint = WebhookTarget::new(url.to_owned(), form.filled("Method").unwrap_or_default());
        return Some(DocumentSource::Url(endpoint, Vec::new()));
    }
    form.filled("Twiml").map(|text| DocumentSource::Twiml(text.to_owned()))
}

/// Parses a number of seconds from 1 to `most`.
fn seconds(form: &Parameters, name: &str, most: u32) -> Result<Option<u32>, ApiError> {
    let Some(value) = form.filled(name) else { return Ok(None) };
    let seconds = value.parse().ok().filter(|seconds| (1..=most).contains(seconds));
    seconds.map(Some).ok_or_else(|| ApiError::bad_request(20001, &format!("{name} is a number from 1 to {most}")))
}

fn events(form: &Parameters) -> Vec<String> {
    form.all("StatusCallbackEvent").flat_map(str::split_whitespace).map(str::to_owned).collect()
}

fn accept(
    exchange: &Arc<Exchange>,
    form: &Parameters,
) -> Result<(CallRecord, UnboundedReceiver<PhoneInput>), ApiError> {
    let to = form.filled("To").ok_or_else(|| ApiError::bad_request(21201, "A 'To' number is required"))?;
    let from = form.filled("From").ok_or_else(|| ApiError::bad_request(21213, "A 'From' number is required"))?;
    let to = normalize(to).ok_or_else(|| ApiError::bad_request(21217, "The 'To' number is not valid"))?;
    let time_limit = seconds(form, "TimeLimit", LONGEST_CALL)?;
    let mut state = exchange.state();
    if state.number(from).is_none() {
        return Err(ApiError::bad_request(21210, "The 'From' number is not one of this account"));
    }
    if !state.account.reaches(&to) {
        return Err(ApiError::bad_request(21219, "The 'To' number is unverified: a trial account may not call it"));
    }
    let mut record = CallRecord::new(state.ids.sid("CA"), false, from.to_owned(), to);
    record.status_callback = form.filled("StatusCallback").map(str::to_owned);
    let events = events(form);
    if !events.is_empty() {
        record.status_events = events;
    }
    if let Some(seconds) = time_limit {
        record.time_limit = Duration::from_secs(seconds.into());
    }
    let inputs = calling::open(exchange, &mut state, record.clone());
    Ok((record, inputs))
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

/// Updates a call: its document, time limit or callbacks, or ends it.
pub(super) async fn update(
    State(exchange): State<Arc<Exchange>>,
    Path((account, segment)): Path<(String, String)>,
    form: Parameters,
) -> Result<Json<Value>, ApiError> {
    let sid = sid_of(&segment)?;
    form.check_urls()?;
    let current = exchange.state().call(sid).map(|call| call.status).ok_or_else(ApiError::not_found)?;
    let over = || ApiError::bad_request(21220, "The call is not in progress, it cannot be changed");
    let (limit, source) = (seconds(&form, "TimeLimit", LONGEST_CALL)?, source(&form));
    let status = match form.filled("Status") {
        None => None,
        Some("completed") => Some(SimulatedCallStatus::Completed),
        Some("canceled") if current != SimulatedCallStatus::InProgress => Some(SimulatedCallStatus::Canceled),
        Some("canceled") => return Err(over()),
        Some(_) => return Err(ApiError::bad_request(20001, "Status is completed or canceled")),
    };
    if current.is_final() || (source.is_some() && current != SimulatedCallStatus::InProgress) {
        return Err(over());
    }
    calling::update(&exchange, sid, |call| change_reports(call, &form));
    if let Some(seconds) = limit
        && !exchange.state().misbehavior.strikes(Fault::IgnoreTimeLimit)
    {
        send(&exchange, sid, PhoneInput::Limit(seconds)).map_err(|_| over())?;
    }
    if let Some(source) = source {
        send(&exchange, sid, PhoneInput::Replace(source)).map_err(|_| over())?;
    }
    if let Some(status) = status
        && !calling::change(&exchange, sid, status)
    {
        return Err(over());
    }
    let state = exchange.state();
    let call = state.call(sid).ok_or_else(ApiError::not_found)?;
    Ok(Json(call.to_json(&account)))
}

fn change_reports(call: &mut CallRecord, form: &Parameters) {
    if let Some(url) = form.filled("StatusCallback") {
        call.status_callback = Some(url.to_owned());
    }
    let events = events(form);
    if !events.is_empty() {
        call.status_events = events;
    }
}
