//! The REST API: its routes, request log and common headers. Each resource has a submodule.

mod accounts;
mod alerts;
mod auth;
mod calls;
mod draft;
mod error;
mod media;
mod messages;
mod numbers;
mod page;
mod parameters;
mod services;
mod short_codes;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use crate::exchange::{Exchange, ExchangeEvent};
use crate::log::{AnswerDetail, LogKind, LogPosition, RequestDetail, event};
use crate::misbehavior::Fault;
use crate::server::is_cut;
pub(crate) use error::ApiError;
use parameters::read_ahead;

/// Returns the routes of all API versions.
pub(crate) fn router(exchange: &Arc<Exchange>) -> Router {
    Router::new()
        .route("/2010-04-01/Accounts.json", get(accounts::list))
        .route("/2010-04-01/Accounts/{account}", get(accounts::fetch))
        .route("/2010-04-01/Accounts/{account}/Balance.json", get(accounts::balance))
        .route("/2010-04-01/Accounts/{account}/Keys.json", get(accounts::keys))
        .route("/2010-04-01/Accounts/{account}/OutgoingCallerIds.json", get(accounts::verified))
        .route("/2010-04-01/Accounts/{account}/Messages.json", get(messages::list).post(messages::create))
        .route(
            "/2010-04-01/Accounts/{account}/Messages/{sid}",
            get(messages::fetch).post(messages::update).delete(messages::delete),
        )
        .route("/2010-04-01/Accounts/{account}/Messages/{sid}/Media.json", get(media::list))
        .route("/2010-04-01/Accounts/{account}/Messages/{sid}/Media/{media}", get(media::fetch).delete(media::delete))
        .route("/2010-04-01/Accounts/{account}/SMS/ShortCodes.json", get(short_codes::list))
        .route("/2010-04-01/Accounts/{account}/SMS/ShortCodes/{sid}", get(short_codes::fetch).post(short_codes::update))
        .route("/2010-04-01/Accounts/{account}/IncomingPhoneNumbers.json", get(numbers::list))
        .route("/2010-04-01/Accounts/{account}/IncomingPhoneNumbers/{sid}", get(numbers::fetch).post(numbers::update))
        .route("/2010-04-01/Accounts/{account}/Calls.json", get(calls::list).post(calls::create))
        .route("/2010-04-01/Accounts/{account}/Calls/{sid}", get(calls::fetch).post(calls::update))
        .route("/v1/Services", get(services::list))
        .route("/v1/Services/{sid}", get(services::fetch).post(services::update))
        .route("/v1/Services/{sid}/PhoneNumbers", get(services::numbers))
        .route("/v1/Services/{sid}/ShortCodes", get(services::short_codes))
        .route("/v1/Services/{sid}/Compliance/Usa2p", get(services::campaigns))
        .route("/v1/Alerts", get(alerts::list))
        .route("/v1/Alerts/{sid}", get(alerts::fetch))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(Arc::clone(exchange), refuse_absent))
        .layer(from_fn_with_state(Arc::clone(exchange), auth::authenticate))
        .layer(from_fn(name_what_is_missing))
        .layer(from_fn_with_state(Arc::clone(exchange), fail_for_a_while))
        .layer(from_fn_with_state(Arc::clone(exchange), record))
        .with_state(Arc::clone(exchange))
}

async fn not_found() -> ApiError {
    ApiError::not_found()
}

/// Puts the request's path into every 404, as Twilio does.
async fn name_what_is_missing(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let response = next.run(request).await;
    if response.status() == StatusCode::NOT_FOUND { ApiError::nothing_at(&path).into_response() } else { response }
}

async fn method_not_allowed() -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, 20004, "Method not allowed")
}

