//! File storage: a separate listener with signed URLs that expire. Twilio's media URLs redirect here.
//!
//! Like the storage behind Twilio, it rejects requests with an `Authorization` header: clients must not forward the
//! account's credentials to a redirect's target.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde::Deserialize;
use sha1::Sha1;

use crate::exchange::{Exchange, ExchangeEvent};
use crate::log::{AnswerDetail, LogKind, RequestDetail, event};
use crate::misbehavior::Fault;

/// Returns the routes of the storage listener.
pub(crate) fn router(exchange: &Arc<Exchange>) -> Router {
    Router::new().route("/{message}/{media}", get(file)).with_state(Arc::clone(exchange))
}

/// Returns a URL under which a file is available for a while; already expired if [`Fault::MediaLinkExpired`] strikes.
pub(crate) fn sign(exchange: &Exchange, message: &str, media: &str) -> String {
    let is_stale = exchange.state().misbehavior.strikes(Fault::MediaLinkExpired);
    let now = Timestamp::now();
    let end = if is_stale { now - Duration::from_secs(60) } else { now + exchange.config.media_link_lifetime };
    let expires = end.as_second();
    let signature = signature(exchange, message, media, expires);
    format!("{}/{message}/{media}?Expires={expires}&Signature={signature}", exchange.cdn_url)
}

fn signature(exchange: &Exchange, message: &str, media: &str, expires: i64) -> String {
    // HMAC accepts keys of any length.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(&exchange.cdn_key) else { return String::new() };
    mac.update(format!("/{message}/{media}?{expires}").as_bytes());
    URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}

#[derive(Deserialize)]
struct Ticket {
    #[serde(rename = "Expires")]
    expires: i64,
    #[serde(rename = "Signature")]
    signature: String,
}

async fn file(
    State(exchange): State<Arc<Exchange>>,
    Path((message, media)): Path<(String, String)>,
    Query(ticket): Query<Ticket>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let place = {
        let target = format!("{}{}", exchange.cdn_url, uri.path());
        let mut state = exchange.state();
        let place = state.log.open(LogKind::Cdn, event::of_file(&method), method.as_str(), &target, Some(&message));
        state.log.note_asked(place, RequestDetail::new(&headers, &[], None));
        place
    };
    let response = answer(&exchange, &message, &media, &ticket, headers.contains_key(AUTHORIZATION));
    let (answered, response) = AnswerDetail::of(response).await;
    let entry = {
        let mut state = exchange.state();
        state.log.close(place, response.status().as_u16(), answered);
        state.log.entry(place)
    };
    if let Some(entry) = entry {
        exchange.publish(ExchangeEvent::Request(entry));
    }
    response
}

fn answer(exchange: &Exchange, message: &str, media: &str, ticket: &Ticket, brings_credentials: bool) -> Response {
    if brings_credentials {
        return refuse(StatusCode::BAD_REQUEST, "InvalidArgument", "Only one way to authenticate is allowed");
    }
    if ticket.signature != signature(exchange, message, media, ticket.expires) {
        return refuse(StatusCode::FORBIDDEN, "SignatureDoesNotMatch", "The address was not signed like this");
    }
    if Timestamp::now().as_second() > ticket.expires {
        return refuse(StatusCode::FORBIDDEN, "AccessDenied", "The address has expired");
    }
    let state = exchange.state();
    let found = state.message(message).and_then(|message| message.media.iter().find(|file| file.sid == media));
    match found {
        Some(file) => ([(CONTENT_TYPE, file.content_type.clone())], file.bytes.clone()).into_response(),
        None => refuse(StatusCode::NOT_FOUND, "NoSuchKey", "The file does not exist"),
    }
}

/// Returns an error in the XML of file stores, unlike Twilio's JSON.
fn refuse(status: StatusCode, code: &str, message: &str) -> Response {
    let body = format!("<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    (status, [(CONTENT_TYPE, "application/xml")], body).into_response()
}
