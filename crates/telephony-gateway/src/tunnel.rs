//! Keeps the tunnel open: opens it again when it breaks, and tells everybody by which URL we are reached now.
//!
//! The gateway listens and works without it; nothing waits for a tunnel.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use telephony_domain::time::Clock;
use telephony_providers::provider::Provider;
use telephony_providers::route::CallbackUrls;
use telephony_store::Store;
use telephony_store::notices::Notice;
use telephony_tunnels::{Inside, Open, Tunnel, TunnelError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::control::status::TunnelAlive;
use crate::notices::Notices;
use crate::parts::Parts;
use crate::reach::Reach;
use crate::routing::{self, Aim, Plan, RoutingError};
use crate::settings::Fixed;

/// The pause before it is opened again: this long at first, then twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);

/// A tunnel that was open for this long is opened again without much of a pause.
const LASTED: Duration = Duration::from_secs(60);

/// What often mends itself is told to the operator after so many failures in a row.
const PATIENCE: u32 = 3;

/// A tunnel that takes longer to close is left as it is; it is cleaned up at the next start.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// How often it is looked whether the provider has been told the URL, where that is the operator's affair.
const LOOK_EVERY: Duration = Duration::from_secs(5 * 60);

/// The notice that the tunnel is down.
const DOWN: &str = "tunnel";

/// A tunnel, and what follows from its URL.
#[derive(Clone)]
pub struct Tunneling {
    /// What opens it.
    pub tunnel: Arc<dyn Tunnel>,
    /// Whether the provider is told its URL.
    pub syncs_webhooks: bool,
    /// Whether calls are answered.
    pub takes_calls: bool,
}

/// Keeps it open.
pub(crate) struct Keeper {
    tunneling: Tunneling,
    inside: Inside,
    fixed: Fixed,
    reach: watch::Sender<Reach>,
    store: Arc<dyn Store>,
    provider: Arc<dyn Provider>,
    clock: Arc<dyn Clock>,
    notices: Notices,
}

impl Keeper {
    /// For the gateway of `parts` that listens on `address`; none where it has no tunnel.
    pub(crate) fn new(
        parts: &Parts,
        address: SocketAddr,
        reach: watch::Sender<Reach>,
        notices: Notices,
    ) -> Option<Self> {
        let fixed = parts.settings.fixed.clone();
        let paths = vec![fixed.path.clone(), fixed.status_path.clone()];
        Some(Self {
            tunneling: parts.tunnel.clone()?,
            inside: Inside::new(address, paths),
            fixed,
            reach,
            notices,
            store: parts.store.clone(),
            provider: parts.provider.clone(),
            clock: parts.clock.clone(),
        })
    }

    /// Keeps it open until `stop`, then takes it down.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut failures = 0;
        while let Some(opened) = stop.run_until_cancelled(self.tunneling.tunnel.open(&self.inside)).await {
            let error = match opened {
                Ok(mut open) => {
                    let since = Instant::now();
                    let Some(error) = stop.run_until_cancelled(self.hold(open.as_mut())).await else {
                        return close(open).await;
                    };
                    self.reached_by(None);
                    close(open).await;
                    failures = if since.elapsed() < LASTED { failures } else { 0 };
                    error
                }
                Err(error) => error,
            };
            failures += 1;
            self.tell_trouble(&error, failures).await;
            if stop.run_until_cancelled(tokio::time::sleep(pause(failures))).await.is_none() {
                return;
            }
        }
    }

    /// Returns why an open tunnel broke.
    async fn hold(&self, open: &mut dyn Open) -> TunnelError {
        let url = open.url().to_owned();
        let name = self.tunneling.tunnel.name();
        tracing::info!(tunnel = name, url, webhook = format!("{url}{}", self.fixed.path), "the tunnel is open");
        self.reached_by(Some(&url));
        self.notices.end(DOWN).await;
        if !self.is_told_by_tunnel() {
            tracing::info!("the provider is not told the tunnel's URL: {}", self.why_not_told());
            return open.broken().await;
        }
        let told = self.told(&url);
        tokio::select! {
            error = open.broken() => error,
            () = self.keep_provider_told(&told) => open.broken().await,
        }
    }

    /// Whether the tunnel's URL is the one for the provider.
    fn is_told_by_tunnel(&self) -> bool {
        self.fixed.public.is_none() && self.tunneling.tunnel.is_public()
    }

    fn why_not_told(&self) -> &'static str {
        if self.fixed.public.is_some() {
            "it is told publicUrl, and the tunnel's URL counts beside it"
        } else {
            "it is reached from the operator's own network only; the provider needs a publicUrl, or tailscale-funnel"
        }
    }

    fn told(&self, url: &str) -> CallbackUrls {
        CallbackUrls {
            webhook: format!("{url}{}", self.fixed.path),
            status: format!("{url}{}", self.fixed.status_path),
        }
    }

    /// From now on we are reached by `url`, besides what the operator configured.
    fn reached_by(&self, url: Option<&str>) {
        let Reach { mut webhook, mut status, .. } = Reach::configured(self.fixed.public.as_ref());
        if let Some(CallbackUrls { webhook: of_webhook, status: of_status }) = url.map(|url| self.told(url)) {
            let is_told = self.is_told_by_tunnel();
            webhook = webhook.with_tunnel(of_webhook, is_told);
            status = status.with_tunnel(of_status, is_told);
        }
        self.reach.send_modify(|reach| {
            let trouble = reach.tunnel.take().and_then(|tunnel| tunnel.trouble).filter(|_| url.is_none());
            let tunnel = Some(TunnelAlive { url: url.map(str::to_owned), trouble, ..self.tunnel() });
            *reach = Reach { webhook, status, tunnel };
        });
    }

    /// The tunnel before it was tried.
    fn tunnel(&self) -> TunnelAlive {
        TunnelAlive { name: self.tunneling.tunnel.name().to_owned(), url: None, trouble: None }
    }

    /// Returns once the provider has our URL: because we told it, or because the operator did.
    async fn keep_provider_told(&self, told: &CallbackUrls) {
        let aim = Aim { sender: &self.fixed.sender, told, takes_calls: self.tunneling.takes_calls };
        let mut failures = 0;
        loop {
            let (store, provider) = (self.store.as_ref(), self.provider.as_ref());
            let looked = match self.tunneling.syncs_webhooks {
                true => routing::sync(store, provider, aim, self.clock.now()).await,
                false => routing::plan(store, provider, aim).await,
            };
            match looked {
                Ok(plan) if self.tunneling.syncs_webhooks || plan.changes.is_empty() => {
                    tell_plan(&plan);
                    return self.notices.end(&not_told(told)).await;
                }
                Ok(_) => {
                    self.tell_operator(told).await;
                    tokio::time::sleep(LOOK_EVERY).await;
                }
                Err(error) => {
                    failures += 1;
                    tell_failure(&error);
                    tokio::time::sleep(pause(failures)).await;
                }
            }
        }
    }

    async fn tell_operator(&self, told: &CallbackUrls) {
        let text = format!(
            "the tunnel's URL is {}, and the provider has another: run `openclaw telephony webhook sync`, or set \
             tunnel.syncWebhooks",
            told.webhook
        );
        self.notices.tell(Notice::event(not_told(told), text)).await;
    }

    async fn tell_trouble(&self, error: &TunnelError, failures: u32) {
        let (name, hint) = (self.tunneling.tunnel.name(), error.hint());
        let text = format!("{error} ({hint})");
        let mut is_news = false;
        self.reach.send_modify(|reach| {
            let tunnel = reach.tunnel.get_or_insert_with(|| self.tunnel());
            is_news = tunnel.trouble.replace(text.clone()).as_ref() != Some(&text);
        });
        if is_news {
            tracing::warn!(tunnel = name, hint, "the tunnel is not open: {error}");
        }
        if failures >= PATIENCE || !error.cause.mends_itself() {
            self.notices.tell(Notice::ongoing(DOWN, format!("the tunnel {name} is not open: {text}"))).await;
        }
    }
}