async fn fail_for_a_while(State(exchange): State<Arc<Exchange>>, request: Request, next: Next) -> Response {
    let is_read = request.method() == Method::GET;
    let path = request.uri().path();
    let is_creation =
        request.method() == Method::POST && (path.ends_with("/Messages.json") || path.ends_with("/Calls.json"));
    let is_wanted = |fault| match fault {
        Fault::Outage | Fault::RefuseAccount { .. } => true,
        Fault::ReadsUnavailable | Fault::ReadsHang | Fault::RefuseReads { .. } => is_read,
        Fault::RefuseSends { .. } => is_creation,
        _ => false,
    };
    let fault = exchange.state().misbehavior.first(is_wanted);
    match fault {
        None => next.run(request).await,
        Some(Fault::RefuseAccount { code } | Fault::RefuseSends { code } | Fault::RefuseReads { code }) => {
            ApiError::of_account(code).into_response()
        }
        Some(Fault::ReadsHang) => std::future::pending().await,
        Some(_) => ApiError::new(StatusCode::SERVICE_UNAVAILABLE, 20503, "Service unavailable").into_response(),
    }
}

/// Rejects requests for an inactive account or an unavailable product.
async fn refuse_absent(State(exchange): State<Arc<Exchange>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let own = format!("/2010-04-01/Accounts/{}", exchange.config.account_sid);
    let (is_active, is_missing) = {
        let state = exchange.state();
        let below = path.strip_prefix(&own).unwrap_or(path);
        (state.account.is_active(), state.missing.iter().any(|missing| below.starts_with(missing)))
    };
    if !is_active && path.strip_prefix(&own) != Some(".json") {
        return ApiError::new(StatusCode::UNAUTHORIZED, 20005, "Account not active").into_response();
    }
    if is_missing { ApiError::not_found().into_response() } else { next.run(request).await }
}

/// Counts a request while it is in flight and reports its end, even if the client disconnected.
struct RequestInFlight<'a> {
    exchange: &'a Exchange,
    place: LogPosition,
}

impl Drop for RequestInFlight<'_> {
    fn drop(&mut self) {
        let entry = {
            let mut state = self.exchange.state();
            state.requests_in_flight -= 1;
            state.log.entry(self.place)
        };
        if let Some(entry) = entry {
            self.exchange.publish(ExchangeEvent::Request(entry));
        }
    }
}

/// Logs a request with its answer and adds the common headers.
async fn record(State(exchange): State<Arc<Exchange>>, mut request: Request, next: Next) -> Response {
    let target = request.uri().path_and_query().map_or_else(String::new, ToString::to_string);
    let (place, request_id, concurrent) = {
        let mut state = exchange.state();
        state.requests_in_flight += 1;
        let name = event::of_request(request.method(), &target);
        let place = state.log.open(LogKind::Rest, name, request.method().as_str(), &target, sid_in(&target));
        (place, state.ids.sid("RQ"), state.requests_in_flight)
    };
    exchange.wake();
    let _in_flight = RequestInFlight { exchange: &exchange, place };
    request.extensions_mut().insert(place);
    let mut response = match read_ahead(request).await {
        Ok((parameters, request)) => {
            let asked = RequestDetail::new(request.headers(), &parameters.0, None);
            let phone = parameters.get("To").filter(|_| request.method() == Method::POST);
            {
                let mut state = exchange.state();
                state.log.note_asked(place, asked);
                state.log.note_phone(place, phone);
            }
            next.run(request).await
        }
        Err(refusal) => refusal.into_response(),
    };
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        headers.insert("Twilio-Request-Id", value);
    }
    headers.insert("Twilio-Concurrent-Requests", HeaderValue::from(concurrent));
    let (answered, response) = AnswerDetail::of(response).await;
    if is_cut(&response) {
        exchange.state().log.fail(place, "the connection was cut instead of an answer".to_owned());
    } else {
        exchange.state().log.close(place, response.status().as_u16(), answered);
    }
    response
}

/// Returns the SID of the message or call in a path.
fn sid_in(target: &str) -> Option<&str> {
    let words = target.split(['/', '.', '?']);
    words.filter(|word| word.len() == 34).find(|word| ["SM", "MM", "CA"].iter().any(|kind| word.starts_with(kind)))
}
