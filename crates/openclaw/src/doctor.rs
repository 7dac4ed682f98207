//! Checks everything between a phone and the agent, all checks at once.

mod account;
mod agent;
mod catalog;
mod configuration;
mod files;
mod finding;
mod gateway;
mod number;
mod round_trip;
mod store;
mod webhooks;

use std::sync::Arc;
use std::time::Duration;

use telephony_config::{Loaded, Location, PublicUrl, locate};
use telephony_domain::time::{Clock, SystemClock, Timestamp};
use telephony_gateway::control::status::{self, GatewayStatus};
use telephony_gateway::lock::GatewayLock;
use telephony_providers::provider::{Provider, ProviderError};
use telephony_providers::route::Route;
use telephony_store::Store;
use tokio::sync::OnceCell;

pub use catalog::FINDINGS;
pub use files::{close as close_files, is_fixed_by_closing};
pub use finding::{Finding, ReportedFinding, Severity};
pub use store::open_and_write;
pub use webhooks::is_fixed_by_sync;

use crate::config_arg::ConfigArg;
use crate::{assemble, public_url};

/// A check that takes longer is reported as not completed.
const CHECK_TIMEOUT: Duration = Duration::from_secs(30);

/// Timeout of each request to the provider.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// The parts under examination.
pub struct Subject {
    loaded: Loaded,
    location: Location,
    store: Option<Arc<dyn Store>>,
    provider: Option<Arc<dyn Provider>>,
    gateway: Option<GatewayStatus>,
    is_locked: bool,
    url: Option<PublicUrl>,
    now: Timestamp,
    routes: OnceCell<Result<Vec<Route>, ProviderError>>,
}

/// The result of one check.
#[derive(Debug, Default)]
pub struct Checkup {
    pub area: &'static str,
    /// Lines about working parts.
    pub well: Vec<String>,
    pub found: Vec<ReportedFinding>,
    /// True if an earlier finding keeps it from being checked.
    pub is_skipped: bool,
}

/// Runs all checks, ordered along the path from the configuration to the phone; messages come last, because their
/// trouble is an effect of what the other checks find.
pub async fn examine(config_arg: &ConfigArg) -> Vec<Checkup> {
    let environment = assemble::environment();
    let location = locate(&environment, config_arg.config.as_deref());
    let loaded = match telephony_config::load(&environment, config_arg.config.as_deref()) {
        Ok(loaded) => loaded,
        Err(problems) => return vec![configuration::unusable(&problems)],
    };
    let (opened, store) = store::open(&loaded).await;
    let subject = Subject::new(loaded, location, store).await;
    let (gateway, agent, messages) = tokio::join!(
        within("Gateway", gateway::check(&subject)),
        within("Agent", agent::check(&subject)),
        within("Messages", store::check(&subject)),
    );
    let mut checkups = vec![configuration::check(&subject), files::check(&subject), opened, gateway, agent];
    if let Some(provider) = subject.provider.as_deref() {
        let (account, number, registration, alerts, webhooks, round_trip) = tokio::join!(
            within("Account", account::check(&subject, provider)),
            within("Number", number::check(&subject, provider)),
            within("Registration", number::check_registration(&subject, provider)),
            within("Alerts", account::check_alerts(&subject, provider)),
            within("Webhook", webhooks::check(&subject, provider)),
            within("Round trip", round_trip::check(&subject, provider)),
        );
        let is_out_of_reach = account.found.iter().any(|found| catalog::HIDES_THE_ACCOUNT.contains(&found.finding));
        let dependent = [number, registration, alerts, webhooks];
        let dependent = dependent.map(|checkup| if is_out_of_reach { checkup.skipped() } else { checkup });
        checkups.push(account);
        checkups.extend(dependent);
        checkups.push(round_trip);
    }
    checkups.push(messages);
    checkups
}

async fn within(area: &'static str, checkup: impl Future<Output = Checkup>) -> Checkup {
    let mut checkup = tokio::time::timeout(CHECK_TIMEOUT, checkup).await.unwrap_or_else(|_| {
        let late = format!("it took longer than {} s", CHECK_TIMEOUT.as_secs());
        Checkup { found: vec![catalog::COULD_NOT_CHECK.found(late)], ..Checkup::default() }
    });
    checkup.area = area;
    checkup
}

impl Subject {
    async fn new(loaded: Loaded, location: Location, store: Option<Arc<dyn Store>>) -> Self {
        let provider = assemble::provider_within(&loaded, ANSWER_TIMEOUT).ok();
        // No URL is passed here, so none can be invalid.
        let url = public_url::public_url(&loaded, None).await.ok().flatten();
        Self {
            gateway: status::notify(&loaded.state).await,
            is_locked: GatewayLock::is_taken(&loaded.state),
            routes: OnceCell::new(),
            now: SystemClock.now(),
            loaded,
            location,
            store,
            provider,
            url,
        }
    }

    /// Returns our routes at the provider, fetched once.
    async fn routes(&self, provider: &dyn Provider) -> Result<&[Route], &ProviderError> {
        let callbacks = self.url.as_ref().map(public_url::callbacks);
        let sender = assemble::sender(&self.loaded.telephony);
        let routes = self.routes.get_or_init(|| provider.routes(&sender, callbacks.as_ref())).await;
        routes.as_ref().map(Vec::as_slice)
    }
}

impl Checkup {
    fn well(&mut self, text: impl Into<String>) {
        self.well.push(text.into());
    }

    /// Leaves out checks that could not run, because another finding has the reason.
    fn skipped(self) -> Self {
        let found: Vec<_> = self.found.into_iter().filter(|found| found.finding != catalog::COULD_NOT_CHECK).collect();
        Self { is_skipped: found.is_empty() && self.well.is_empty(), found, ..self }
    }

    fn found(&mut self, found: ReportedFinding) {
        self.found.push(found);
    }

    /// Records that something could not be checked. A product that this server does not have is not a failure.
    fn unchecked(&mut self, what: &str, error: &ProviderError) {
        let why = match error {
            error if error.is_not_found() => "Twilio does not have it here".to_owned(),
            error => error.to_string(),
        };
        self.found(catalog::COULD_NOT_CHECK.found(format!("{what}: {why}")));
    }
}
