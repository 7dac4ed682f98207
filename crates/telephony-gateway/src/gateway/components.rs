//! The components of the gateway, made of its parts and the handles that they share.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, RwLock};

use telephony_domain::id::LineId;
use telephony_store::LeaseHolder;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

use crate::apply::Applier;
use crate::backfill::Backfill;
use crate::calls::CallRunner;
use crate::control::probe::Probes;
use crate::control::status::{GatewayStatus, StatusSource};
use crate::damage::Damages;
use crate::inbox::TurnRunner;
use crate::intake::{Intake, WAITING_OPT_OUTS};
use crate::metrics;
use crate::notices::NoticeWriter;
use crate::operator::OperatorTask;
use crate::outbox::{AttemptsInFlight, PartSender};
use crate::parts::Parts;
use crate::prices::Prices;
use crate::reach::Reach;
use crate::retention::Retention;
use crate::settings::{Fixed, Live};
use crate::storage::{Storage, StorageWatch};
use crate::tampering::Signatures;
use crate::unanswered::Unanswered;
use crate::unknown_numbers::UnknownNumbers;
use crate::wake::Wake;
use crate::webhook::descriptors::{self, Descriptors};
use crate::webhook::media_server::MediaServer;
use crate::webhook::origin::RequestOrigin;
use crate::webhook::permits::Permits;
use crate::webhook::receive::WebhookEndpoint;
use crate::webhook::rejection_log::RejectionLog;
use crate::webhook::{self, Endpoints};

/// Webhooks in flight beyond the limit, to which only calls get an answer.
const RESERVE: usize = 32;

/// Largest number of simultaneous downloads; each is in memory until it is on disk.
const DOWNLOADS: usize = 8;

/// Handles that the tasks share.
pub(super) struct SharedHandles {
    pub(super) live: watch::Receiver<Arc<Live>>,
    pub(super) reach: watch::Receiver<Reach>,
    pub(super) wake: Arc<Wake>,
    pub(super) storage: Arc<Storage>,
    pub(super) notices: NoticeWriter,
}

impl SharedHandles {
    pub(super) fn new(parts: &Parts, live: watch::Receiver<Arc<Live>>, reach: watch::Receiver<Reach>) -> Self {
        let wake = Arc::new(Wake::default());
        let notices = NoticeWriter {
            store: parts.store.clone(),
            clock: parts.clock.clone(),
            wake: wake.clone(),
            company: parts.provider.carrier().company,
        };
        Self { live, reach, wake, storage: Arc::default(), notices }
    }
}

pub(super) fn applier(parts: &Parts, shared: &SharedHandles, signatures: &Arc<Signatures>) -> Applier {
    let damages = Damages { notices: shared.notices.clone(), found: Mutex::default() };
    Applier {
        journal: parts.journal.clone(),
        store: parts.store.clone(),
        provider: parts.provider.clone(),
        live: shared.live.clone(),
        wake: shared.wake.clone(),
        metrics: parts.metrics.clone(),
        unanswered: Unanswered::default(),
        checks_signatures: parts.settings.fixed.checks_signatures,
        signatures: signatures.clone(),
        storage: shared.storage.clone(),
        notices: shared.notices.clone(),
        damages,
    }
}

pub(super) fn intake(parts: &Parts, shared: &SharedHandles, signatures: Arc<Signatures>) -> Intake {
    Intake {
        provider: parts.provider.carrier().name,
        journal: parts.journal.clone(),
        store: parts.store.clone(),
        clock: parts.clock.clone(),
        checks_signatures: parts.settings.fixed.checks_signatures,
        signatures,
        waiting_opt_outs: Semaphore::new(WAITING_OPT_OUTS),
        storage: shared.storage.clone(),
    }
}

pub(super) fn backfill(
    parts: &Parts,
    applier: Arc<Applier>,
    calls: Arc<CallRunner>,
    outbox: Arc<PartSender>,
    wake: &Arc<Wake>,
) -> Backfill {
    let (store, provider, clock) = (parts.store.clone(), parts.provider.clone(), parts.clock.clone());
    Backfill { store, provider, applier, calls, clock, wake: wake.clone(), metrics: parts.metrics.clone(), outbox }
}

pub(super) fn router(
    parts: &Parts,
    shared: &SharedHandles,
    intake: Arc<Intake>,
    calls: Arc<CallRunner>,
    probes: Arc<Probes>,
) -> axum::Router {
    let fixed = &parts.settings.fixed;
    let webhook = WebhookEndpoint {
        provider: parts.provider.clone(),
        origin: Arc::new(origin(fixed, parts.tunnel.is_some())),
        reach: shared.reach.clone(),
        urls: |reach| &reach.webhook,
        permits: Permits::new(fixed.webhooks_in_flight),
        reserve: Permits::new(RESERVE),
        rejection_log: Arc::new(RejectionLog::default()),
        probes,
        intake,
        calls,
        notices: shared.notices.clone(),
        clock: parts.clock.clone(),
        metrics: parts.metrics.clone(),
    };
    let status = WebhookEndpoint { urls: |reach| &reach.status, ..webhook.clone() };
    let (path, status_path) = (fixed.path.clone(), fixed.status_path.clone());
    let media_server = MediaServer { store: parts.store.clone(), clock: parts.clock.clone() };
    webhook::router(Endpoints { path, webhook, status_path, status, media_server })
}

