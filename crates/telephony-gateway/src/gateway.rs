//! Runs the daemon: spawns every task and waits for them at the end.

mod components;

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use telephony_domain::id::LineId;
use telephony_store::{LeaseHolder, StoreError};
use tokio::net::UnixListener;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use self::components::SharedHandles;
use crate::apply::Applier;
use crate::control::probe::{self, Probes};
use crate::control::status::{self, ConfigAlive, StatusSource};
use crate::lock::GatewayLock;
use crate::metrics;
use crate::notices::NoticeWriter;
use crate::parts::Parts;
use crate::random;
use crate::reach::Reach;
use crate::settings::Live;
use crate::stop::GRACE;
use crate::tampering::Signatures;
use crate::tasks::{BrokenTask, Tasks};
use crate::tunnel::Keeper;
use crate::webhook::listener;

/// Time limit for stopping, whatever hangs: service managers kill after 10 s.
const STOP_TIMEOUT: Duration = Duration::from_secs(7);

/// A running gateway; its tasks end when it is stopped.
pub struct Gateway {
    address: SocketAddr,
    line: LineId,
    stopper: DropGuard,
    tasks: Tasks,
    live: watch::Sender<Arc<Live>>,
    status: Arc<StatusSource>,
    notices: NoticeWriter,
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
        let shared = SharedHandles::new(&parts, live_now, reach_now);
        let signatures = Arc::new(Signatures::default());
        let applier = Arc::new(components::applier(&parts, &shared, &signatures));
        let status = Arc::new(components::status_source(&parts, &shared, address));
        if let Some(socket) = listen_for_pokes(&parts) {
            let commands = status::serve(socket, status.clone(), shared.wake.clone(), stop.clone());
            tasks.spawn("commands", stop.clone(), commands);
        }
        let inbox = components::inbox(&parts, &shared, &holder);
        // The tasks that write and send answers.
        let answers = TaskTracker::new();
        answers.close();
        let answering = once_cleared(applier.clone(), stop.clone(), inbox.clone().run(stop.clone()));
        tasks.spawn("turns", stop.clone(), answers.track_future(answering));
        tasks.spawn_dropped("agent", stop.clone(), inbox.run_comeback(stop.clone()));
        let calls = Arc::new(components::call_runner(&parts, &shared, &holder, &stop));
        tasks.spawn_dropped("calls", stop.clone(), calls.clone().run());
        let outbox = components::outbox(&parts, &shared, holder);
        let sending = outbox.clone().run(shared.live.clone(), stop.clone());
        let sending = once_cleared(applier.clone(), stop.clone(), sending);
        tasks.spawn("messages", stop.clone(), answers.track_future(sending));
        tasks.spawn_dropped("doubts", stop.clone(), outbox.clone().run_reconcile(stop.clone()));
        tasks.spawn_dropped("statuses", stop.clone(), outbox.clone().run_poll(stop.clone()));
        tasks.spawn_dropped("account", stop.clone(), outbox.clone().run_probes(stop.clone()));
        tasks.spawn_dropped("numbers", stop.clone(), components::numbers(&parts, &shared).run(stop.clone()));
        tasks.spawn_dropped("prices", stop.clone(), components::prices(&parts).run(stop.clone()));
        tasks.spawn("operator", stop.clone(), components::operator(&parts, &shared, line).run(stop.clone()));
        tasks.spawn("retention", stop.clone(), components::retention(&parts, &shared).run(stop.clone()));
        let no_more_arrivals = CancellationToken::new();
        let last_arrival = no_more_arrivals.clone().drop_guard();
        tasks.spawn_dropped("storage", stop.clone(), components::storage_watch(&parts, &shared).run(stop.clone()));
        tasks.spawn("arrivals", no_more_arrivals.clone(), applier.clone().run(no_more_arrivals));
        tasks.spawn_dropped(
            "backfill",
            stop.clone(),
            components::backfill(&parts, applier, calls.clone(), outbox, &shared.wake).run(stop.clone()),
        );
        if let Some(keeper) = Keeper::new(&parts, address, reach, shared.notices.clone()) {
            tasks.spawn("tunnel", stop.clone(), keeper.run(stop.clone()));
        }
        let intake = Arc::new(components::intake(&parts, &shared, signatures));
        let router = components::router(&parts, &shared, intake, calls, probes);
        let watch = metrics::server::router(components::watch(&parts, &shared));
        if let Some(listener) = parts.watch {
            tasks.spawn("metrics", stop.clone(), listener::serve(listener, watch, stop.clone()));
        }
        let stopping = stop.clone();
        tasks.spawn("webhooks", stop.clone(), async move {
            // Open calls make requests meanwhile; Twilio ends a call whose request finds the port closed.
            let close = CancellationToken::new();
            let close_after_answers = async {
                stopping.cancelled().await;
                timeout(GRACE, answers.wait()).await.ok();
                close.cancel();
            };
            tokio::join!(listener::serve(parts.listener, router, close.clone()), close_after_answers);
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
    pub fn notices(&self) -> &NoticeWriter {
        &self.notices
    }

    /// Applies new settings. Running work continues with the settings it has read.
    pub async fn follow(&self, live: Live) -> Result<(), StoreError> {
        let terms = live.terms;
        self.live.send_replace(Arc::new(live.on_line(self.line)));
        self.notices.store.probe_soon(self.notices.clock.now()).await?;
        self.notices.wake.all();
        self.notices.store.bound_queues(terms).await
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
        self.tasks.end_within(STOP_TIMEOUT).await;
    }
}

/// Claims our line and releases the work of a gateway that is gone.
async fn take_over(parts: &Parts, holder: &LeaseHolder) -> Result<LineId, StoreError> {
    let now = parts.clock.now();
    let line = parts.store.claim_line(parts.provider.carrier().name, parts.settings.fixed.sender.clone(), now).await?;
    parts.store.bound_queues(parts.settings.live.terms).await?;
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
