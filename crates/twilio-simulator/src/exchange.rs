//! The exchange: the one state that REST, lives and webhooks share, and who is told when it changes.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use time::OffsetDateTime;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;

use crate::account::Account;
use crate::alert::Alert;
use crate::call::CallRecord;
use crate::calling::Wires;
use crate::config::{CallOutcome, Outcome, SimulatorConfig};
use crate::ids::Dice;
use crate::log::{Log, LogEntry};
use crate::media::Media;
use crate::message::MessageRecord;
use crate::misbehaviour::Misbehaviour;
use crate::number::{Number, NumberKind};
use crate::queue::{Pacing, Queues};
use crate::service::Service;
use crate::webhook::Webhook;

/// Something that a phone, a page or a test may want to see as it happens.
#[derive(Clone)]
pub enum Event {
    /// A message was created or changed; outbound ones reach the phone with `sent`.
    Message(MessageRecord),
    /// A call began or changed.
    Call(CallRecord),
    /// An API request or a webhook was answered.
    Request(LogEntry),
    /// One of our answers was bad.
    Alert(Alert),
}

/// What changes while a simulator runs.
pub(crate) struct State {
    pub(crate) account: Account,
    /// REST password and signing key of every webhook, from now on.
    pub(crate) auth_token: String,
    /// Beginnings of API paths that are answered 404, as if the product were not there.
    pub(crate) missing: Vec<String>,
    pub(crate) messages: Vec<MessageRecord>,
    pub(crate) calls: Vec<CallRecord>,
    /// What reaches the calls that are not over.
    pub(crate) wires: HashMap<String, Wires>,
    pub(crate) call_outcomes: HashMap<String, CallOutcome>,
    pub(crate) numbers: Vec<Number>,
    pub(crate) services: Vec<Service>,
    pub(crate) alerts: Vec<Alert>,
    pub(crate) log: Log,
    /// Pairs of an opt-out scope (number or service SID) and a phone that said STOP to it.
    pub(crate) opted_out: HashSet<(String, String)>,
    pub(crate) outcomes: HashMap<String, Outcome>,
    pub(crate) misbehaviour: Misbehaviour,
    pub(crate) queues: Queues,
    /// The webhooks of inbound messages, to post them again.
    pub(crate) received: HashMap<String, Webhook>,
    pub(crate) ids: Dice,
    pub(crate) requests_in_flight: u32,
}

impl State {
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

    /// Gives a number its SID and adds it to the account.
    pub(crate) fn add_number(&mut self, mut number: Number) {
        let is_short_code = NumberKind::of(&number.phone_number) == NumberKind::ShortCode;
        number.sid = self.ids.sid(if is_short_code { "SC" } else { "PN" });
        self.numbers.push(number);
    }

    /// A file of an outbound message, which is fetched later.
    pub(crate) fn outbound_media(&mut self, url: String) -> Media {
        Media { sid: self.ids.sid("ME"), url, content_type: String::new(), bytes: Bytes::new() }
    }

    /// The service whose pool a number is in.
    pub(crate) fn service_of(&self, phone_number: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.numbers.iter().any(|number| number == phone_number))
    }

    /// What a STOP to this number silences: its whole service, or the number alone.
    pub(crate) fn opt_out_scope(&self, phone_number: &str) -> String {
        self.service_of(phone_number).map_or_else(|| phone_number.to_owned(), |service| service.sid.clone())
    }
}

/// One account's Twilio.
pub(crate) struct Exchange {
    pub(crate) config: SimulatorConfig,
    pub(crate) base_url: String,
    /// Where the files are that media URLs redirect to.
    pub(crate) cdn_url: String,
    /// Signs the addresses of files.
    pub(crate) cdn_key: [u8; 20],
    /// Whether the page may ask `/_operator`.
    pub(crate) has_operator: bool,
    pub(crate) started: OffsetDateTime,
    state: Mutex<State>,
    version: watch::Sender<u64>,
    events: broadcast::Sender<Event>,
    pacing: watch::Sender<Pacing>,
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
        let mut state = State {
            account: config.account.clone(),
            auth_token: config.auth_token.clone(),
            missing: Vec::new(),
            messages: Vec::new(),
            calls: Vec::new(),
            wires: HashMap::new(),
            call_outcomes: HashMap::new(),
            numbers: Vec::new(),
            services: config.services.clone(),
            alerts: Vec::new(),
            log: Log::default(),
            opted_out: HashSet::new(),
            outcomes: config.outcomes.clone().into_iter().collect(),
            misbehaviour: Misbehaviour::none(config.seed),
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
            started: OffsetDateTime::now_utc(),
            state: Mutex::new(state),
            version: watch::channel(0).0,
            events: broadcast::channel(1024).0,
            pacing: watch::channel(pacing).0,
            tasks: Mutex::default(),
        }))
    }

    /// The state, locked. Never held across an await.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells everyone who follows or waits. Call it after the state changed and was unlocked.
    pub(crate) fn publish(&self, event: Event) {
        // Nobody following is fine.
        let _ = self.events.send(event);
        self.wake();
    }

    /// Lets everyone who waits look again.
    pub(crate) fn wake(&self) {
        self.version.send_modify(|version| *version += 1);
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Waits until `probe` finds something in the state. Cancel it by dropping.
    pub(crate) async fn wait<T>(&self, probe: impl Fn(&State) -> Option<T>) -> T {
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

    /// Runs something in the background until it ends or the simulator stops.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    /// Ends all background work at once.
    pub(crate) fn abort_all(&self) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }

    /// Notes an alert under a new SID and tells everyone; gives the SID.
    pub(crate) fn alert(&self, alert: Alert) -> String {
        let mut state = self.state();
        let alert = Alert { sid: state.ids.sid("NO"), ..alert };
        let sid = alert.sid.clone();
        state.alerts.push(alert.clone());
        drop(state);
        self.publish(Event::Alert(alert));
        sid
    }

    /// Changes how fast numbers send.
    pub(crate) fn set_pacing(&self, pacing: Pacing) {
        self.state().queues.set_pacing(pacing);
        self.pacing.send_replace(pacing);
    }

    /// Waits until pacing is lifted.
    pub(crate) async fn wait_for_lifting(&self) {
        // The sender lives in `self`, so this cannot fail.
        let _ = self.pacing.subscribe().wait_for(|pacing| *pacing == Pacing::Lifted).await;
    }

    /// Forgets all that happened and every fault; account, numbers and services stay as they are.
    pub(crate) fn reset(&self) {
        self.abort_all();
        let mut state = self.state();
        state.messages.clear();
        state.calls.clear();
        state.wires.clear();
        state.call_outcomes.clear();
        state.alerts.clear();
        state.log.clear();
        state.opted_out.clear();
        state.misbehaviour.clear();
        state.missing.clear();
        state.queues.clear();
        state.received.clear();
        state.outcomes = self.config.outcomes.clone().into_iter().collect();
    }
}
