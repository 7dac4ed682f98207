//! Keeps the tunnel open: reopens it when it breaks, and publishes the current URL.
//!
//! The gateway listens and works without it; nothing waits for a tunnel.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use telephony_domain::notice::{Notice, name};
use telephony_domain::time::Clock;
use telephony_providers::provider::Provider;
use telephony_providers::route::CallbackUrls;
use telephony_store::Store;
use telephony_tunnels::{Inside, OpenTunnel, Tunnel, TunnelError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::notices::NoticeWriter;
use crate::parts::Parts;
use crate::reach::{Reach, TunnelAlive};
use crate::routing::{self, RouteTarget, RoutingError, RoutingPlan};
use crate::settings::Fixed;

/// First pause before reopening; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);

/// A tunnel that was open for this long is reopened after the first pause.
const LASTED: Duration = Duration::from_secs(60);

/// Consecutive failures before the operator gets a notice about a problem that often passes.
const PATIENCE: u32 = 3;

/// Time limit for closing; the next start cleans up a tunnel that takes longer.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Interval between checks that the provider has the URL, if the operator sets it.
const LOOK_EVERY: Duration = Duration::from_secs(5 * 60);

/// A tunnel and its options.
#[derive(Clone)]
pub struct Tunneling {
    /// The tunnel that is opened and watched.
    pub tunnel: Arc<dyn Tunnel>,
    /// True if the provider's webhooks are updated.
    pub syncs_webhooks: bool,
    /// True if calls are answered.
    pub takes_calls: bool,
}

/// The task that keeps it open.
pub(crate) struct Keeper {
    tunneling: Tunneling,
    inside: Inside,
    fixed: Fixed,
    reach: watch::Sender<Reach>,
    store: Arc<dyn Store>,
    provider: Arc<dyn Provider>,
    clock: Arc<dyn Clock>,
    notices: NoticeWriter,
}

impl Keeper {
    /// Creates it for the gateway of `parts` that listens on `address`; none without a tunnel.
    pub(crate) fn new(
        parts: &Parts,
        address: SocketAddr,
        reach: watch::Sender<Reach>,
        notices: NoticeWriter,
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

    /// Keeps the tunnel open until `stop`, then closes it.
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
            self.report_trouble(&error, failures).await;
            if stop.run_until_cancelled(tokio::time::sleep(pause(failures))).await.is_none() {
                return;
            }
        }
    }

    /// Waits until an open tunnel breaks, and returns the error.
    async fn hold(&self, open: &mut dyn OpenTunnel) -> TunnelError {
        let url = open.url().to_owned();
        let name = self.tunneling.tunnel.name();
        tracing::info!(tunnel = name, url, webhook = format!("{url}{}", self.fixed.path), "the tunnel is open");
        self.reached_by(Some(&url));
        self.notices.end(name::TUNNEL).await;
        if !self.registers_tunnel() {
            tracing::info!("the webhook keeps its URL: {}", self.why_not_registered());
            return open.broken().await;
        }
        let callbacks = self.callbacks(&url);
        tokio::select! {
            error = open.broken() => error,
            () = self.keep_registered(&callbacks) => open.broken().await,
        }
    }

    /// Returns true if the provider should get the tunnel's URL.
    fn registers_tunnel(&self) -> bool {
        self.fixed.public.is_none() && self.tunneling.tunnel.is_public()
    }

    fn why_not_registered(&self) -> &'static str {
        if self.fixed.public.is_some() {
            "publicUrl is configured; the tunnel's URL is accepted as well"
        } else {
            "only your own network can reach the tunnel; set publicUrl, or use tailscale-funnel"
        }
    }

    fn callbacks(&self, url: &str) -> CallbackUrls {
        CallbackUrls {
            webhook: format!("{url}{}", self.fixed.path),
            status: format!("{url}{}", self.fixed.status_path),
        }
    }

    /// Adds `url` to the configured public URLs.
    fn reached_by(&self, url: Option<&str>) {
        let Reach { mut webhook, mut status, .. } = Reach::configured(self.fixed.public.as_ref());
        if let Some(CallbackUrls { webhook: of_webhook, status: of_status }) = url.map(|url| self.callbacks(url)) {
            let is_registered = self.registers_tunnel();
            webhook = webhook.with_tunnel(of_webhook, is_registered);
            status = status.with_tunnel(of_status, is_registered);
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

    /// Waits until the provider has our URL, set by us or by the operator.
    async fn keep_registered(&self, callbacks: &CallbackUrls) {
        let target = RouteTarget { sender: &self.fixed.sender, callbacks, takes_calls: self.tunneling.takes_calls };
        let mut failures = 0;
        loop {
            let (store, provider) = (self.store.as_ref(), self.provider.as_ref());
            let looked = match self.tunneling.syncs_webhooks {
                true => routing::sync(store, provider, target, self.clock.now()).await,
                false => routing::plan(store, provider, target).await,
            };
            match looked {
                Ok(plan) if self.tunneling.syncs_webhooks || plan.changes.is_empty() => {
                    log_plan(&plan);
                    return self.notices.end(&name::tunnel_url(&callbacks.webhook)).await;
                }
                Ok(_) => {
                    self.notify_operator(callbacks).await;
                    tokio::time::sleep(LOOK_EVERY).await;
                }
                Err(error) => {
                    failures += 1;
                    log_failure(&error);
                    tokio::time::sleep(pause(failures)).await;
                }
            }
        }
    }

    async fn notify_operator(&self, callbacks: &CallbackUrls) {
        self.notices.raise(Notice::TunnelUrlUnknown { webhook: callbacks.webhook.clone() }).await;
    }

    async fn report_trouble(&self, error: &TunnelError, failures: u32) {
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
            self.notices.raise(Notice::TunnelDown { tunnel: name.to_owned(), problem: text }).await;
        }
    }
}

async fn close(open: Box<dyn OpenTunnel>) {
    if tokio::time::timeout(CLOSE_TIMEOUT, open.close()).await.is_err() {
        tracing::warn!("the tunnel could not be closed in time");
    }
}

/// Returns the pause after this many consecutive failures.
fn pause(failures: u32) -> Duration {
    let doubled = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
    FIRST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE)
}

fn log_plan(plan: &RoutingPlan) {
    for change in &plan.changes {
        tracing::info!(address = change.address, setting = change.name, "the webhook now has the tunnel's URL");
    }
    for left in &plan.left {
        tracing::warn!(address = left.address, setting = left.name, "the webhook is unchanged: {}", left.why);
    }
    if !plan.missing.is_empty() {
        tracing::warn!("the account does not have {}", plan.missing.join(", "));
    }
}

fn log_failure(error: &RoutingError) {
    let cause = error.source().map(ToString::to_string);
    tracing::warn!(%error, cause, "cannot check the webhook's URL; retrying");
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
