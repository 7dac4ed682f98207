//! `openclaw gateway`: the channel, in the foreground.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use telephony_config::{Loaded, ProviderName, PublicUrl};
use telephony_domain::time::SystemClock;
use telephony_gateway::gateway::Gateway as Running;
use telephony_gateway::lock::{GatewayLock, LockError};
use telephony_gateway::parts::Parts;
use telephony_gateway::tasks::BrokenTask;
use telephony_store::sqlite::Mode;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;

use crate::failure::{Failure, Outcome};
use crate::place::Place;
use crate::reload::Files;
use crate::{assemble, logging, supervisor};

/// Threads that wait for the system get this long to end; nothing depends on them.
const THREADS_END_WITHIN: Duration = Duration::from_millis(500);

/// Run the channel in the foreground.
#[derive(Debug, Args)]
pub struct Gateway {
    /// What OpenClaw's own gateway is told: the same as nothing
    #[arg(hide = true, value_parser = ["run"])]
    run: Option<String>,
    /// Use the message store that is there, or begin an empty one, although another was used before
    #[arg(long)]
    accept_store: bool,
}

impl Gateway {
    /// Runs until a signal says stop.
    pub fn run(self, place: &Place) -> Outcome {
        logging::start(logging::Level::Everything);
        let files = Files::read(place)?;
        check_enabled(files.started_with())?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.context("cannot start the runtime")?;
        let outcome = runtime.block_on(serve(files, self.accept_store));
        // A name that is looked up in vain keeps a thread for half a minute.
        runtime.shutdown_timeout(THREADS_END_WITHIN);
        outcome
    }
}

fn check_enabled(loaded: &Loaded) -> Result<(), Failure> {
    if loaded.telephony.enabled {
        return Ok(());
    }
    Err(Failure::new("the telephony channel is not enabled").hint("set channels.telephony.enabled: true"))
}

async fn serve(mut files: Files, accepts_store: bool) -> Outcome {
    let mut signals = Signals::listen()?;
    let loaded = files.started_with().clone();
    let telephony = &loaded.telephony;
    if GatewayLock::is_taken(&loaded.state) {
        // Of two gateways for one state folder, the second is to hear of the first, not of its port.
        return Err(locked(&LockError::Taken(loaded.state)));
    }
    let address = SocketAddr::new(telephony.serve.bind, telephony.serve.port);
    let listener = TcpListener::bind(address).await.map_err(|error| cannot_listen(address, "serve", &error))?;
    let watch = match telephony.metrics.address {
        Some(address) => {
            let bound = TcpListener::bind(address).await;
            Some(bound.map_err(|error| cannot_listen(address, "metrics", &error))?)
        }
        None => None,
    };
    let address = listener.local_addr()?;
    let store = assemble::open_store_unless(&loaded, Mode::Gateway, accepts_store)?;
    let lock = GatewayLock::take(&loaded.state).map_err(|error| locked(&error))?;
    let (provider, simulator) = match telephony.provider {
        Some(ProviderName::Simulator) => assemble::simulator(telephony, address).await?,
        _ => (assemble::provider(&loaded)?, None),
    };
    let agent = telephony_agents::from_config(&telephony.agent.kind, &loaded.environment);
    let running = Running::start(Parts {
        lock,
        state: loaded.state.clone(),
        listener,
        store: store.clone(),
        journal: assemble::open_journal(&loaded)?,
        provider,
        agent: agent.clone(),
        tunnel: assemble::tunnel(&loaded),
        clock: Arc::new(SystemClock),
        settings: assemble::settings(telephony),
        metrics: Arc::default(),
        watch,
    })
    .await?;
    greet(&loaded, running.address(), agent.name());
    files.tell(&running);
    let life = supervisor::show_life(store);
    supervisor::ready();
    let broken = tokio::select! {
        () = signals.serve_until_stop(&mut files, &running) => None,
        broken = running.broken() => Some(broken),
    };
    supervisor::stopping();
    tracing::info!("stopping: no new work is taken; a second signal ends at once");
    tokio::select! {
        () = running.stop() => tracing::info!("stopped"),
        code = signals.stop() => {
            tracing::warn!("ended at once; what was under way is taken up at the next start");
            std::process::exit(code);
        }
    }
    life.inspect(JoinHandle::abort);
    drop(simulator);
    outcome(broken)
}

