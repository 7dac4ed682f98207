//! `/Accounts`, `/Keys`, `/Balance` and `/OutgoingCallerIds`: the account itself. Standard API keys have no access to
//! the first two.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::ApiError;
use super::auth::Caller;
use super::page::Paging;
use super::parameters::Parameters;
use crate::config::ApiKey;
use crate::dates::rfc2822;
use crate::exchange::Exchange;

pub(super) async fn list(
    State(exchange): State<Arc<Exchange>>,
    Extension(caller): Extension<Caller>,
    query: Parameters,
) -> Result<Json<Value>, ApiError> {
    require_account(caller)?;
    let paging = Paging::read(&query)?;
    let page = paging.cut(vec![exchange.config.account_sid.as_str()], |sid| sid);
    let accounts = page.items.iter().map(|_| account(&exchange)).collect();
    Ok(Json(paging.envelope_2010("accounts", "/2010-04-01/Accounts.json", &query, &page, accounts)))
}

pub(super) async fn fetch(
    State(exchange): State<Arc<Exchange>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Value>, ApiError> {
    require_account(caller)?;
    Ok(Json(account(&exchange)))
}

/// Lists the API keys, without their secrets.
pub(super) async fn keys(
    State(exchange): State<Arc<Exchange>>,
    Extension(caller): Extension<Caller>,
    query: Parameters,
) -> Result<Json<Value>, ApiError> {
    require_account(caller)?;
    let paging = Paging::read(&query)?;
    let created = rfc2822(exchange.started);
    let page = paging.cut(exchange.config.api_keys.iter().collect(), |key| &key.sid);
    let shown = |key: &&ApiKey| json!({"sid": key.sid, "friendly_name": "Simulated key", "date_created": created, "date_updated": created});
    let items = page.items.iter().map(shown).collect();
    let path = format!("/2010-04-01/Accounts/{}/Keys.json", exchange.config.account_sid);
    Ok(Json(paging.envelope_2010("keys", &path, &query, &page, items)))
}

pub(super) async fn balance(State(exchange): State<Arc<Exchange>>) -> Json<Value> {
    let balance = exchange.state().account.balance.clone();
    Json(json!({"account_sid": exchange.config.account_sid, "balance": balance, "currency": "USD"}))
}

/// Lists the numbers that a trial account may text and call.
pub(super) async fn verified(
    State(exchange): State<Arc<Exchange>>,
    query: Parameters,
) -> Result<Json<Value>, ApiError> {
    let paging = Paging::read(&query)?;
    let account = &exchange.config.account_sid;
    let folder = format!("/2010-04-01/Accounts/{account}/OutgoingCallerIds");
    let created = rfc2822(exchange.started);
    // Derives a stable SID from the digits.
    let identify = |number: &String| format!("PN{:0>32}", number.trim_start_matches('+'));
    let wanted = |number: &&String| query.filled("PhoneNumber").is_none_or(|wanted| *number == wanted);
    let state = exchange.state();
    let numbers: Vec<(String, &String)> =
        state.account.verified_numbers.iter().filter(wanted).map(|number| (identify(number), number)).collect();
    let page = paging.cut(numbers, |(sid, _)| sid);
    let shown = |(sid, number): &(String, &String)| {
        json!({
            "sid": sid, "account_sid": account, "friendly_name": number, "phone_number": number,
            "date_created": created, "date_updated": created, "uri": format!("{folder}/{sid}.json"),
        })
    };
    let items = page.items.iter().map(shown).collect();
    Ok(Json(paging.envelope_2010("outgoing_caller_ids", &format!("{folder}.json"), &query, &page, items)))
}

fn require_account(caller: Caller) -> Result<(), ApiError> {
    if caller == Caller::Account { Ok(()) } else { Err(ApiError::unauthorized()) }
}

fn account(exchange: &Exchange) -> Value {
    let state = exchange.state();
    state.account.to_json(&exchange.config.account_sid, &state.auth_token, exchange.started)
}