async fn close(open: Box<dyn Open>) {
    if tokio::time::timeout(CLOSE_WITHIN, open.close()).await.is_err() {
        tracing::warn!("the tunnel could not be closed in time");
    }
}

/// The notice that the provider does not have this URL; another URL is other news.
fn not_told(told: &CallbackUrls) -> String {
    format!("tunnel-url {}", told.webhook)
}

/// The pause after `failures` in a row.
fn pause(failures: u32) -> Duration {
    let doubled = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
    FIRST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE)
}

fn tell_plan(plan: &Plan) {
    for change in &plan.changes {
        tracing::info!(address = change.address, setting = change.name, "the provider now has the tunnel's URL");
    }
    for left in &plan.left {
        tracing::warn!(address = left.address, setting = left.name, "left as it is at the provider: {}", left.why);
    }
    if !plan.missing.is_empty() {
        tracing::warn!("the account at the provider does not have {}", plan.missing.join(", "));
    }
}

fn tell_failure(error: &RoutingError) {
    let cause = error.source().map(ToString::to_string);
    tracing::warn!(%error, cause, "the provider could not be asked about its URL; it is tried again");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_grows_and_stays_bounded() {
        let seconds = |failures| pause(failures).as_secs();
        assert_eq!([1, 2, 3, 9, 10, 1000].map(seconds), [1, 2, 4, 256, 300, 300]);
    }
}
