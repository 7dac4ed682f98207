//! Assembles the daemon: spawns every task and waits for them at the end.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use telephony_domain::id::LineId;
use telephony_store::{LeaseHolder, StoreError};
use tokio::net::UnixListener;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::apply::Applier;
use crate::backfill::Backfill;
use crate::calls::CallRunner;
use crate::control::probe::{self, Probes};
use crate::control::status::{self, ConfigAlive, GatewayStatus, StatusSource};
use crate::damage::Damages;
use crate::inbox::TurnRunner;
use crate::intake::{Intake, WAITING_OPT_OUTS};
use crate::lock::GatewayLock;
use crate::metrics;
use crate::notices::Notices;
use crate::operator::Operator;
use crate::outbox::{InFlight, PartSender};
use crate::parts::Parts;
use crate::prices::Prices;
use crate::random;
use crate::reach::Reach;
use crate::recut::Signatures;
use crate::retention::Retention;
use crate::settings::{Fixed, Live};
use crate::storage::{Storage, StorageWatch};
use crate::tasks::{BrokenTask, Tasks};
use crate::tunnel::Keeper;
use crate::unanswered::Unanswered;
use crate::unknown_numbers::UnknownNumbers;
use crate::wake::Wake;
use crate::webhook::descriptors::{self, Descriptors};
use crate::webhook::media_server::MediaServer;
use crate::webhook::origin::Origin;
use crate::webhook::permits::Permits;
use crate::webhook::receive::Endpoint;
use crate::webhook::rejection_log::RejectionLog;
use crate::webhook::{self, Endpoints, listener};

/// Webhooks in flight beyond the limit, to which only calls get an answer.
const RESERVE: usize = 32;

/// Largest number of simultaneous downloads; each is in memory until it is on disk.
const DOWNLOADS: usize = 8;

/// Time limit for stopping, whatever hangs: service managers kill after 10 s.
const STOP_WITHIN: Duration = Duration::from_secs(7);

/// A running gateway.
pub struct Gateway {
    address: SocketAddr,
    line: LineId,
    stopper: DropGuard,
    tasks: Tasks,
    live: watch::Sender<Arc<Live>>,
    status: Arc<StatusSource>,
    notices: Notices,
    _lock: GatewayLock,
}

