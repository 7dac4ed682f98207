//! `/IncomingPhoneNumbers`: the account's numbers and their webhook URLs.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::Value;

use super::ApiError;
use super::page::Paging;
use super::parameters::{Parameters, sid_of};
use super::short_codes::is_short_code;
use crate::exchange::Exchange;
use crate::number::Number;

pub(super) async fn list(State(exchange): State<Arc<Exchange>>, query: Parameters) -> Result<Json<Value>, ApiError> {
    let paging = Paging::read(&query)?;
    let state = exchange.state();
    let is_wanted = |number: &&Number| {
        !is_short_code(number)
            && query.filled("PhoneNumber").is_none_or(|part| number.phone_number.contains(part))
            && query.filled("FriendlyName").is_none_or(|name| number.setting("friendly_name") == name)
    };
    let page = paging.cut(state.numbers.iter().filter(is_wanted).collect(), |number| &number.sid);
    let account = &exchange.config.account_sid;
    let items = page.items.iter().map(|number| number.to_json(account, exchange.started)).collect();
    let path = format!("/2010-04-01/Accounts/{account}/IncomingPhoneNumbers.json");
    Ok(Json(paging.envelope_2010("incoming_phone_numbers", &path, &query, &page, items)))
}

pub(super) async fn fetch(
    State(exchange): State<Arc<Exchange>>,
    Path((account, segment)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let sid = sid_of(&segment)?;
    let state = exchange.state();
    let number = state.numbers.iter().find(|number| number.sid == sid).ok_or_else(ApiError::not_found)?;
    Ok(Json(number.to_json(&account, exchange.started)))
}

pub(super) async fn update(
    State(exchange): State<Arc<Exchange>>,
    Path((account, segment)): Path<(String, String)>,
    form: Parameters,
) -> Result<Json<Value>, ApiError> {
    form.check_urls()?;
    let sid = sid_of(&segment)?;
    let mut state = exchange.state();
    let number = state.numbers.iter_mut().find(|number| number.sid == sid);
    let number = number.ok_or_else(ApiError::not_found)?;
    for (parameter, value) in &form.0 {
        number.set_parameter(parameter, value);
    }
    Ok(Json(number.to_json(&account, exchange.started)))
}
