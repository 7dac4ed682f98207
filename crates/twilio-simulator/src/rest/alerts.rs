//! Monitor v1 `/Alerts`: Twilio's complaints. Only a single alert shows the request and the response.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::Value;

use super::ApiError;
use super::page::Paging;
use super::parameters::Parameters;
use crate::alert::AlertRecord;
use crate::dates::{Span, span};
use crate::exchange::Exchange;

pub(super) async fn list(State(exchange): State<Arc<Exchange>>, query: Parameters) -> Result<Json<Value>, ApiError> {
    let paging = Paging::read(&query)?;
    let state = exchange.state();
    let (from, until) = (date(&query, "StartDate")?, date(&query, "EndDate")?);
    let is_wanted = |alert: &&AlertRecord| {
        query.filled("LogLevel").is_none_or(|level| level == "error")
            && from.is_none_or(|(first, _)| alert.at >= first)
            && until.is_none_or(|(_, last)| alert.at <= last)
    };
    let page = paging.cut(state.alerts.iter().rev().filter(is_wanted).collect(), |alert| &alert.sid);
    let base = &exchange.base_url;
    let items = page.items.iter().map(|alert| alert.to_json(&exchange.config.account_sid, base)).collect();
    Ok(Json(paging.envelope_v1("alerts", &format!("{base}/v1/Alerts"), &query, &page, items)))
}

fn date(query: &Parameters, name: &str) -> Result<Option<Span>, ApiError> {
    let malformed = || ApiError::bad_request(20001, &format!("{name} is not a date: use YYYY-MM-DDThh:mm:ssZ"));
    query.filled(name).map(|value| span(value).ok_or_else(malformed)).transpose()
}

/// Returns one alert, with the request and the response.
pub(super) async fn fetch(
    State(exchange): State<Arc<Exchange>>,
    Path(sid): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let state = exchange.state();
    let alert = state.alerts.iter().find(|alert| alert.sid == sid).ok_or_else(ApiError::not_found)?;
    Ok(Json(alert.to_full_json(&exchange.config.account_sid, &exchange.base_url)))
}
