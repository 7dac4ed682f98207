//! `/SMS/ShortCodes`: the account's short codes and their webhook URLs.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::ApiError;
use super::page::Paging;
use super::parameters::{Parameters, sid_of};
use crate::dates::rfc2822;
use crate::exchange::Exchange;
use crate::number::{Number, NumberKind};

pub(super) async fn list(State(exchange): State<Arc<Exchange>>, query: Parameters) -> Result<Json<Value>, ApiError> {
    let paging = Paging::read(&query)?;
    let state = exchange.state();
    let is_wanted = |number: &&Number| {
        is_short_code(number) && query.filled("ShortCode").is_none_or(|part| number.phone_number.contains(part))
    };
    let page = paging.cut(state.numbers.iter().filter(is_wanted).collect(), |number| &number.sid);
    let items = page.items.iter().map(|number| to_json(&exchange, number)).collect();
    let path = format!("/2010-04-01/Accounts/{}/SMS/ShortCodes.json", exchange.config.account_sid);
    Ok(Json(paging.envelope_2010("short_codes", &path, &query, &page, items)))
}

pub(super) async fn fetch(
    State(exchange): State<Arc<Exchange>>,
    Path((_, segment)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let sid = sid_of(&segment)?;
    let state = exchange.state();
    let found = state.numbers.iter().find(|number| is_short_code(number) && number.sid == sid);
    Ok(Json(to_json(&exchange, found.ok_or_else(ApiError::not_found)?)))
}

pub(super) async fn update(
    State(exchange): State<Arc<Exchange>>,
    Path((_, segment)): Path<(String, String)>,
    form: Parameters,
) -> Result<Json<Value>, ApiError> {
    form.check_urls()?;
    let sid = sid_of(&segment)?;
    let mut state = exchange.state();
    let found = state.numbers.iter_mut().find(|number| is_short_code(number) && number.sid == sid);
    let number = found.ok_or_else(ApiError::not_found)?;
    for (parameter, value) in form.0.iter().filter(|(name, _)| name.starts_with("Sms") || name == "FriendlyName") {
        number.set_parameter(parameter, value);
    }
    Ok(Json(to_json(&exchange, number)))
}

pub(super) fn is_short_code(number: &Number) -> bool {
    NumberKind::of(&number.phone_number) == NumberKind::ShortCode
}

fn to_json(exchange: &Exchange, number: &Number) -> Value {
    let (account, sid) = (&exchange.config.account_sid, &number.sid);
    let mut json = json!({
        "sid": sid, "account_sid": account, "short_code": number.phone_number, "api_version": "2010-04-01",
        "date_created": rfc2822(exchange.started), "date_updated": rfc2822(number.updated),
        "uri": format!("/2010-04-01/Accounts/{account}/SMS/ShortCodes/{sid}.json"),
    });
    for field in ["friendly_name", "sms_url", "sms_method", "sms_fallback_url", "sms_fallback_method"] {
        json[field] = json!(number.setting(field));
    }
    json
}
