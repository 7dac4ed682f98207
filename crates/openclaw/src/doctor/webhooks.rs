//! Compares the webhook at the provider with the one it should have.

use telephony_providers::provider::Provider;
use telephony_providers::route::{Diversion, Route, Setting, SettingRole, Traffic, is_same_url};

use super::catalog::{
    FALLBACK_ELSEWHERE, SERVICE_DEFERS, SERVICE_DROPS, VOICE_WEBHOOK_ELSEWHERE, WEBHOOK_ELSEWHERE, WEBHOOK_NOT_SET,
    WEBHOOK_OF_SERVICE, WEBHOOK_OVERRIDDEN, WEBHOOK_WITHOUT_OVERRIDES, WEBHOOK_WRONG_METHOD,
};
use super::{Checkup, Finding, Subject};
use crate::public_url::server;

/// Returns true if `webhook sync` fixes it.
pub fn is_fixed_by_sync(finding: &Finding) -> bool {
    [
        WEBHOOK_NOT_SET,
        WEBHOOK_ELSEWHERE,
        WEBHOOK_WRONG_METHOD,
        WEBHOOK_WITHOUT_OVERRIDES,
        VOICE_WEBHOOK_ELSEWHERE,
        SERVICE_DROPS,
        SERVICE_DEFERS,
    ]
    .contains(&finding)
}

pub async fn check(subject: &Subject, provider: &dyn Provider) -> Checkup {
    let mut checkup = Checkup::default();
    match subject.routes(provider).await {
        Ok(routes) => routes.iter().for_each(|route| check_route(subject, route, &mut checkup)),
        Err(error) => checkup.unchecked("the webhook", error),
    }
    checkup
}

fn check_route(subject: &Subject, route: &Route, checkup: &mut Checkup) {
    let before = checkup.found.len();
    let takes_calls = subject.loaded.telephony.voice.enabled;
    for diversion in &route.diversions {
        check_diversion(&route.address, diversion, takes_calls, checkup);
    }
    for setting in &route.settings {
        match setting.traffic {
            Traffic::Messages => check_messages(&route.address, setting, checkup),
            Traffic::Calls if takes_calls => check_calls(&route.address, setting, checkup),
            Traffic::Calls => {}
            Traffic::Fallback => check_fallback(subject, &route.address, setting, checkup),
        }
    }
    if checkup.found.len() == before {
        check_url(subject, route, checkup);
    }
}

/// Reports the URL of a route without a fault. Without a public URL, none of its settings can be compared.
fn check_url(subject: &Subject, route: &Route, checkup: &mut Checkup) {
    let address = &route.address;
    let is_of_service = route.diversions.iter().any(|diversion| matches!(diversion, Diversion::Service { .. }));
    let is_lost = subject.url.is_none() && !is_of_service && !route.can_defer();
    match route.url(Traffic::Messages) {
        Some(Setting { name, value, .. }) if value.is_empty() && is_lost => {
            checkup.found(WEBHOOK_NOT_SET.found(format!("{address}: {name} is empty, and no public URL is known")));
        }
        Some(Setting { value, .. }) if !value.is_empty() => checkup.well(format!("{address}: {value}")),
        _ => checkup.well(format!("{address}: nothing to set here")),
    }
}

fn check_diversion(address: &str, diversion: &Diversion, takes_calls: bool, checkup: &mut Checkup) {
    let detail = format!("{address}: {diversion}");
    match diversion {
        Diversion::Application { traffic: Traffic::Calls, .. } | Diversion::Trunk { .. } if !takes_calls => {
            checkup.well(detail);
        }
        Diversion::Application { .. } | Diversion::Trunk { .. } => checkup.found(WEBHOOK_OVERRIDDEN.found(detail)),
        Diversion::Service { is_ours: false, .. } => checkup.found(WEBHOOK_OF_SERVICE.found(detail)),
        Diversion::Service { is_ours: true, .. } => {}
        Diversion::Nowhere => checkup.found(SERVICE_DROPS.found(detail)),
    }
}

fn check_messages(address: &str, setting: &Setting, checkup: &mut Checkup) {
    let Setting { name, role, value, wanted: Some(wanted), .. } = setting else { return };
    if !setting.is_wrong() {
        return;
    }
    let detail = format!("{address}: {name} is `{value}`, should be `{wanted}`");
    checkup.found(match role {
        SettingRole::Method => WEBHOOK_WRONG_METHOD.found(detail),
        SettingRole::Deferral => SERVICE_DEFERS.found(address),
        _ if value.is_empty() => WEBHOOK_NOT_SET.found(format!("{address}: {name} should be `{wanted}`")),
        _ if is_same_url(without_fragment(value), without_fragment(wanted)) => WEBHOOK_WITHOUT_OVERRIDES.found(detail),
        _ => WEBHOOK_ELSEWHERE.found(detail),
    });
}

fn check_calls(address: &str, setting: &Setting, checkup: &mut Checkup) {
    let Setting { name, role, value, wanted: Some(wanted), .. } = setting else { return };
    let is_wrong = match role {
        SettingRole::Method => value != wanted,
        _ => !is_same_url(without_fragment(value), without_fragment(wanted)),
    };
    if is_wrong {
        checkup.found(VOICE_WEBHOOK_ELSEWHERE.found(format!("{address}: {name} is `{value}`, should be `{wanted}`")));
    }
}

fn check_fallback(subject: &Subject, address: &str, setting: &Setting, checkup: &mut Checkup) {
    let host = |url: &str| server(url).map(|(host, _)| host);
    let ours = subject.url.as_ref().and_then(|url| host(url.webhook()));
    if !setting.value.is_empty() && host(&setting.value) != ours {
        checkup.found(FALLBACK_ELSEWHERE.found(format!("{address}: {} is `{}`", setting.name, setting.value)));
    }
}

fn without_fragment(url: &str) -> &str {
    url.split('#').next().unwrap_or_default()
}
