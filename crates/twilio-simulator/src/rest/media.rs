//! `/Messages/{sid}/Media`: the files of a message. Their contents are behind a redirect.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;

use super::ApiError;
use super::page::Paging;
use super::parameters::{Parameters, sid_of};
use crate::cdn;
use crate::exchange::Exchange;
use crate::misbehavior::Fault;

pub(super) async fn list(
    State(exchange): State<Arc<Exchange>>,
    Path((account, sid)): Path<(String, String)>,
    query: Parameters,
) -> Result<Json<Value>, ApiError> {
    let paging = Paging::read(&query)?;
    let state = exchange.state();
    let message = state.message(&sid).ok_or_else(ApiError::not_found)?;
    let page = paging.cut(message.media.iter().filter(|media| media.is_here()).collect(), |media| &media.sid);
    let items = page.items.iter().map(|media| media.to_json(&account, &message.sid, message.created)).collect();
    let path = format!("/2010-04-01/Accounts/{account}/Messages/{sid}/Media.json");
    Ok(Json(paging.envelope_2010("media_list", &path, &query, &page, items)))
}

/// Returns the description for a path that ends in `.json`, else a redirect to the file.
pub(super) async fn fetch(
    State(exchange): State<Arc<Exchange>>,
    Path((account, sid, segment)): Path<(String, String, String)>,
) -> Result<Response, ApiError> {
    let wanted = sid_of(&segment).unwrap_or(&segment);
    let described = {
        let mut state = exchange.state();
        let is_late = wanted == segment && state.misbehavior.strikes(Fault::MediaLate);
        let message = state.message(&sid).ok_or_else(ApiError::not_found)?;
        let media = message.media.iter().find(|media| media.sid == wanted && media.is_here() && !is_late);
        media.ok_or_else(ApiError::not_found)?.to_json(&account, &message.sid, message.created)
    };
    if wanted != segment {
        return Ok(Json(described).into_response());
    }
    let status = StatusCode::from_u16(exchange.config.media_redirect).unwrap_or(StatusCode::TEMPORARY_REDIRECT);
    Ok((status, [(LOCATION, cdn::sign(&exchange, &sid, wanted))]).into_response())
}

/// Accepts the path with and without `.json`.
pub(super) async fn delete(
    State(exchange): State<Arc<Exchange>>,
    Path((_, sid, segment)): Path<(String, String, String)>,
) -> Result<StatusCode, ApiError> {
    let wanted = sid_of(&segment).unwrap_or(&segment);
    let mut state = exchange.state();
    let message = state.messages.iter_mut().find(|message| message.sid == sid);
    let files = &mut message.ok_or_else(ApiError::not_found)?.media;
    let position = files.iter().position(|file| file.sid == wanted).ok_or_else(ApiError::not_found)?;
    files.remove(position);
    Ok(StatusCode::NO_CONTENT)
}