/// A reason why the gateway did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store failed.
    #[error("failed to take over the message store")]
    Store(#[from] StoreError),
    /// The listener has no address.
    #[error("failed to listen")]
    Listener(#[from] std::io::Error),
}

impl Gateway {
    /// Starts all tasks, after taking over the unfinished work of an earlier gateway.
    pub async fn start(parts: Parts) -> Result<Gateway, StartError> {
        let address = parts.listener.local_addr()?;
        let holder = LeaseHolder(format!("gateway-{}", random::name()));
        let line = take_over(&parts, &holder).await?;

        let stop = CancellationToken::new();
        let mut tasks = Tasks::new();
        let probes = Arc::new(Probes::default());
        if let Some(socket) = listen_for_probes(&parts) {
            tasks.spawn("probes", stop.clone(), probe::serve(socket, probes.clone(), stop.clone()));
        }
        let (live, live_now) = watch::channel(Arc::new(parts.settings.live.clone().on_line(line)));
        let (reach, reach_now) = watch::channel(Reach::configured(parts.settings.fixed.public.as_ref()));
        let shared = Shared::new(&parts, live_now, reach_now);
        let signatures = Arc::new(Signatures::default());
        let applier = Arc::new(applier(&parts, &shared, &signatures));
        let status = Arc::new(status_source(&parts, &shared, address));
        if let Some(socket) = listen_for_pokes(&parts) {
            let commands = status::serve(socket, status.clone(), shared.wake.clone(), stop.clone());
            tasks.spawn("commands", stop.clone(), commands);
        }
        let inbox = inbox(&parts, &shared, &holder);
        let answering = inbox.clone().run(stop.clone());
        tasks.spawn("turns", stop.clone(), once_cleared(applier.clone(), stop.clone(), answering));
        tasks.spawn_dropped("agent", stop.clone(), inbox.run_comeback(stop.clone()));
        let calls = Arc::new(call_runner(&parts, &shared, &holder, &stop));
        tasks.spawn_dropped("calls", stop.clone(), calls.clone().run());
        let outbox = outbox(&parts, &shared, holder);
        let sending = outbox.clone().run(shared.live.clone(), stop.clone());
        tasks.spawn("messages", stop.clone(), once_cleared(applier.clone(), stop.clone(), sending));
        tasks.spawn_dropped("doubts", stop.clone(), outbox.clone().run_reconcile(stop.clone()));
        tasks.spawn_dropped("statuses", stop.clone(), outbox.clone().run_poll(stop.clone()));
        tasks.spawn_dropped("account", stop.clone(), outbox.clone().run_probes(stop.clone()));
        tasks.spawn_dropped("numbers", stop.clone(), numbers(&parts, &shared).run(stop.clone()));
        tasks.spawn_dropped("prices", stop.clone(), prices(&parts).run(stop.clone()));
        tasks.spawn("operator", stop.clone(), operator(&parts, &shared, line).run(stop.clone()));
        tasks.spawn("retention", stop.clone(), retention(&parts, &shared).run(stop.clone()));
        let no_more_arrivals = CancellationToken::new();
        let last_arrival = no_more_arrivals.clone().drop_guard();
        let storage_watch = StorageWatch {
            storage: shared.storage.clone(),
            store: parts.store.clone(),
            journal: parts.journal.clone(),
            notices: shared.notices.clone(),
        };
        tasks.spawn_dropped("storage", stop.clone(), storage_watch.run(stop.clone()));
        tasks.spawn("arrivals", no_more_arrivals.clone(), applier.clone().run(no_more_arrivals));
        tasks.spawn_dropped(
            "backfill",
            stop.clone(),
            backfill(&parts, applier, outbox, &shared.wake).run(stop.clone()),
        );
        if let Some(keeper) = Keeper::new(&parts, address, reach, shared.notices.clone()) {
            tasks.spawn("tunnel", stop.clone(), keeper.run(stop.clone()));
        }
        let intake = Arc::new(intake(&parts, &shared, signatures));
        let router = router(&parts, &shared, intake, calls, probes);
        let watch = metrics::server::router(watch(&parts, &shared));
        if let Some(listener) = parts.watch {
            tasks.spawn("metrics", stop.clone(), listener::serve(listener, watch, stop.clone()));
        }
        let listening = stop.clone();
        tasks.spawn("webhooks", stop.clone(), async move {
            listener::serve(parts.listener, router, listening).await;
            drop(last_arrival);
        });
        Ok(Gateway {
            address,
            line,
            stopper: stop.drop_guard(),
            tasks,
            live,
            status,
            notices: shared.notices,
            _lock: parts.lock,
        })
    }

    /// Returns the address of the public listener.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the notices to the operator.
    pub fn notices(&self) -> &Notices {
        &self.notices
    }

    /// Applies new settings. Running work continues with the settings it has read.
    pub async fn follow(&self, live: Live) -> Result<(), StoreError> {
        let pacing = live.terms.pacing;
        self.live.send_replace(Arc::new(live.on_line(self.line)));
        self.notices.store.probe_soon(self.notices.clock.now()).await?;
        self.notices.wake.all();
        self.notices.store.bound_queues(pacing).await
    }

    /// Sets the reported state of the configuration.
    pub fn set_config(&self, config: ConfigAlive) {
        *self.status.config.write().unwrap_or_else(PoisonError::into_inner) = Some(config);
    }

    /// Waits until a task breaks: the gateway cannot continue and should be restarted.
    pub async fn broken(&self) -> BrokenTask {
        self.tasks.broken().await
    }

    /// Accepts no new work, lets running work finish or hands it back, and returns when everything has ended, after 7 s
    /// at the latest.
    pub async fn stop(self) {
        drop(self.stopper);
        self.tasks.end_within(STOP_WITHIN).await;
    }
}

/// Claims our line and releases the work of a gateway that is gone.
async fn take_over(parts: &Parts, holder: &LeaseHolder) -> Result<LineId, StoreError> {
    let now = parts.clock.now();
    let line = parts.store.claim_line(parts.settings.fixed.sender.clone(), now).await?;
    parts.store.bound_queues(parts.settings.live.terms.pacing).await?;
    // From the first start on, incoming messages are looked for, even if this process ends right away.
    parts.store.gaps(now).await?;
    let turns = parts.store.free_turns(holder, now).await?;
    let doubts = parts.store.take_over_attempts(holder, now).await?;
    let calls = parts.store.free_calls(holder, now).await?;
    parts.store.probe_soon(now).await?;
    if turns + doubts + calls > 0 {
        tracing::info!(turns, doubts, calls, "took over the unfinished work of an earlier gateway");
    }
    Ok(line)
}

/// Runs `work` once all earlier messages are stored, because one of them may be an opt-out.
async fn once_cleared(applier: Arc<Applier>, stop: CancellationToken, work: impl Future<Output = ()>) {
    if stop.run_until_cancelled(applier.cleared()).await.is_some() {
        work.await;
    }
}

/// Handles that the tasks share.
struct Shared {
    live: watch::Receiver<Arc<Live>>,
    reach: watch::Receiver<Reach>,
    wake: Arc<Wake>,
    storage: Arc<Storage>,
    notices: Notices,
}

impl Shared {
    fn new(parts: &Parts, live: watch::Receiver<Arc<Live>>, reach: watch::Receiver<Reach>) -> Self {
        let wake = Arc::new(Wake::default());
        let notices = Notices { store: parts.store.clone(), clock: parts.clock.clone(), wake: wake.clone() };
        Self { live, reach, wake, storage: Arc::default(), notices }
    }
}

fn applier(parts: &Parts, shared: &Shared, signatures: &Arc<Signatures>) -> Applier {
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

fn intake(parts: &Parts, shared: &Shared, signatures: Arc<Signatures>) -> Intake {
    Intake {
        journal: parts.journal.clone(),
        store: parts.store.clone(),
        clock: parts.clock.clone(),
        checks_signatures: parts.settings.fixed.checks_signatures,
        signatures,
        waiting_opt_outs: Semaphore::new(WAITING_OPT_OUTS),
        storage: shared.storage.clone(),
    }
}

fn backfill(parts: &Parts, applier: Arc<Applier>, outbox: Arc<PartSender>, wake: &Arc<Wake>) -> Backfill {
    let (store, provider, clock) = (parts.store.clone(), parts.provider.clone(), parts.clock.clone());
    Backfill { store, provider, applier, clock, wake: wake.clone(), metrics: parts.metrics.clone(), outbox }
}

fn router(
    parts: &Parts,
    shared: &Shared,
    intake: Arc<Intake>,
    calls: Arc<CallRunner>,
    probes: Arc<Probes>,
) -> axum::Router {
    let fixed = &parts.settings.fixed;
    let webhook = Endpoint {
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
    let status = Endpoint { urls: |reach| &reach.status, ..webhook.clone() };
    let (path, status_path) = (fixed.path.clone(), fixed.status_path.clone());
    let media_server = MediaServer { store: parts.store.clone(), clock: parts.clock.clone() };
    webhook::router(Endpoints { path, webhook, status_path, status, media_server })
}

fn origin(fixed: &Fixed, has_tunnel: bool) -> Origin {
    Origin {
        has_tunnel,
        allowed_hosts: fixed.allowed_hosts.clone(),
        trusts_forwarding: fixed.trusts_forwarding,
        trusted_proxies: fixed.trusted_proxies.clone(),
    }
}

fn watch(parts: &Parts, shared: &Shared) -> metrics::server::Watch {
    metrics::server::Watch {
        metrics: parts.metrics.clone(),
        store: parts.store.clone(),
        journal: parts.journal.clone(),
        live: shared.live.clone(),
        program: parts.settings.fixed.program,
        clock: parts.clock.clone(),
    }
}

fn inbox(parts: &Parts, shared: &Shared, holder: &LeaseHolder) -> Arc<TurnRunner> {
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

fn call_runner(parts: &Parts, shared: &Shared, holder: &LeaseHolder, stop: &CancellationToken) -> CallRunner {
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

fn outbox(parts: &Parts, shared: &Shared, holder: LeaseHolder) -> Arc<PartSender> {
    Arc::new(PartSender {
        store: parts.store.clone(),
        provider: parts.provider.clone(),
        reach: shared.reach.clone(),
        metrics: parts.metrics.clone(),
        holder,
        clock: parts.clock.clone(),
        wake: shared.wake.clone(),
        storage: shared.storage.clone(),
        in_flight: InFlight::default(),
    })
}

fn numbers(parts: &Parts, shared: &Shared) -> UnknownNumbers {
    UnknownNumbers {
        store: parts.store.clone(),
        provider: parts.provider.clone(),
        clock: parts.clock.clone(),
        wake: shared.wake.clone(),
        storage: shared.storage.clone(),
    }
}

fn prices(parts: &Parts) -> Prices {
    Prices { store: parts.store.clone(), provider: parts.provider.clone(), clock: parts.clock.clone() }
}

fn operator(parts: &Parts, shared: &Shared, line: LineId) -> Operator {
    Operator {
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

fn retention(parts: &Parts, shared: &Shared) -> Retention {
    let (store, journal) = (parts.store.clone(), parts.journal.clone());
    Retention { store, journal, clock: parts.clock.clone(), live: shared.live.clone() }
}

/// Opens the command socket. Without it, commands are noticed a second later, which is no reason not to start.
fn listen_for_pokes(parts: &Parts) -> Option<UnixListener> {
    match status::listen(&parts.state) {
        Ok(socket) => Some(socket),
        Err(error) => {
            tracing::warn!(%error, "cannot open the command socket; commands are noticed within a second");
            None
        }
    }
}

/// Opens the probe socket. Without it, only `doctor` lacks its round trip, which is no reason not to start.
fn listen_for_probes(parts: &Parts) -> Option<UnixListener> {
    let opened = probe::listen(&parts.state);
    opened.inspect_err(|error| tracing::warn!(%error, "cannot open the socket for doctor's round trip")).ok()
}

fn status_source(parts: &Parts, shared: &Shared, address: SocketAddr) -> StatusSource {
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
