//! Points the provider's routes at us, and back to their previous targets. Independent of the provider, which knows the
//! right settings; this module decides whether they may be changed.
//!
//! The previous setting is stored before the provider is asked to change it. A process that dies in between has changed
//! nothing, or something that the next `sync` or `undo` finds in the store.

use std::collections::BTreeSet;

use telephony_domain::line::Sender;
use telephony_domain::time::Timestamp;
use telephony_providers::provider::{Provider, ProviderError};
use telephony_providers::route::{CallbackUrls, Route, Traffic};
use telephony_store::routes::RouteChange;
use telephony_store::{Store, StoreError};

/// Planned changes, and settings that stay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoutingPlan {
    /// Routes as the provider has them now.
    pub routes: Vec<Route>,
    /// Settings to change, route by route.
    pub changes: Vec<RouteChange>,
    /// Settings of others that stay, with the reason.
    pub left: Vec<Left>,
    /// Our addresses that the account does not have.
    pub missing: Vec<String>,
}

/// A setting that stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Number or messaging service.
    pub address: String,
    /// Name of the setting.
    pub name: String,
    /// Value that the setting keeps.
    pub value: String,
    /// The reason why it stays, as a clause.
    pub why: &'static str,
}

/// A failure that left routes unchanged, or only some changed. Repeating is safe.
#[derive(Debug, thiserror::Error)]
pub enum RoutingError {
    /// The provider did not answer, or rejected the request.
    #[error("cannot read or change the webhook")]
    Provider(#[from] ProviderError),
    /// The previous settings could not be stored, so nothing was changed.
    #[error("cannot store the previous webhook")]
    Store(#[from] StoreError),
}

/// The target of the routes.
#[derive(Debug, Clone, Copy)]
pub struct RouteTarget<'a> {
    /// Number and messaging service whose routes are set.
    pub sender: &'a Sender,
    /// URLs that the routes get.
    pub callbacks: &'a CallbackUrls,
    /// True if calls are answered. Otherwise calls that already go elsewhere are left alone.
    pub takes_calls: bool,
}

/// Points the routes of our sender at us. Safe to repeat; changes nothing if all is right.
pub async fn sync(
    store: &dyn Store,
    provider: &dyn Provider,
    target: RouteTarget<'_>,
    now: Timestamp,
) -> Result<RoutingPlan, RoutingError> {
    let plan = plan(store, provider, target).await?;
    apply(store, provider, &plan.changes, now).await?;
    Ok(plan)
}

/// Returns what [`sync`] would change.
pub async fn plan(
    store: &dyn Store,
    provider: &dyn Provider,
    target: RouteTarget<'_>,
) -> Result<RoutingPlan, RoutingError> {
    let history = store.route_changes().await?;
    Ok(plan_with(&history, provider, target).await?)
}

/// Like [`plan`] without a store; `history` has the earlier changes.
pub async fn plan_with(
    history: &[RouteChange],
    provider: &dyn Provider,
    target: RouteTarget<'_>,
) -> Result<RoutingPlan, ProviderError> {
    let routes = provider.routes(target.sender, Some(target.callbacks)).await?;
    let mut plan = RoutingPlan { missing: missing(target.sender, &routes), ..RoutingPlan::default() };
    for route in &routes {
        let keeps_calls = !target.takes_calls && has_calls_of_others(route, history);
        for setting in route.settings.iter().filter(|setting| setting.is_wrong()) {
            let Some(wanted) = &setting.wanted else { continue };
            if keeps_calls && setting.traffic == Traffic::Calls {
                plan.left.push(left(&route.address, setting.name, &setting.value, "voice is not enabled here"));
            } else {
                plan.changes.push(RouteChange {
                    route: route.id.clone(),
                    address: route.address.clone(),
                    name: setting.name.to_owned(),
                    before: setting.value.clone(),
                    after: wanted.clone(),
                });
            }
        }
    }
    plan.routes = routes;
    Ok(plan)
}

/// Makes the changes of a plan, one route after the other.
pub async fn apply(
    store: &dyn Store,
    provider: &dyn Provider,
    changes: &[RouteChange],
    now: Timestamp,
) -> Result<(), RoutingError> {
    store.changing_routes(changes.to_vec(), now).await?;
    for of_route in changes.chunk_by(|a, b| a.route == b.route) {
        set(provider, of_route).await?;
    }
    Ok(())
}

/// Returns what [`undo`] would change: every setting that is still as we left it gets its previous value.
pub async fn plan_undo(store: &dyn Store, provider: &dyn Provider) -> Result<RoutingPlan, RoutingError> {
    let history = store.route_changes().await?;
    let mut plan = RoutingPlan::default();
    for (id, address) in history.iter().map(|change| (&change.route, &change.address)).collect::<BTreeSet<_>>() {
        match provider.route(id).await?.filter(|route| route.address == *address) {
            Some(route) => plan_undo_of(&route, &history, &mut plan),
            None => plan.missing.push(address.clone()),
        }
    }
    Ok(plan)
}

/// Restores the settings from before the first change, and forgets the changes.
pub async fn undo(store: &dyn Store, provider: &dyn Provider, plan: &RoutingPlan) -> Result<(), RoutingError> {
    for of_route in plan.changes.chunk_by(|a, b| a.route == b.route) {
        set(provider, of_route).await?;
    }
    let stays = |change: &RouteChange| {
        plan.missing.contains(&change.address)
            || plan.left.iter().any(|left| left.address == change.address && left.name == change.name)
    };
    for change in store.route_changes().await?.iter().filter(|change| !stays(change)) {
        store.route_restored(&change.route, &change.name).await?;
    }
    Ok(())
}

async fn set(provider: &dyn Provider, changes: &[RouteChange]) -> Result<(), RoutingError> {
    let Some(first) = changes.first() else { return Ok(()) };
    let settings: Vec<_> = changes.iter().map(|change| (change.name.clone(), change.after.clone())).collect();
    provider.set_route(&first.route, &settings).await?;
    tracing::info!(route = first.route, settings = settings.len(), "changed the webhook");
    Ok(())
}

fn missing(sender: &Sender, routes: &[Route]) -> Vec<String> {
    let number = sender.receiving().map(ToString::to_string);
    let ours = number.into_iter().chain(sender.messaging_service.clone());
    ours.filter(|address| !routes.iter().any(|route| route.address == *address)).collect()
}

/// Returns true if calls go to a target that is neither ours nor the provider's own.
fn has_calls_of_others(route: &Route, history: &[RouteChange]) -> bool {
    let Some(url) = route.url(Traffic::Calls) else { return false };
    let is_ours =
        history.iter().any(|change| change.route == route.id && change.name == url.name && change.after == url.value);
    url.is_wrong() && !url.value.is_empty() && !url.is_preset && !is_ours
}

fn plan_undo_of(route: &Route, history: &[RouteChange], plan: &mut RoutingPlan) {
    for setting in &route.settings {
        let is_of_setting = |change: &&RouteChange| change.route == route.id && change.name == setting.name;
        let changes: Vec<_> = history.iter().filter(is_of_setting).collect();
        let Some(original) = original(&changes).filter(|original| *original != setting.value) else { continue };
        if changes.iter().any(|change| change.after == setting.value) {
            plan.changes.push(RouteChange {
                route: route.id.clone(),
                address: route.address.clone(),
                name: setting.name.to_owned(),
                before: setting.value.clone(),
                after: original.to_owned(),
            });
        } else {
            plan.left.push(left(&route.address, setting.name, &setting.value, "it was changed by someone else since"));
        }
    }
    plan.routes.push(route.clone());
}

/// Returns a setting's value from before our changes: the last one that we did not set, else the first of all.
fn original<'a>(changes: &[&'a RouteChange]) -> Option<&'a str> {
    let is_ours = |value: &str| changes.iter().any(|change| change.after == value);
    let foreign = changes.iter().rev().find(|change| !is_ours(&change.before));
    foreign.or(changes.first()).map(|change| change.before.as_str())
}

fn left(address: &str, name: &str, value: &str, why: &'static str) -> Left {
    Left { address: address.to_owned(), name: name.to_owned(), value: value.to_owned(), why }
}
