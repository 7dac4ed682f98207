//! The socket in the state folder by which commands tell a running gateway that they wrote something, and ask how it is.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use telephony_domain::time::Timestamp;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch::Receiver;
use tokio_util::sync::CancellationToken;

use crate::reach::Reach;
use crate::settings::Live;
use crate::storage::{Storage, Trouble};
use crate::wake::Wake;
pub use crate::webhook::descriptors::Descriptors;

/// A gateway that does not answer a poke within this time is taken for busy; it finds the work by itself.
const WITHIN: Duration = Duration::from_secs(2);

/// The pause after a connection that could not be accepted.
pub(crate) const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// What a running gateway says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayStatus {
    /// Its process.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// Where the public listener listens.
    pub listening: String,
    /// The webhook's public URL, where there is one.
    pub webhook_url: Option<String>,
    /// Whether signatures are checked.
    pub checks_signatures: bool,
    /// Who answers.
    pub agent: String,
    /// Where `/metrics` is, where it is on.
    pub metrics: Option<String>,
    /// The tunnel, where there is one.
    pub tunnel: Option<TunnelAlive>,
    /// Which configuration is in force, where it came from files.
    pub config: Option<ConfigAlive>,
    /// Why messages cannot be stored; none where they can.
    pub storage: Option<StorageAlive>,
    /// Its limit on open files; none in older versions.
    pub descriptors: Option<Descriptors>,
}

/// Why messages cannot be stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StorageAlive {
    /// One word for programs.
    pub reason: String,
    /// The failure and its hint.
    pub problem: String,
    /// Webhooks that were answered with 503 since.
    pub refused: u64,
}

impl From<Trouble> for StorageAlive {
    fn from(trouble: Trouble) -> Self {
        let Trouble { error, refused } = trouble;
        Self { reason: error.reason().to_owned(), problem: format!("{error}; {}", error.hint()), refused }
    }
}

/// How the tunnel is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TunnelAlive {
    /// Its name in the configuration.
    pub name: String,
    /// What reaches us through it now; none while it is not open.
    pub url: Option<String>,
    /// Why it is not open, and what can be done.
    pub trouble: Option<String>,
}

/// Which configuration is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigAlive {
    /// When what is in force was read, in milliseconds since 1970.
    pub read_at: Timestamp,
    /// Why the files as they are now are not in force; none: they are.
    pub problems: Option<String>,
    /// Keys whose new values wait for a new start.
    pub waiting_for_start: Vec<String>,
}

/// Puts together what the gateway says of itself.
pub struct StatusSource {
    /// What does not change while it runs.
    pub fixed: GatewayStatus,
    /// The settings.
    pub live: Receiver<Arc<Live>>,
    /// The URLs by which the world reaches us.
    pub reach: Receiver<Reach>,
    /// The configuration that is in force, where it came from files.
    pub config: RwLock<Option<ConfigAlive>>,
    /// The storage state.
    pub storage: Arc<Storage>,
}

impl StatusSource {
    fn now(&self) -> GatewayStatus {
        let reach = self.reach.borrow().clone();
        GatewayStatus {
            agent: self.live.borrow().agent.name().to_owned(),
            webhook_url: reach.webhook.told,
            tunnel: reach.tunnel,
            config: self.config.read().unwrap_or_else(PoisonError::into_inner).clone(),
            storage: self.storage.trouble().map(StorageAlive::from),
            ..self.fixed.clone()
        }
    }
}

/// Answers pokes in `state` until `stop`: wakes everybody, says how the gateway is.
pub async fn serve(listener: UnixListener, source: Arc<StatusSource>, wake: Arc<Wake>, stop: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        wake.all();
        match accepted {
            Ok((mut stream, _)) => {
                let answer = serde_json::to_vec(&source.now()).unwrap_or_default();
                tokio::time::timeout(WITHIN, stream.write_all(&answer)).await.ok();
            }
            // Out of file descriptors, mostly: some have to be closed first.
            Err(_) => tokio::time::sleep(AFTER_FAILURE).await,
        }
    }
}

/// Opens the socket of `state`; the gateway's lock must be held. A socket that a dead gateway left is replaced.
pub fn listen(state: &Path) -> io::Result<UnixListener> {
    let path = path(state);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    UnixListener::bind(path)
}

/// Pokes the gateway of `state`. Returns what it says of itself; none where nobody answers.
pub async fn poke(state: &Path) -> Option<GatewayStatus> {
    let asked = async {
        let mut stream = UnixStream::connect(path(state)).await.ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.ok()?;
        serde_json::from_slice(&answer).ok()
    };
    tokio::time::timeout(WITHIN, asked).await.ok()?
}

fn path(state: &Path) -> PathBuf {
    state.join("gateway.sock")
}

#[cfg(test)]
mod tests {
    use telephony_domain::pace::Pacing;
    use telephony_domain::sms::split::{ChunkMode, SplitRules};
    use tokio::sync::watch;

    use super::*;

    fn live() -> Live {
        Live {
            agent: Arc::new(telephony_agents::Echo),
            arrivals: Arc::default(),
            split: SplitRules { chunk_mode: ChunkMode::Auto, max_length: 1600, numbering: true, max_segments: None },
            terms: Pacing::Unlimited.into(),
            unavailable_text: String::new(),
            stranger_replies_per_day: None,
            operator: None,
            retention: Duration::ZERO,
        }
    }

    #[tokio::test]
    async fn a_poke_wakes_the_gateway_and_is_answered() {
        let state = tempfile::tempdir().unwrap();
        assert_eq!(poke(state.path()).await, None);
        let full = telephony_store::StoreError::Full("no room".into());
        let alive = GatewayStatus {
            pid: 7,
            version: "1".into(),
            listening: "127.0.0.1:1".into(),
            webhook_url: None,
            checks_signatures: true,
            agent: "echo".into(),
            metrics: None,
            tunnel: None,
            config: None,
            storage: Some(StorageAlive {
                reason: "disk-full".into(),
                problem: format!("{full}; {}", full.hint()),
                refused: 0,
            }),
            descriptors: Some(Descriptors::expected(10)),
        };
        let storage = Arc::new(Storage::default());
        storage.failed("a test", &full);
        let wake = Arc::new(Wake::default());
        let stop = CancellationToken::new();
        let listener = listen(state.path()).unwrap();
        let (_live, live) = watch::channel(Arc::new(live()));
        let (_reach, reach) = watch::channel(Reach::default());
        let source = StatusSource { fixed: alive.clone(), live, reach, config: RwLock::default(), storage };
        let serving = tokio::spawn(serve(listener, Arc::new(source), wake.clone(), stop.clone()));
        assert_eq!(poke(state.path()).await, Some(alive));
        wake.outbox.notified().await;
        stop.cancel();
        serving.await.unwrap();
    }
}
