//! Checks the Twilio account: credentials, state, balance, clock, and recent alerts.

use std::collections::BTreeMap;
use std::time::Duration;

use telephony_config::Telephony;
use telephony_domain::money::{Amount, Price};
use telephony_domain::number::mask;
use telephony_domain::time::{Clock, SystemClock};
use telephony_providers::provider::ProviderError;
use telephony_providers::twilio::Twilio;
use telephony_providers::twilio::account::Account;
use telephony_providers::twilio::rest::{AccountState, Rest};

use super::catalog::{
    ACCOUNT_INACTIVE, ACCOUNT_TRIAL, ALERTS, AUTH_TOKEN_WRONG, BALANCE_EMPTY, BALANCE_LOW, CLOCK_OFF,
    CREDENTIALS_WRONG, TWILIO_UNREACHABLE,
};
use super::{ANSWER_TIMEOUT, Checkup, Subject, store};
use crate::assemble;

/// Largest clock error. Certificates and other services' signatures need less, pairing codes and daily limits tolerate
/// more.
const CLOCK_MAY_DIFFER: Duration = Duration::from_secs(30);

/// Two units of the currency, in billionths: enough for some days of a small assistant.
const LITTLE_MONEY: Amount = Amount(2_000_000_000);

const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The result of checking credentials.
enum Taken {
    Yes,
    No,
    /// Twilio responds, but what was requested does not exist or is not allowed.
    Unchecked(ProviderError),
    Unknown(ProviderError),
}

/// Checks the account.
pub async fn check(subject: &Subject, twilio: &Twilio) -> Checkup {
    let mut checkup = Checkup::default();
    let rest = twilio.rest();
    let (state, balance) = tokio::join!(rest.account_state(), rest.balance());
    if let Ok(state) = &state
        && state.status != "active"
    {
        checkup.found(ACCOUNT_INACTIVE.found(format!("it is {}", state.status)));
        return checkup;
    }
    match is_taken(rest, &balance).await {
        Taken::Yes => checkup.well("Twilio accepts the credentials"),
        Taken::No => {
            checkup.found(CREDENTIALS_WRONG.found(""));
            return checkup;
        }
        Taken::Unchecked(error) if error.code().is_some() => checkup.unchecked("the credentials", &error),
        // Without an error code, something else may have answered in Twilio's place, such as a proxy.
        Taken::Unchecked(error) | Taken::Unknown(error) => {
            checkup.found(TWILIO_UNREACHABLE.found(format!("{error} ({})", server(&subject.loaded.telephony))));
            return checkup;
        }
    }
    check_token(&subject.loaded.telephony, &mut checkup).await;
    check_state(subject, rest, state, &mut checkup).await;
    check_balance(balance, &mut checkup);
    check_clock(rest, &mut checkup).await;
    checkup
}

/// Returns the server that was asked, and the key that names it where the configuration does.
fn server(telephony: &Telephony) -> String {
    let url = assemble::account(telephony).api_url;
    let key = if telephony.twilio.api_base_url.is_some() { ", from twilio.apiBaseUrl" } else { "" };
    format!("{url}{key}")
}

/// Checks that the credentials are accepted. A standard API key cannot read the account itself, so a failure there
/// proves nothing.
async fn is_taken(rest: &Rest, balance: &Result<Price, ProviderError>) -> Taken {
    match balance {
        Ok(_) => Taken::Yes,
        Err(error) if error.is_unauthorized() => Taken::No,
        Err(ProviderError::Refused { .. }) => match rest.phone_numbers().await {
            Ok(_) => Taken::Yes,
            Err(error) if error.is_unauthorized() => Taken::No,
            Err(error @ ProviderError::Refused { .. }) => Taken::Unchecked(error),
            Err(error) => Taken::Unknown(error),
        },
        Err(error) => Taken::Unknown(error.clone()),
    }
}

/// Checks the Auth Token when an API key is used: the token then only verifies signatures, where an error would go
/// unnoticed.
async fn check_token(telephony: &Telephony, checkup: &mut Checkup) {
    if telephony.twilio.api_key.is_none() {
        return;
    }
    let account = Account { api_key: None, ..assemble::account(telephony) };
    let rest = Rest::new(account).answer_within(ANSWER_TIMEOUT);
    match is_taken(&rest, &rest.balance().await).await {
        Taken::Yes => {}
        Taken::No => checkup.found(AUTH_TOKEN_WRONG.found("")),
        Taken::Unchecked(error) | Taken::Unknown(error) => checkup.unchecked("the Auth Token", &error),
    }
}

async fn check_state(
    subject: &Subject,
    rest: &Rest,
    state: Result<AccountState, ProviderError>,
    checkup: &mut Checkup,
) {
    match state {
        Ok(state) if state.kind == "Trial" => {
            let allowed = &subject.loaded.telephony.policy.allow;
            let detail = match rest.verified_numbers().await {
                Ok(verified) => {
                    let is_missing = |number: &str| !verified.iter().any(|known| known == number);
                    let missing = allowed.iter().map(|number| number.as_str()).filter(|number| is_missing(number));
                    let missing: Vec<_> = missing.map(mask).collect();
                    if missing.is_empty() { String::new() } else { format!("not verified: {}", missing.join(", ")) }
                }
                Err(_) => String::new(),
            };
            checkup.found(ACCOUNT_TRIAL.found(detail));
        }
        Ok(state) => checkup.well(format!("a {} account, {}", state.kind.to_lowercase(), state.status)),
        Err(ProviderError::Refused { http_status: 401 | 403, code: Some(_), .. }) => {
            checkup.well("an API key cannot read the account type");
        }
        Err(error) => checkup.unchecked("the account type", &error),
    }
}

fn check_balance(balance: Result<Price, ProviderError>, checkup: &mut Checkup) {
    match balance {
        Ok(price) if price.amount <= Amount(0) => checkup.found(BALANCE_EMPTY.found(price)),
        Ok(price) if price.amount < LITTLE_MONEY => checkup.found(BALANCE_LOW.found(price)),
        Ok(price) => checkup.well(format!("balance {price}")),
        Err(error) => checkup.unchecked("the balance", &error),
    }
}

async fn check_clock(rest: &Rest, checkup: &mut Checkup) {
    let theirs = match rest.date().await {
        Ok(Some(theirs)) => theirs,
        Ok(None) => return,
        Err(error) => return checkup.unchecked("the clock", &error),
    };
    let ours = SystemClock.now();
    let off = ours.since(theirs).max(theirs.since(ours));
    if off > CLOCK_MAY_DIFFER {
        let direction = if ours > theirs { "fast" } else { "slow" };
        checkup.found(CLOCK_OFF.found(format!("it is {} s {direction}", off.as_secs())));
    }
}

/// Reports Twilio's recent alerts.
pub async fn check_alerts(subject: &Subject, twilio: &Twilio) -> Checkup {
    let mut checkup = Checkup::default();
    let alerts = match twilio.rest().alerts().await {
        Ok(alerts) => alerts,
        Err(error) => {
            checkup.unchecked("Twilio's alerts", &error);
            return checkup;
        }
    };
    let mut counts = BTreeMap::<u32, usize>::new();
    for alert in alerts.iter().filter(|alert| subject.now.since(alert.at) < A_DAY) {
        *counts.entry(alert.code).or_default() += 1;
    }
    if counts.is_empty() {
        checkup.well("none in 24 hours");
    }
    for (code, count) in counts {
        checkup.found(ALERTS.found(store::failure_text(code, count)));
    }
    checkup
}