/// A gateway that is broken ends as a failure, so that a service manager starts it again.
fn outcome(broken: Option<BrokenTask>) -> Outcome {
    match broken {
        Some(broken) => Err(Failure::new(broken).hint("report it with the log; a service manager starts it again")),
        None => Ok(ExitCode::SUCCESS),
    }
}

/// Sent where a file reaches the size that the system allows (`ulimit -f`); ends a process that does not handle it. Its number
/// is the same on Linux and macOS. Handled, the write fails instead, and says why.
const FILE_TOO_LARGE: SignalKind = SignalKind::from_raw(25);

/// What a person or a service manager tells the process.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    _file_too_large: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Signals> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
            _file_too_large: signal(FILE_TOO_LARGE)?,
        })
    }

    /// Follows what is changed in `files`, and reads them anew at a hang-up, until somebody says stop.
    async fn serve_until_stop(&mut self, files: &mut Files, running: &Running) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hang_up.recv() => {}
                () = files.changed() => {}
            }
            supervisor::reloading();
            files.follow(running).await;
            supervisor::ready();
        }
    }

    /// Waits until somebody says stop, and says which code a shell expects of a process that this signal ended.
    async fn stop(&mut self) -> i32 {
        let (signal, _) = tokio::select! {
            got = self.terminate.recv() => (SignalKind::terminate(), got),
            got = self.interrupt.recv() => (SignalKind::interrupt(), got),
        };
        128 + signal.as_raw_value()
    }
}

/// Says in the log what a person wants to know at the start.
fn greet(loaded: &Loaded, address: SocketAddr, agent: &str) {
    let telephony = &loaded.telephony;
    let webhook = telephony.public_url.as_ref().map(PublicUrl::webhook);
    let policy = telephony.policy.inbound.as_str();
    tracing::info!(listening = %address, webhook, agent, policy, "the telephony gateway is up");
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    if telephony.skip_signature_verification {
        tracing::warn!("SIGNATURES ARE NOT CHECKED: anybody who reaches this port can pose as Twilio and as anyone");
    }
    if webhook.is_none() && telephony.tunnel.provider.is_none() {
        tracing::warn!("no publicUrl is set: Twilio is given no address for reports, so statuses are asked for");
    }
}

fn cannot_listen(address: SocketAddr, section: &str, error: &std::io::Error) -> Failure {
    let failure = Failure::new(format!("cannot listen on {address}: {error}"));
    let key = format!("channels.telephony.{section}");
    match error.kind() {
        std::io::ErrorKind::AddrInUse => failure.hint(format!(
            "another program, perhaps a gateway with another state folder, has the port: stop it, or set {key}.port"
        )),
        std::io::ErrorKind::AddrNotAvailable => {
            failure.hint(format!("set {key}.bind to an address of this machine, or to 0.0.0.0 for all of them"))
        }
        std::io::ErrorKind::PermissionDenied => {
            failure.hint(format!("ports below 1024 need special rights: set {key}.port"))
        }
        _ => failure,
    }
}

fn locked(error: &LockError) -> Failure {
    let failure = Failure::new(error);
    match error {
        LockError::Taken(_) => {
            failure.hint("one gateway is enough for a state folder; `openclaw telephony status` shows it")
        }
        LockError::Unusable(_, cause) => failure.hint(format!("{cause}: check owner and mode of the state folder")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_gateway_is_a_failure_that_names_the_task() {
        for broken in [BrokenTask::Panicked("messages"), BrokenTask::Ended("messages")] {
            let failure = outcome(Some(broken)).unwrap_err();
            assert!(format!("{failure:?}").contains("`messages`"), "{failure:?}");
            assert_eq!(format!("{:?}", failure.code()), format!("{:?}", ExitCode::FAILURE));
        }
        assert!(outcome(None).is_ok());
    }
}
