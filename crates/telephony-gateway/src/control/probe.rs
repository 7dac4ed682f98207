//! The round trip of `doctor`: a request that it signs itself and sends through the public URL back to the gateway.
//!
//! A process that can open the socket in the state folder gets a name that works once, while the connection lasts. The
//! gateway reports a request with that name in its query on the connection: what it received, and whether the signature
//! is valid. Only a valid signature together with such a name makes a probe; nothing of it is stored, and a stranger
//! without a name gets the same answer as to any unsigned or unreadable request.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::Request;
use http::header::HOST;
use serde::{Deserialize, Serialize};
use telephony_providers::provider::PROBE_PARAMETER;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{AFTER_FAILURE, listen_at};
use crate::random;

/// Longest wait for a probe; Twilio itself waits 15 s.
const PROBE_TIMEOUT: Duration = Duration::from_secs(30);

/// Largest number of simultaneous probes.
const AT_A_TIME: usize = 8;

/// A probe as the gateway received it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sighting {
    /// HTTP method of the request.
    pub method: String,
    /// Path, without the query.
    pub path: String,
    /// The `Host` header, if there was one.
    pub host: Option<String>,
    /// URLs that the signature was checked with, each with its query.
    pub urls: Vec<String>,
    /// Result of the checks.
    pub verdict: ProbeVerdict,
}

/// The result of a probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ProbeVerdict {
    /// The signature is valid.
    Valid,
    /// The signature header is missing.
    Unsigned,
    /// The signature is not valid, for this reason.
    Refused(String),
    /// The gateway does not serve this path.
    NoSuchPath,
    /// The gateway does not accept this method.
    WrongMethod,
}

/// The test requests of doctor that the webhook expects.
#[derive(Debug, Default)]
pub struct Probes(Mutex<HashMap<String, oneshot::Sender<Sighting>>>);

/// A probe that arrived.
pub(crate) struct Probe {
    sender: oneshot::Sender<Sighting>,
    method: String,
    path: String,
    host: Option<String>,
}

impl Probes {
    /// Returns the probe that `request` is, if it is expected. Each probe can only arrive once.
    pub(crate) fn claim(&self, request: &Request) -> Option<Probe> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.is_empty() {
            return None;
        }
        let pairs = request.uri().query().unwrap_or_default().split('&');
        let sender = pairs
            .filter_map(|pair| pair.strip_prefix(PROBE_PARAMETER)?.strip_prefix('='))
            .find_map(|name| waiting.remove(name))?;
        let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
        Some(Probe {
            sender,
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            host: host.map(str::to_owned),
        })
    }

    fn wait_for(&self, name: &str) -> oneshot::Receiver<Sighting> {
        let (sender, receiver) = oneshot::channel();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), sender);
        receiver
    }

    fn forget(&self, name: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

impl Probe {
    /// Reports the result to `doctor`.
    pub(crate) fn report(self, verdict: ProbeVerdict, urls: Vec<String>) {
        let Probe { sender, method, path, host } = self;
        // `doctor` may have given up.
        let _ = sender.send(Sighting { method, path, host, urls, verdict });
    }
}

/// Opens the socket of `state`; the caller holds the gateway's lock.
pub fn listen(state: &Path) -> io::Result<UnixListener> {
    listen_at(&path(state))
}

/// Issues names and reports their probes, until `stop`.
pub async fn serve(listener: UnixListener, probes: Arc<Probes>, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(AT_A_TIME));
    let mut waiting = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = waiting.join_next() => continue,
            () = stop.cancelled() => return,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(AFTER_FAILURE).await;
            continue;
        };
        if let Ok(place) = places.clone().try_acquire_owned() {
            let probes = probes.clone();
            waiting.spawn(async move {
                let _place = place;
                let name = format!("{}{}", random::name(), random::name());
                tokio::time::timeout(PROBE_TIMEOUT, accompany(stream, &probes, &name)).await.ok();
                probes.forget(&name);
            });
        }
    }
}

/// Issues a name and reports its probe; ends early if the other side hangs up.
async fn accompany(stream: UnixStream, probes: &Probes, name: &str) -> io::Result<()> {
    let (mut from, mut to) = stream.into_split();
    let seen = probes.wait_for(name);
    to.write_all(format!("{name}\n").as_bytes()).await?;
    let mut nothing = [0];
    tokio::select! {
        sighting = seen => match sighting {
            Ok(sighting) => to.write_all(&serde_json::to_vec(&sighting)?).await,
            Err(_) => Ok(()),
        },
        _ = from.read(&mut nothing) => Ok(()),
    }
}

/// A probe that is announced to the gateway but not sent yet.
pub struct Announced {
    name: String,
    stream: BufReader<UnixStream>,
}

/// Announces a probe to the gateway of `state`.
pub async fn announce(state: &Path) -> io::Result<Announced> {
    let mut stream = BufReader::new(UnixStream::connect(path(state)).await?);
    let mut name = String::new();
    stream.read_line(&mut name).await?;
    let name = name.trim_end().to_owned();
    if name.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(Announced { name, stream }) }
}

impl Announced {
    /// Returns the value of [`PROBE_PARAMETER`] in the request's query.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the probe as received; none if it did not arrive in time.
    pub async fn sighting(mut self, within: Duration) -> Option<Sighting> {
        let mut response = Vec::new();
        tokio::time::timeout(within, self.stream.read_to_end(&mut response)).await.ok()?.ok()?;
        serde_json::from_slice(&response).ok()
    }
}

fn path(state: &Path) -> PathBuf {
    state.join("probe.sock")
}
