//! The exchange: the state that REST, message lifecycles and webhooks share, and its change notifications.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use jiff::Timestamp;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;

use crate::account::AccountSettings;
use crate::alert::AlertRecord;
use crate::call::CallRecord;
use crate::calling::wires::Wires;
use crate::config::{CallOutcome, DeliveryOutcome, SimulatorConfig};
use crate::ids::Dice;
use crate::log::{Log, LogEntry};
use crate::media::MediaRecord;
use crate::message::MessageRecord;
use crate::misbehavior::Misbehavior;
use crate::number::{Number, NumberKind};
use crate::queue::{QueuePacing, Queues};
use crate::service::Service;
use crate::webhook::request::Webhook;

/// A change that a phone, a page or a test may follow.
#[derive(Clone)]
pub enum ExchangeEvent {
    /// A message was created or changed; outbound ones reach the phone with `sent`.
    Message(MessageRecord),
    /// A call began or changed.
    Call(CallRecord),
    /// An API request or a webhook was answered.
    Request(LogEntry),
    /// A webhook's answer caused an alert.
    Alert(AlertRecord),
}

/// The mutable state of a running simulator.
pub(crate) struct ExchangeState {
    pub(crate) account: AccountSettings,
    /// The current REST password and signing key of webhooks.
    pub(crate) auth_token: String,
    /// Prefixes of API paths that return 404, as if the product were unavailable.
    pub(crate) missing: Vec<String>,
    pub(crate) messages: Vec<MessageRecord>,
    pub(crate) calls: Vec<CallRecord>,
    /// Channels of the active calls.
    pub(crate) wires: HashMap<String, Wires>,
    pub(crate) call_outcomes: HashMap<String, CallOutcome>,
    /// The network's verdicts (`StirVerstat`) on the numbers of calling phones.
    pub(crate) attestations: HashMap<String, String>,
    pub(crate) numbers: Vec<Number>,
    pub(crate) services: Vec<Service>,
    pub(crate) alerts: Vec<AlertRecord>,
    pub(crate) log: Log,
    /// Pairs of an opt-out scope (number or service SID) and a phone that sent STOP to it.
    pub(crate) opted_out: HashSet<(String, String)>,
    pub(crate) outcomes: HashMap<String, DeliveryOutcome>,
    pub(crate) misbehavior: Misbehavior,
    pub(crate) queues: Queues,
    /// The webhooks of inbound messages, for redelivery.
    pub(crate) received: HashMap<String, Webhook>,
    pub(crate) ids: Dice,
    pub(crate) requests_in_flight: u32,
}

impl ExchangeState {
    pub(crate) fn message(&self, sid: &str) -> Option<&MessageRecord> {
        self.messages.iter().rev().find(|message| message.sid == sid)
    }

    pub(crate) fn call(&self, sid: &str) -> Option<&CallRecord> {
        self.calls.iter().find(|call| call.sid == sid)
    }

    pub(crate) fn call_mut(&mut self, sid: &str) -> Option<&mut CallRecord> {
        self.calls.iter_mut().find(|call| call.sid == sid)
    }

    pub(crate) fn number(&self, phone_number: &str) -> Option<&Number> {
        self.numbers.iter().find(|number| number.phone_number == phone_number)
    }

    /// Assigns a SID to a number and adds it to the account.
    pub(crate) fn add_number(&mut self, mut number: Number) {
        let is_short_code = NumberKind::of(&number.phone_number) == NumberKind::ShortCode;
        number.sid = self.ids.sid(if is_short_code { "SC" } else { "PN" });
        self.numbers.push(number);
    }

    /// Creates a file of an outbound message, to be fetched later.
    pub(crate) fn outbound_media(&mut self, url: String) -> MediaRecord {
        MediaRecord { sid: self.ids.sid("ME"), url, content_type: String::new(), bytes: Bytes::new() }
    }

    /// Returns the service whose sender pool contains a number.
    pub(crate) fn service_of(&self, phone_number: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.numbers.iter().any(|number| number == phone_number))
    }

    /// Returns the scope of a STOP to this number: its service, or the number alone.
    pub(crate) fn opt_out_scope(&self, phone_number: &str) -> String {
        self.service_of(phone_number).map_or_else(|| phone_number.to_owned(), |service| service.sid.clone())
    }
}

