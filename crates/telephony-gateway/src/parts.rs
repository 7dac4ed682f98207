//! The parts that the binary hands to the gateway at its start.

use std::path::PathBuf;
use std::sync::Arc;

use telephony_domain::time::Clock;
use telephony_providers::provider::Provider;
use telephony_store::Store;
use telephony_store::journal::Journal;
use tokio::net::TcpListener;

use crate::lock::GatewayLock;
use crate::metrics::Metrics;
use crate::settings::Settings;
use crate::tunnel::Tunneling;

/// The building blocks of a gateway.
pub struct Parts {
    /// The right to run, for as long as the gateway does.
    pub lock: GatewayLock,
    /// Path of the state folder.
    pub state: PathBuf,
    /// Listener for webhooks, already bound.
    pub listener: TcpListener,
    /// The message store.
    pub store: Arc<dyn Store>,
    /// Acknowledged events that are not in the store yet.
    pub journal: Arc<Journal>,
    /// The provider.
    pub provider: Arc<dyn Provider>,
    /// The tunnel, if one is configured.
    pub tunnel: Option<Tunneling>,
    /// Clock.
    pub clock: Arc<dyn Clock>,
    /// The operator's settings.
    pub settings: Settings,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// The listener for metrics, if there is one.
    pub watch: Option<TcpListener>,
}
