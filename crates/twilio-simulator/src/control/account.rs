//! Control of the account: type and status, numbers, services, alerts, unavailable products.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::account::{AccountStatus, AccountType};
use crate::alert::AlertRecord;
use crate::exchange::Exchange;
use crate::number::{Number, NumberCapabilities};
use crate::service::Service;

pub(super) async fn show(State(exchange): State<Arc<Exchange>>) -> Json<Value> {
    let pacing = exchange.state().queues.pacing;
    let numbers: Vec<String> = exchange.state().numbers.iter().map(|number| number.phone_number.clone()).collect();
    let has_operator = exchange.has_operator;
    Json(json!({"sid": exchange.config.account_sid, "numbers": numbers, "hasOperator": has_operator, "pacing": pacing}))
}

#[derive(Deserialize)]
pub(super) struct AccountChange {
    #[serde(rename = "type")]
    account_type: Option<AccountType>,
    status: Option<AccountStatus>,
    balance: Option<String>,
    verified: Option<Vec<String>>,
    #[serde(rename = "authToken")]
    auth_token: Option<String>,
}

/// Changes the given properties and keeps the others.
pub(super) async fn change(State(exchange): State<Arc<Exchange>>, Json(change): Json<AccountChange>) -> StatusCode {
    let state = &mut *exchange.state();
    if let Some(auth_token) = change.auth_token {
        state.auth_token = auth_token;
    }
    let account = &mut state.account;
    account.account_type = change.account_type.unwrap_or(account.account_type);
    account.status = change.status.unwrap_or(account.status);
    if let Some(balance) = change.balance {
        account.balance = balance;
    }
    if let Some(verified) = change.verified {
        account.verified_numbers = verified;
    }
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
pub(super) struct NumberChange {
    number: String,
    capabilities: Option<NumberCapabilities>,
    /// By their names in the API: `SmsUrl`, `SmsApplicationSid`, …
    #[serde(default)]
    settings: BTreeMap<String, String>,
}

/// Adds a number or changes an existing one, and returns it in REST's format.
pub(super) async fn put_number(State(exchange): State<Arc<Exchange>>, Json(change): Json<NumberChange>) -> Json<Value> {
    let mut state = exchange.state();
    if state.number(&change.number).is_none() {
        state.add_number(Number::new(&change.number));
    }
    let found = state.numbers.iter_mut().find(|number| number.phone_number == change.number);
    let json = found.map(|number| {
        number.capabilities = change.capabilities.unwrap_or(number.capabilities);
        for (parameter, value) in &change.settings {
            number.set_parameter(parameter, value);
        }
        number.to_json(&exchange.config.account_sid, exchange.started)
    });
    Json(json!(json))
}

#[derive(Deserialize)]
pub(super) struct ServiceChange {
    sid: String,
    numbers: Option<Vec<String>>,
    campaign: Option<String>,
    /// By their names in the API: `InboundRequestUrl`, `UseInboundWebhookOnNumber`, …
    #[serde(default)]
    settings: BTreeMap<String, String>,
}

/// Adds a messaging service or changes an existing one, and returns it in REST's format.
pub(super) async fn put_service(
    State(exchange): State<Arc<Exchange>>,
    Json(change): Json<ServiceChange>,
) -> Json<Value> {
    let mut state = exchange.state();
    if !state.services.iter().any(|service| service.sid == change.sid) {
        state.services.push(Service::new(&change.sid, &[]));
    }
    let found = state.services.iter_mut().find(|service| service.sid == change.sid);
    let json = found.map(|service| {
        if let Some(numbers) = change.numbers {
            service.numbers = numbers;
        }
        service.campaign_status = change.campaign.or(service.campaign_status.take());
        for (parameter, value) in &change.settings {
            service.set(parameter, value);
        }
        service.to_json(&exchange.config.account_sid, &exchange.base_url, exchange.started)
    });
    Json(json!(json))
}

#[derive(Deserialize)]
pub(super) struct NewAlert {
    code: u32,
    #[serde(default)]
    text: String,
    #[serde(default)]
    url: String,
    /// The SID of the message or call concerned.
    #[serde(default)]
    about: String,
}

pub(super) async fn add_alert(State(exchange): State<Arc<Exchange>>, Json(new): Json<NewAlert>) -> Json<Value> {
    let sid =
        exchange.alert(AlertRecord { resource_sid: new.about, ..AlertRecord::new(new.code, &new.text, &new.url) });
    Json(json!({ "sid": sid }))
}

/// Returns all alerts in REST's format, oldest first.
pub(super) async fn alerts(State(exchange): State<Arc<Exchange>>) -> Json<Value> {
    let show = |alert: &AlertRecord| alert.to_json(&exchange.config.account_sid, &exchange.base_url);
    Json(exchange.state().alerts.iter().map(show).collect())
}

/// Sets the prefixes of API paths that return 404.
pub(super) async fn set_missing(State(exchange): State<Arc<Exchange>>, Json(missing): Json<Vec<String>>) -> StatusCode {
    exchange.state().missing = missing;
    StatusCode::NO_CONTENT
}