/// The shared state of one simulated account.
pub(crate) struct Exchange {
    pub(crate) config: SimulatorConfig,
    pub(crate) base_url: String,
    /// Base URL of the storage that media URLs redirect to.
    pub(crate) cdn_url: String,
    pub(crate) cdn_key: [u8; 20],
    /// True if the page may use `/_operator`.
    pub(crate) has_operator: bool,
    pub(crate) started: Timestamp,
    state: Mutex<ExchangeState>,
    version: watch::Sender<u64>,
    events: broadcast::Sender<ExchangeEvent>,
    pacing: watch::Sender<QueuePacing>,
    tasks: Mutex<JoinSet<()>>,
}

impl Exchange {
    pub(crate) fn open(
        config: SimulatorConfig,
        base_url: String,
        cdn_url: String,
        has_operator: bool,
    ) -> Result<Arc<Self>, getrandom::Error> {
        let mut cdn_key = [0; 20];
        getrandom::fill(&mut cdn_key)?;
        let ids = Dice::unpredictable()?;
        let pacing = config.pacing;
        let mut state = ExchangeState {
            account: config.account.clone(),
            auth_token: config.auth_token.clone(),
            missing: Vec::new(),
            messages: Vec::new(),
            calls: Vec::new(),
            wires: HashMap::new(),
            call_outcomes: HashMap::new(),
            attestations: HashMap::new(),
            numbers: Vec::new(),
            services: config.services.clone(),
            alerts: Vec::new(),
            log: Log::default(),
            opted_out: HashSet::new(),
            outcomes: config.outcomes.clone().into_iter().collect(),
            misbehavior: Misbehavior::none(config.seed),
            queues: Queues::new(config.pacing, config.queue_limit),
            received: HashMap::new(),
            ids,
            requests_in_flight: 0,
        };
        for number in &config.numbers {
            state.add_number(number.clone());
        }
        Ok(Arc::new(Self {
            config,
            base_url,
            cdn_url,
            cdn_key,
            has_operator,
            started: Timestamp::now(),
            state: Mutex::new(state),
            version: watch::channel(0).0,
            events: broadcast::channel(1024).0,
            pacing: watch::channel(pacing).0,
            tasks: Mutex::default(),
        }))
    }

    /// Locks the state. Never hold the guard across an await.
    pub(crate) fn state(&self) -> MutexGuard<'_, ExchangeState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notifies followers and waiters. Call it after changing and unlocking the state.
    pub(crate) fn publish(&self, event: ExchangeEvent) {
        // An error only means that there are no followers.
        let _ = self.events.send(event);
        self.wake();
    }

    /// Makes all waiters check the state again.
    pub(crate) fn wake(&self) {
        self.version.send_modify(|version| *version += 1);
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<ExchangeEvent> {
        self.events.subscribe()
    }

    /// Waits until `probe` returns a value. Drop the future to cancel.
    pub(crate) async fn wait<T>(&self, probe: impl Fn(&ExchangeState) -> Option<T>) -> T {
        let mut version = self.version.subscribe();
        loop {
            version.mark_unchanged();
            if let Some(found) = probe(&self.state()) {
                return found;
            }
            // The sender lives in `self`, so this cannot fail.
            let _ = version.changed().await;
        }
    }

    /// Runs a background task until it ends or the simulator stops.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    /// Aborts all background tasks.
    pub(crate) fn abort_all(&self) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }

    /// Records an alert under a new SID, notifies followers and returns the SID.
    pub(crate) fn alert(&self, alert: AlertRecord) -> String {
        let mut state = self.state();
        let alert = AlertRecord { sid: state.ids.sid("NO"), ..alert };
        let sid = alert.sid.clone();
        state.alerts.push(alert.clone());
        drop(state);
        self.publish(ExchangeEvent::Alert(alert));
        sid
    }

    /// Changes the sending rate.
    pub(crate) fn set_pacing(&self, pacing: QueuePacing) {
        self.state().queues.set_pacing(pacing);
        self.pacing.send_replace(pacing);
    }

    /// Waits until pacing is lifted.
    pub(crate) async fn wait_for_lifting(&self) {
        // The sender lives in `self`, so this cannot fail.
        let _ = self.pacing.subscribe().wait_for(|pacing| *pacing == QueuePacing::Lifted).await;
    }

    /// Clears history and faults; keeps the account, numbers and services.
    pub(crate) fn reset(&self) {
        self.abort_all();
        let mut state = self.state();
        state.messages.clear();
        state.calls.clear();
        state.wires.clear();
        state.call_outcomes.clear();
        state.attestations.clear();
        state.alerts.clear();
        state.log.clear();
        state.opted_out.clear();
        state.misbehavior.clear();
        state.missing.clear();
        state.queues.clear();
        state.received.clear();
        state.outcomes = self.config.outcomes.clone().into_iter().collect();
    }
}