fn origin(fixed: &Fixed, has_tunnel: bool) -> RequestOrigin {
    RequestOrigin {
        has_tunnel,
        allowed_hosts: fixed.allowed_hosts.clone(),
        trusts_forwarding: fixed.trusts_forwarding,
        trusted_proxies: fixed.trusted_proxies.clone(),
    }
}

pub(super) fn watch(parts: &Parts, shared: &SharedHandles) -> metrics::server::MetricsSource {
    metrics::server::MetricsSource {
        metrics: parts.metrics.clone(),
        store: parts.store.clone(),
        journal: parts.journal.clone(),
        live: shared.live.clone(),
        program: parts.settings.fixed.program,
        clock: parts.clock.clone(),
    }
}

pub(super) fn inbox(parts: &Parts, shared: &SharedHandles, holder: &LeaseHolder) -> Arc<TurnRunner> {
    Arc::new(TurnRunner {
        store: parts.store.clone(),
        provider: parts.provider.clone(),
        downloads: Semaphore::new(DOWNLOADS),
        reach: shared.reach.clone(),
        live: shared.live.clone(),
        program: parts.settings.fixed.program,
        metrics: parts.metrics.clone(),
        sessions: Arc::new(Semaphore::new(parts.settings.fixed.max_sessions.min(descriptors::agents()))),
        holder: holder.clone(),
        clock: parts.clock.clone(),
        wake: shared.wake.clone(),
        storage: shared.storage.clone(),
    })
}

pub(super) fn call_runner(
    parts: &Parts,
    shared: &SharedHandles,
    holder: &LeaseHolder,
    stop: &CancellationToken,
) -> CallRunner {
    CallRunner {
        store: parts.store.clone(),
        provider: parts.provider.clone(),
        live: shared.live.clone(),
        reach: shared.reach.clone(),
        program: parts.settings.fixed.program,
        most_calls: parts.settings.fixed.max_sessions,
        holder: holder.clone(),
        clock: parts.clock.clone(),
        wake: shared.wake.clone(),
        storage: shared.storage.clone(),
        stop: stop.clone(),
        documents: Default::default(),
    }
}

pub(super) fn outbox(parts: &Parts, shared: &SharedHandles, holder: LeaseHolder) -> Arc<PartSender> {
    Arc::new(PartSender {
        store: parts.store.clone(),
        provider: parts.provider.clone(),
        reach: shared.reach.clone(),
        metrics: parts.metrics.clone(),
        holder,
        clock: parts.clock.clone(),
        wake: shared.wake.clone(),
        storage: shared.storage.clone(),
        in_flight: AttemptsInFlight::default(),
    })
}

pub(super) fn numbers(parts: &Parts, shared: &SharedHandles) -> UnknownNumbers {
    UnknownNumbers {
        store: parts.store.clone(),
        provider: parts.provider.clone(),
        clock: parts.clock.clone(),
        wake: shared.wake.clone(),
        storage: shared.storage.clone(),
    }
}

pub(super) fn prices(parts: &Parts) -> Prices {
    Prices { store: parts.store.clone(), provider: parts.provider.clone(), clock: parts.clock.clone() }
}

pub(super) fn operator(parts: &Parts, shared: &SharedHandles, line: LineId) -> OperatorTask {
    OperatorTask {
        store: parts.store.clone(),
        live: shared.live.clone(),
        program: parts.settings.fixed.program,
        line,
        provider: parts.provider.clone(),
        clock: parts.clock.clone(),
        wake: shared.wake.clone(),
        storage: shared.storage.clone(),
    }
}

pub(super) fn retention(parts: &Parts, shared: &SharedHandles) -> Retention {
    let (store, journal) = (parts.store.clone(), parts.journal.clone());
    Retention { store, journal, clock: parts.clock.clone(), live: shared.live.clone() }
}

pub(super) fn status_source(parts: &Parts, shared: &SharedHandles, address: SocketAddr) -> StatusSource {
    let fixed = GatewayStatus {
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        listening: address.to_string(),
        webhook_url: None,
        checks_signatures: parts.settings.fixed.checks_signatures,
        agent: String::new(),
        tunnel: None,
        storage: None,
        metrics: parts.watch.as_ref().and_then(|watch| watch.local_addr().ok()).map(|address| address.to_string()),
        config: None,
        descriptors: Some(Descriptors::expected(parts.settings.fixed.max_sessions)),
    };
    let (live, reach) = (shared.live.clone(), shared.reach.clone());
    StatusSource { fixed, live, reach, config: RwLock::default(), storage: shared.storage.clone() }
}

pub(super) fn storage_watch(parts: &Parts, shared: &SharedHandles) -> StorageWatch {
    StorageWatch {
        storage: shared.storage.clone(),
        store: parts.store.clone(),
        journal: parts.journal.clone(),
        notices: shared.notices.clone(),
    }
}
