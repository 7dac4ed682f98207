//! Routes: the URLs to which the provider delivers messages and calls, and those that it should have.

use serde::Serialize;
use telephony_providers::route::{CallbackUrls, Diversion, Route, Setting};

/// The routes of our addresses.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RoutesView {
    /// URL that the routes should have; none while it is not known.
    pub webhook_url: Option<String>,
    /// Routes that the account has.
    pub routes: Vec<RouteView>,
    /// Configured addresses that the account does not have.
    pub missing: Vec<String>,
}

/// The route of one address.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteView {
    /// Number or messaging service.
    pub address: String,
    /// Id at the provider.
    pub sid: String,
    /// Settings, in the order of the provider's console.
    pub settings: Vec<RouteSettingView>,
    /// Other settings at the provider that override the route, in words.
    pub overrides: Vec<String>,
}

/// A setting of a route.
#[derive(Serialize)]
pub struct RouteSettingView {
    /// Name at the provider.
    pub name: &'static str,
    /// Current value; empty if not set.
    pub value: String,
    /// Wanted value; none if it is not ours to decide.
    pub wanted: Option<String>,
}

impl RoutesView {
    /// Converts the routes of `addresses`, which are ours.
    pub fn of(routes: Vec<Route>, addresses: impl Iterator<Item = String>, callbacks: Option<CallbackUrls>) -> Self {
        Self {
            missing: addresses.filter(|address| !routes.iter().any(|route| route.address == *address)).collect(),
            webhook_url: callbacks.map(|callbacks| callbacks.webhook),
            routes: routes.into_iter().map(RouteView::of).collect(),
        }
    }
}

impl RouteView {
    fn of(route: Route) -> Self {
        let overrides = route.diversions.iter().filter(|diversion| diversion.is_trouble()).map(Diversion::to_string);
        Self {
            overrides: overrides.collect(),
            address: route.address,
            sid: route.id,
            settings: route.settings.into_iter().map(RouteSettingView::of).collect(),
        }
    }
}

impl RouteSettingView {
    fn of(setting: Setting) -> Self {
        Self { name: setting.name, value: setting.value, wanted: setting.wanted }
    }
}
