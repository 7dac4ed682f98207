//! Authentication: HTTP Basic with the account's token or an API key, for this account only.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::ApiError;
use crate::exchange::Exchange;

/// The kind of credentials in a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    Account,
    ApiKey,
}

pub(super) async fn authenticate(State(exchange): State<Arc<Exchange>>, mut request: Request, next: Next) -> Response {
    let Some(caller) = identify(&exchange, request.headers()) else { return ApiError::unauthorized().into_response() };
    if !is_about(&exchange.config.account_sid, request.uri().path()) {
        return ApiError::not_found().into_response();
    }
    request.extensions_mut().insert(caller);
    next.run(request).await
}

fn identify(exchange: &Exchange, headers: &HeaderMap) -> Option<Caller> {
    let encoded = headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    let config = &exchange.config;
    if user == config.account_sid && password == exchange.state().auth_token {
        return Some(Caller::Account);
    }
    config.api_keys.iter().any(|key| user == key.sid && password == key.secret).then_some(Caller::ApiKey)
}

fn is_about(account: &str, path: &str) -> bool {
    match path.strip_prefix("/2010-04-01/Accounts/") {
        Some(rest) => rest.split('/').next().is_some_and(|first| first.trim_end_matches(".json") == account),
        None => true,
    }
}
