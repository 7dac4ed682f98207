//! `openclaw gateway`: runs the channel in the foreground.

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

use crate::config_arg::ConfigArg;
use crate::failure::{Failure, Outcome};
use crate::reload::WatchedFiles;
use crate::{assemble, logging, supervisor};

/// Time for blocked threads to end; nothing depends on them.
const THREADS_TIMEOUT: Duration = Duration::from_millis(500);

/// Run the channel in the foreground
#[derive(Debug, Args)]
pub struct GatewayArgs {
    /// Accepted for compatibility with `openclaw gateway run`; changes nothing
    #[arg(hide = true, value_parser = ["run"])]
    run: Option<String>,
    /// Accept a different or new, empty message store in place of the one used before
    #[arg(long)]
    accept_store: bool,
}

impl GatewayArgs {
    /// Runs the gateway until a signal stops it.
    pub fn run(self, config_arg: &ConfigArg) -> Outcome {
        logging::start(logging::Level::Everything);
        let files = WatchedFiles::read(config_arg)?;
        check_enabled(files.started_with())?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.context("cannot start the runtime")?;
        let outcome = runtime.block_on(serve(files, self.accept_store));
        // A DNS lookup without an answer blocks its thread for half a minute.
        runtime.shutdown_timeout(THREADS_TIMEOUT);
        outcome
    }
}

fn check_enabled(loaded: &Loaded) -> Result<(), Failure> {
    if loaded.telephony.enabled {
        return Ok(());
    }
    Err(Failure::new("the telephony channel is not enabled").hint("set channels.telephony.enabled: true"))
}

async fn serve(mut files: WatchedFiles, accepts_store: bool) -> Outcome {
    let mut signals = Signals::listen()?;
    let loaded = files.started_with().clone();
    let telephony = &loaded.telephony;
    if GatewayLock::is_taken(&loaded.state) {
        // If two gateways share a state folder, the second reports the first, not the port that is taken.
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
        tunnel: assemble::tunnel(&loaded),
        clock: Arc::new(SystemClock),
        settings: assemble::settings(telephony, agent.clone()),
        metrics: Arc::default(),
        watch,
    })
    .await?;
    greet(&loaded, running.address(), agent.name());
    files.publish(&running);
    let life = supervisor::show_life(store);
    supervisor::ready();
    let broken = tokio::select! {
        () = signals.serve_until_stop(&mut files, &running) => None,
        broken = running.broken() => Some(broken),
    };
    supervisor::stopping();
    tracing::info!("stopping: no new work is accepted; a second signal ends the process at once");
    tokio::select! {
        () = running.stop() => tracing::info!("stopped"),
        code = signals.stop() => {
            tracing::warn!("ended at once; unfinished work continues after the next start");
            std::process::exit(code);
        }
    }
    life.inspect(JoinHandle::abort);
    drop(simulator);
    outcome(broken)
}

/// Ends with a failure if a task broke, so that a service manager restarts the gateway.
fn outcome(broken: Option<BrokenTask>) -> Outcome {
    match broken {
        Some(broken) => Err(Failure::new(broken).hint(
            "please report this with the log; a service manager restarts \
            the gateway",
        )),
        None => Ok(ExitCode::SUCCESS),
    }
}

/// SIGXFSZ, sent when a file reaches the size limit (`ulimit -f`); without a handler it kills the process. Its number
/// is the same on Linux and macOS. With one, the write fails with an error that names the cause.
const FILE_TOO_LARGE: SignalKind = SignalKind::from_raw(25);

/// Signals from a person or a service manager.
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

    /// Follows changes to `files`, and rereads them on SIGHUP, until a stop signal arrives.
    async fn serve_until_stop(&mut self, files: &mut WatchedFiles, running: &Running) {
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

    /// Waits for a stop signal and returns the exit code that a shell expects for it.
    async fn stop(&mut self) -> i32 {
        let (signal, _) = tokio::select! {
            got = self.terminate.recv() => (SignalKind::terminate(), got),
            got = self.interrupt.recv() => (SignalKind::interrupt(), got),
        };
        128 + signal.as_raw_value()
    }
}

/// Logs the facts that an operator looks for at startup.
fn greet(loaded: &Loaded, address: SocketAddr, agent: &str) {
    let telephony = &loaded.telephony;
    let webhook = telephony.public_url.as_ref().map(PublicUrl::webhook);
    let policy = telephony.policy.inbound.as_str();
    tracing::info!(listening = %address, webhook, agent, policy, "the telephony gateway is running");
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    if telephony.skip_signature_verification {
        tracing::warn!(
            "SIGNATURES ARE NOT CHECKED: anyone who reaches this port can pose as Twilio and as any contact"
        );
    }
    if webhook.is_none() && telephony.tunnel.provider.is_none() {
        tracing::warn!(
            "no publicUrl is set: Twilio has no address for status reports, so the gateway polls for \
            statuses"
        );
    }
}

fn cannot_listen(address: SocketAddr, section: &str, error: &std::io::Error) -> Failure {
    let failure = Failure::new(format!("cannot listen on {address}: {error}"));
    let key = format!("channels.telephony.{section}");
    match error.kind() {
        std::io::ErrorKind::AddrInUse => failure.hint(format!(
            "another program has the port, perhaps a gateway with a different state folder: stop it, or set {key}.port"
        )),
        std::io::ErrorKind::AddrNotAvailable => {
            failure.hint(format!("set {key}.bind to an address of this machine, or to 0.0.0.0 for all of them"))
        }
        std::io::ErrorKind::PermissionDenied => {
            failure.hint(format!("ports below 1024 need special privileges: set {key}.port"))
        }
        _ => failure,
    }
}

fn locked(error: &LockError) -> Failure {
    let failure = Failure::new(error);
    match error {
        LockError::Taken(_) => {
            failure.hint("only one gateway can use a state folder; `openclaw telephony status` shows it")
        }
        LockError::Unusable(_, cause) => failure.hint(format!("{cause}: check the owner and mode of the state folder")),
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
