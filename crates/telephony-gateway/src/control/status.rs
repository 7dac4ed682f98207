//! The socket in the state folder with which commands wake a running gateway and read its status.

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

use super::{AFTER_FAILURE, listen_at};
use crate::reach::Reach;
pub use crate::reach::TunnelAlive;
use crate::settings::Live;
use crate::storage::{Storage, StorageFailure};
use crate::wake::Wake;
pub use crate::webhook::descriptors::Descriptors;

/// A gateway that does not respond within this time counts as busy; it finds new work itself.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(2);

/// The status of a running gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayStatus {
    /// Process id of the gateway.
    pub pid: u32,
    /// Version of the gateway's program, which may differ from ours.
    pub version: String,
    /// Address of the public listener.
    pub listening: String,
    /// Public URL of the webhook, if known.
    pub webhook_url: Option<String>,
    /// True if signatures are checked.
    pub checks_signatures: bool,
    /// Name of the agent.
    pub agent: String,
    /// Address of `/metrics`, if it is on.
    pub metrics: Option<String>,
    /// State of the tunnel, if there is one.
    pub tunnel: Option<TunnelAlive>,
    /// State of the configuration, if it came from files.
    pub config: Option<ConfigAlive>,
    /// The reason why messages cannot be stored; none if they can.
    pub storage: Option<StorageAlive>,
    /// Limit on open files; none in older versions.
    pub descriptors: Option<Descriptors>,
}

/// The reason why messages cannot be stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StorageAlive {
    /// One word for programs.
    pub reason: String,
    /// Error of the store, with a hint for the operator.
    pub problem: String,
    /// Webhooks answered with 503 since then.
    pub refused: u64,
}

impl From<StorageFailure> for StorageAlive {
    fn from(trouble: StorageFailure) -> Self {
        let StorageFailure { error, refused } = trouble;
        Self { reason: error.reason().to_owned(), problem: format!("{error}; {}", error.hint()), refused }
    }
}

/// The state of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigAlive {
    /// Time when the current settings were read, in milliseconds since 1970.
    pub read_at: Timestamp,
    /// The reason why the current files are not in effect; none if they are.
    pub problems: Option<String>,
    /// Keys whose new values need a restart.
    pub waiting_for_start: Vec<String>,
}

/// Assembles the gateway's status.
pub struct StatusSource {
    pub(crate) fixed: GatewayStatus,
    pub(crate) live: Receiver<Arc<Live>>,
    pub(crate) reach: Receiver<Reach>,
    /// State of the configuration, if it came from files.
    pub(crate) config: RwLock<Option<ConfigAlive>>,
    pub(crate) storage: Arc<Storage>,
}

impl StatusSource {
    fn now(&self) -> GatewayStatus {
        let reach = self.reach.borrow().clone();
        GatewayStatus {
            agent: self.live.borrow().agent.name().to_owned(),
            webhook_url: reach.webhook.registered,
            tunnel: reach.tunnel,
            config: self.config.read().unwrap_or_else(PoisonError::into_inner).clone(),
            storage: self.storage.trouble().map(StorageAlive::from),
            ..self.fixed.clone()
        }
    }
}

/// Answers commands in `state` until `stop`: wakes all tasks and returns the status.
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
                tokio::time::timeout(RESPONSE_TIMEOUT, stream.write_all(&answer)).await.ok();
            }
            // Usually out of file descriptors; some have to be closed first.
            Err(_) => tokio::time::sleep(AFTER_FAILURE).await,
        }
    }
}

/// Opens the socket of `state`; the caller holds the gateway's lock.
pub fn listen(state: &Path) -> io::Result<UnixListener> {
    listen_at(&path(state))
}

/// Wakes the gateway of `state`. Returns its status; none if it does not respond.
pub async fn notify(state: &Path) -> Option<GatewayStatus> {
    let asked = async {
        let mut stream = UnixStream::connect(path(state)).await.ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.ok()?;
        serde_json::from_slice(&answer).ok()
    };
    tokio::time::timeout(RESPONSE_TIMEOUT, asked).await.ok()?
}

fn path(state: &Path) -> PathBuf {
    state.join("gateway.sock")
}

#[cfg(test)]
mod tests {
    use telephony_domain::call::plan::{CallPlan, CallPurpose};
    use telephony_domain::call::words::Words;
    use telephony_domain::limit::Terms;
    use telephony_domain::pace::Pacing;
    use telephony_domain::sms::split::{ChunkMode, SplitRules};
    use telephony_providers::twilio::CARRIER;
    use tokio::sync::watch;

    use super::*;
    use crate::settings::VoiceSettings;

    fn no_calls() -> VoiceSettings {
        let plan = CallPlan {
            purpose: CallPurpose::Inbound { asks_pin: false, is_attested: false },
            greeting: Words::default(),
            max_duration: Duration::ZERO,
            filler_after: Duration::ZERO,
            answer_within: Duration::ZERO,
            fillers: Vec::new(),
            summary: None,
            missed_call_text: None,
        };
        VoiceSettings {
            is_enabled: false,
            plan,
            language: String::new(),
            voice: None,
            assistant_name: None,
            silence_seconds: 0,
            requires_attestation: false,
            pin: None,
        }
    }

    fn live() -> Live {
        Live {
            agent: Arc::new(telephony_agents::EchoAgent),
            arrivals: Arc::default(),
            split: SplitRules { chunk_mode: ChunkMode::Auto, max_length: 1600, numbering: true, max_segments: None },
            terms: Terms::unlimited(Pacing::Unlimited, &CARRIER),
            voice: no_calls(),
            unavailable_text: String::new(),
            stranger_replies_per_day: None,
            operator: None,
            retention: Duration::ZERO,
        }
    }

    #[tokio::test]
    async fn a_notification_wakes_the_gateway_and_gets_its_status() {
        let state = tempfile::tempdir().unwrap();
        assert_eq!(notify(state.path()).await, None);
        let full = telephony_store::StoreError::Full("no space".into());
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
        assert_eq!(notify(state.path()).await, Some(alive));
        wake.outbox.notified().await;
        stop.cancel();
        serving.await.unwrap();
    }
}
