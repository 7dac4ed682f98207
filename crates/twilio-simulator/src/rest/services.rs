//! Messaging v1 `/Services`: the account's messaging services and their senders.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::ApiError;
use super::page::Paging;
use super::parameters::Parameters;
use super::short_codes::is_short_code;
use crate::dates::iso8601;
use crate::exchange::Exchange;
use crate::number::Number;

pub(super) async fn list(State(exchange): State<Arc<Exchange>>, query: Parameters) -> Result<Json<Value>, ApiError> {
    let paging = Paging::read(&query)?;
    let state = exchange.state();
    let page = paging.cut(state.services.iter().collect(), |service| &service.sid);
    let (account, base) = (&exchange.config.account_sid, &exchange.base_url);
    let items = page.items.iter().map(|service| service.to_json(account, base, exchange.started)).collect();
    Ok(Json(paging.envelope_v1("services", &format!("{base}/v1/Services"), &query, &page, items)))
}

pub(super) async fn fetch(
    State(exchange): State<Arc<Exchange>>,
    Path(sid): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let state = exchange.state();
    let service = state.services.iter().find(|service| service.sid == sid).ok_or_else(ApiError::not_found)?;
    Ok(Json(service.to_json(&exchange.config.account_sid, &exchange.base_url, exchange.started)))
}

pub(super) async fn update(
    State(exchange): State<Arc<Exchange>>,
    Path(sid): Path<String>,
    form: Parameters,
) -> Result<Json<Value>, ApiError> {
    form.check_urls()?;
    let mut state = exchange.state();
    let service = state.services.iter_mut().find(|service| service.sid == sid);
    let service = service.ok_or_else(ApiError::not_found)?;
    for (parameter, value) in &form.0 {
        service.set(parameter, value);
    }
    Ok(Json(service.to_json(&exchange.config.account_sid, &exchange.base_url, exchange.started)))
}

/// Lists the service's campaign: one or none.
pub(super) async fn campaigns(
    State(exchange): State<Arc<Exchange>>,
    Path(sid): Path<String>,
    query: Parameters,
) -> Result<Json<Value>, ApiError> {
    let paging = Paging::read(&query)?;
    let state = exchange.state();
    let service = state.services.iter().find(|service| service.sid == sid).ok_or_else(ApiError::not_found)?;
    let campaign = service.campaign(&exchange.config.account_sid, &exchange.base_url, exchange.started);
    let page = paging.cut(campaign.iter().collect(), |_| &service.sid);
    let items = page.items.iter().map(|campaign| (*campaign).clone()).collect();
    let url = format!("{}/v1/Services/{sid}/Compliance/Usa2p", exchange.base_url);
    Ok(Json(paging.envelope_v1("compliance", &url, &query, &page, items)))
}

/// Lists the service's senders without short codes.
pub(super) async fn numbers(
    State(exchange): State<Arc<Exchange>>,
    Path(sid): Path<String>,
    query: Parameters,
) -> Result<Json<Value>, ApiError> {
    senders(&exchange, &sid, &query, Senders::Numbers)
}

/// Lists the service's short codes.
pub(super) async fn short_codes(
    State(exchange): State<Arc<Exchange>>,
    Path(sid): Path<String>,
    query: Parameters,
) -> Result<Json<Value>, ApiError> {
    senders(&exchange, &sid, &query, Senders::ShortCodes)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Senders {
    Numbers,
    ShortCodes,
}

fn senders(exchange: &Exchange, sid: &str, query: &Parameters, of: Senders) -> Result<Json<Value>, ApiError> {
    let (folder, list, field) = match of {
        Senders::Numbers => ("PhoneNumbers", "phone_numbers", "phone_number"),
        Senders::ShortCodes => ("ShortCodes", "short_codes", "short_code"),
    };
    let paging = Paging::read(query)?;
    let state = exchange.state();
    let service = state.services.iter().find(|service| service.sid == sid).ok_or_else(ApiError::not_found)?;
    let senders = service.numbers.iter().filter_map(|number| state.number(number));
    let senders = senders.filter(|number| is_short_code(number) == (of == Senders::ShortCodes)).collect();
    let page = paging.cut(senders, |number| &number.sid);
    let url = format!("{}/v1/Services/{sid}/{folder}", exchange.base_url);
    let created = iso8601(exchange.started);
    let item = |number: &&Number| {
        let mut item = json!({
            "sid": number.sid, "account_sid": exchange.config.account_sid, "service_sid": sid,
            "country_code": "US", "capabilities": number.capabilities.names(),
            "date_created": created, "date_updated": created, "url": format!("{url}/{}", number.sid),
        });
        item[field] = json!(number.phone_number);
        item
    };
    let items = page.items.iter().map(item).collect();
    Ok(Json(paging.envelope_v1(list, &url, query, &page, items)))
}
