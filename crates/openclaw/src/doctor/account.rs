//! Checks the Twilio account: credentials, state, balance, clock, and recent alerts.

use std::collections::BTreeMap;
use std::time::Duration;

use telephony_domain::money::{Amount, Price};
use telephony_domain::number::mask;
use telephony_domain::time::{Clock, SystemClock};
use telephony_providers::checks::AccountState;
use telephony_providers::provider::{Provider, ProviderError};

use super::catalog::{
    ACCOUNT_INACTIVE, ACCOUNT_TRIAL, ALERTS, AUTH_TOKEN_WRONG, BALANCE_EMPTY, BALANCE_LOW, CLOCK_OFF,
    CREDENTIALS_WRONG, TWILIO_UNREACHABLE,
};
use super::{Checkup, Subject, store};

/// Largest clock error. Certificates and other services' signatures need less, pairing codes and daily limits tolerate
/// more.
const CLOCK_MAY_DIFFER: Duration = Duration::from_secs(30);

/// Two units of the currency, in billionths: enough for some days of a small assistant.
const LITTLE_MONEY: Amount = Amount(2_000_000_000);

const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub async fn check(subject: &Subject, provider: &dyn Provider) -> Checkup {
    let mut checkup = Checkup::default();
    let (state, accepted) = tokio::join!(provider.account_state(), provider.check_credentials());
    if let Ok(state) = &state
        && !state.is_active
    {
        checkup.found(ACCOUNT_INACTIVE.found(format!("it is {}", state.status)));
        return checkup;
    }
    match accepted {
        Ok(()) => checkup.well("Twilio accepts the credentials"),
        Err(error) if error.is_unauthorized() => {
            checkup.found(CREDENTIALS_WRONG.found(""));
            return checkup;
        }
        // Twilio responds, but what was requested does not exist or is not allowed.
        Err(error) if error.code().is_some() => checkup.unchecked("the credentials", &error),
        // Without an error code, something else may have answered in Twilio's place, such as a proxy.
        Err(error) => {
            checkup.found(TWILIO_UNREACHABLE.found(format!("{error} ({})", server(subject, provider))));
            return checkup;
        }
    }
    check_signing_secret(provider, &mut checkup).await;
    check_state(subject, provider, state, &mut checkup).await;
    check_balance(provider.balance().await, &mut checkup);
    check_clock(provider, &mut checkup);
    checkup
}

/// Returns the server that was asked, and the key that names it where the configuration does.
fn server(subject: &Subject, provider: &dyn Provider) -> String {
    let is_named = subject.loaded.telephony.twilio.api_base_url.is_some();
    let key = if is_named { ", from twilio.apiBaseUrl" } else { "" };
    format!("{}{key}", provider.api_url())
}

async fn check_signing_secret(provider: &dyn Provider, checkup: &mut Checkup) {
    match provider.check_signing_secret().await {
        Ok(()) => {}
        Err(error) if error.is_unauthorized() => checkup.found(AUTH_TOKEN_WRONG.found("")),
        Err(error) => checkup.unchecked("the Auth Token", &error),
    }
}

async fn check_state(
    subject: &Subject,
    provider: &dyn Provider,
    state: Result<AccountState, ProviderError>,
    checkup: &mut Checkup,
) {
    match state {
        Ok(state) if state.is_trial => {
            let allowed = &subject.loaded.telephony.policy.allow;
            let detail = match provider.verified_numbers().await {
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
        Ok(state) => checkup.well(format!("a full account, {}", state.status)),
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

/// Compares our clock with the provider's, as its answers have shown it.
fn check_clock(provider: &dyn Provider, checkup: &mut Checkup) {
    let Some(theirs) = provider.time() else { return };
    let ours = SystemClock.now();
    let off = ours.since(theirs).max(theirs.since(ours));
    if off > CLOCK_MAY_DIFFER {
        let direction = if ours > theirs { "fast" } else { "slow" };
        checkup.found(CLOCK_OFF.found(format!("it is {} s {direction}", off.as_secs())));
    }
}

/// Reports Twilio's recent alerts.
pub async fn check_alerts(subject: &Subject, provider: &dyn Provider) -> Checkup {
    let mut checkup = Checkup::default();
    let alerts = match provider.alerts().await {
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
        checkup.found(ALERTS.found(store::failure_text(Some(provider), code, count)));
    }
    checkup
}
