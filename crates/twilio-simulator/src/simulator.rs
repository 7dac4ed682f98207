//! The simulator's Rust API: start, drive, inject faults, observe, stop.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn;
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::account::AccountSettings;
use crate::alert::AlertRecord;
use crate::call::CallRecord;
use crate::calling::phone::{self, NoCall};
use crate::config::{CallOutcome, DeliveryOutcome, SimulatorConfig};
use crate::delivery::Delivery;
use crate::exchange::{Exchange, ExchangeEvent};
use crate::inbound::{self, InboundText, NotOurs, Unsent};
use crate::log::{LogEntry, LogKind};
use crate::message::MessageRecord;
use crate::misbehavior::{Fault, FaultExtent};
use crate::number::Number;
use crate::queue::QueuePacing;
use crate::service::Service;
use crate::{calling, cdn, control, page, rest, server};

/// The confidence of clear speech.
pub(crate) const CLEAR: f32 = 0.95;

/// A running Twilio simulator. Dropping it stops it.
pub struct Simulator {
    exchange: Arc<Exchange>,
    address: SocketAddr,
    serving: JoinHandle<()>,
    serving_files: JoinHandle<()>,
}

/// The reason why a simulator cannot start.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorStartError {
    /// The port is not available.
    #[error("cannot listen on 127.0.0.1:{port}")]
    Listen {
        /// Port that was requested, and may be in use.
        port: u16,
        /// The system's error.
        source: std::io::Error,
    },
    /// The system provides no random numbers.
    #[error("get randomness for SIDs from the system: {0}")]
    Randomness(getrandom::Error),
}

/// The awaited condition did not occur in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("see what was waited for within {0:?}")]
pub struct DeadlinePassed(pub Duration);

impl Simulator {
    /// Listens on loopback and serves until stopped or dropped.
    pub async fn start(config: SimulatorConfig) -> Result<Self, SimulatorStartError> {
        Self::start_beside(config, None).await
    }

    /// Starts with the operator's part of the phone page, which the gateway's owner serves at `/_operator`: `GET
    /// /requests` lists `{code, number, kept}`, `POST /approve` accepts `{who}` (a code or a number), `POST /reject`
    /// accepts `{who, block}`, `GET /status` returns pairs of a label and a count, and `GET /agent` returns `{sentence,
    /// commands: [{fits, command}], problem}`.
    pub async fn start_with_operator(config: SimulatorConfig, operator: Router) -> Result<Self, SimulatorStartError> {
        Self::start_beside(config, Some(operator)).await
    }

    async fn start_beside(config: SimulatorConfig, operator: Option<Router>) -> Result<Self, SimulatorStartError> {
        let port = config.port;
        let listen = |source| SimulatorStartError::Listen { port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let files = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let files = files.map_err(|source| SimulatorStartError::Listen { port: 0, source })?;
        let cdn_url = format!("http://{}", files.local_addr().map_err(listen)?);
        let exchange = Exchange::open(config, format!("http://{address}"), cdn_url, operator.is_some());
        let exchange = exchange.map_err(SimulatorStartError::Randomness)?;
        let own = control::router(&exchange).merge(Router::new().nest("/_operator", operator.unwrap_or_default()));
        let own = own.merge(page::router()).layer(from_fn(page::refuse_other_pages));
        let router = rest::router(&exchange).merge(own);
        let serving = tokio::spawn(server::serve(listener, router));
        let serving_files = tokio::spawn(server::serve(files, cdn::router(&exchange)));
        Ok(Self { exchange, address, serving, serving_files })
    }

    /// Stops listening, closes all connections and ends all background tasks. The port is free afterwards.
    pub async fn stop(mut self) {
        self.exchange.abort_all();
        for serving in [&mut self.serving, &mut self.serving_files] {
            serving.abort();
            // The error only says that the task was aborted.
            let _ = serving.await;
        }
    }

    /// Returns the API's base URL: `http://127.0.0.1:PORT`.
    pub fn base_url(&self) -> &str {
        &self.exchange.base_url
    }

    /// Returns the API's listen address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the account's SID.
    pub fn account_sid(&self) -> &str {
        &self.exchange.config.account_sid
    }

    /// Returns the account's initial auth token.
    pub fn auth_token(&self) -> &str {
        &self.exchange.config.auth_token
    }

    /// Replaces the auth token, which is the REST password and signs webhooks.
    pub fn rotate_auth_token(&self, auth_token: &str) {
        self.exchange.state().auth_token = auth_token.to_owned();
    }

    /// Returns the account's first phone number, or an empty string.
    pub fn number(&self) -> &str {
        self.exchange.config.numbers.first().map_or("", |number| &number.phone_number)
    }

    /// Sets the URL for messages to a number.
    pub fn set_sms_url(&self, number: &str, url: &str) -> Result<(), NotOurs> {
        self.set(number, "sms_url", url)
    }

    /// Sets the URL for calls to a number.
    pub fn set_voice_url(&self, number: &str, url: &str) -> Result<(), NotOurs> {
        self.set(number, "voice_url", url)
    }

    /// Sets the URL that receives the final status of calls to a number.
    pub fn set_status_callback(&self, number: &str, url: &str) -> Result<(), NotOurs> {
        self.set(number, "status_callback", url)
    }

    /// Replaces the account's type, status, balance and verified numbers.
    pub fn set_account(&self, account: AccountSettings) {
        self.exchange.state().account = account;
    }

    /// Adds a number to the account.
    pub fn add_number(&self, number: Number) {
        self.exchange.state().add_number(number);
    }

    /// Adds a messaging service to the account.
    pub fn add_service(&self, service: Service) {
        self.exchange.state().services.push(service);
    }

    /// Adds an alert under a new SID and returns the SID.
    pub fn add_alert(&self, alert: AlertRecord) -> String {
        self.exchange.alert(alert)
    }

    /// Sets the API paths that return 404, by prefix: `/v1/Alerts`, or `/Balance` for a path below the account.
    /// Replaces the previous list.
    pub fn set_missing(&self, beginnings: &[&str]) {
        self.exchange.state().missing = beginnings.iter().map(|path| (*path).to_owned()).collect();
    }

    fn set(&self, number: &str, field: &'static str, url: &str) -> Result<(), NotOurs> {
        let mut state = self.exchange.state();
        let found = state.numbers.iter_mut().find(|candidate| candidate.phone_number == number);
        found.ok_or_else(|| NotOurs(number.to_owned()))?.set(field, url);
        Ok(())
    }

    /// Texts one of the account's numbers from a phone. Returns when the webhook was answered or given up.
    pub async fn text(&self, from: &str, to: &str, body: &str) -> Result<Delivery, Unsent> {
        self.receive(InboundText::new(from, to, body)).await
    }

    /// Sends a text with files or additional parameters.
    pub async fn receive(&self, text: InboundText) -> Result<Delivery, Unsent> {
        inbound::receive(&self.exchange, text).await
    }

    /// Posts the webhook of an inbound message again, with the same SID and idempotency token.
    pub async fn redeliver(&self, sid: &str) -> Result<Delivery, NotOurs> {
        inbound::redeliver(&self.exchange, sid).await
    }

    /// Calls one of the account's numbers from a phone. Returns the TwiML that answered the voice URL's webhook.
    pub async fn call(&self, from: &str, to: &str) -> Result<Delivery, NotOurs> {
        calling::ring_in(&self.exchange, from, to).await
    }

    /// Answers a ringing phone; see [`CallOutcome::Rings`].
    pub fn answer(&self, sid: &str) -> Result<(), NoCall> {
        phone::answer(&self.exchange, sid)
    }

    /// Speaks for the phone's owner as soon as the call listens.
    pub async fn say(&self, sid: &str, text: &str) -> Result<(), NoCall> {
        phone::say(&self.exchange, sid, text, CLEAR).await
    }

    /// Speaks with this recognition confidence, from 0 to 1.
    pub async fn mumble(&self, sid: &str, text: &str, confidence: f32) -> Result<(), NoCall> {
        phone::say(&self.exchange, sid, text, confidence).await
    }

    /// Presses keys for the phone's owner as soon as the call listens.
    pub async fn press(&self, sid: &str, keys: &str) -> Result<(), NoCall> {
        phone::press(&self.exchange, sid, keys).await
    }

    /// Hangs up the phone.
    pub fn hang_up(&self, sid: &str) -> Result<(), NoCall> {
        phone::hang_up(&self.exchange, sid)
    }

    /// Sets the network's verdict on the number of a calling phone, such as `TN-Validation-Passed-A`.
    pub fn attest(&self, phone: &str, verdict: &str) {
        self.exchange.state().attestations.insert(phone.to_owned(), verdict.to_owned());
    }

    /// Sets the outcome of future calls to a phone.
    pub fn set_call_outcome(&self, to: &str, outcome: CallOutcome) {
        self.exchange.state().call_outcomes.insert(to.to_owned(), outcome);
    }

    /// Waits until the calls (oldest first) meet a condition, and returns them.
    pub async fn wait_for_calls(
        &self,
        is_wanted: impl Fn(&[CallRecord]) -> bool,
        deadline: Duration,
    ) -> Result<Vec<CallRecord>, DeadlinePassed> {
        let probe = self.exchange.wait(|state| is_wanted(&state.calls).then(|| state.calls.clone()));
        timeout(deadline, probe).await.map_err(|_| DeadlinePassed(deadline))
    }

    /// Sets the outcome of future messages to a phone.
    pub fn set_outcome(&self, to: &str, outcome: DeliveryOutcome) {
        self.exchange.state().outcomes.insert(to.to_owned(), outcome);
    }

    /// Changes the sending rate. Lifting it releases all waiting messages.
    pub fn set_pacing(&self, pacing: QueuePacing) {
        self.exchange.set_pacing(pacing);
    }

    /// Adds a fault. Several can be active; of those that end a creation, the first one added applies.
    pub fn misbehave(&self, fault: Fault, extent: FaultExtent) {
        self.exchange.state().misbehavior.add(fault, extent);
    }

    /// Removes all faults.
    pub fn behave(&self) {
        self.exchange.state().misbehavior.clear();
    }

    /// Clears messages, calls, alerts, log, opt-outs and faults. Keeps the account, numbers and services.
    pub fn reset(&self) {
        self.exchange.reset();
    }

    /// Returns all messages, oldest first.
    pub fn messages(&self) -> Vec<MessageRecord> {
        self.exchange.state().messages.clone()
    }

    /// Returns all calls, oldest first.
    pub fn calls(&self) -> Vec<CallRecord> {
        self.exchange.state().calls.clone()
    }

    /// Returns all alerts about webhook answers, oldest first.
    pub fn alerts(&self) -> Vec<AlertRecord> {
        self.exchange.state().alerts.clone()
    }

    /// Returns all requests in both directions, oldest first.
    pub fn log(&self) -> Vec<LogEntry> {
        self.exchange.state().log.entries().to_vec()
    }

    /// Returns the number of message creations requested, successful or not.
    pub fn creations(&self) -> usize {
        let is_creation = |entry: &&LogEntry| {
            entry.kind == LogKind::Rest && entry.method == "POST" && entry.target.ends_with("/Messages.json")
        };
        self.exchange.state().log.entries().iter().filter(is_creation).count()
    }

    /// Subscribes to future events. A subscriber that falls 1024 events behind loses the oldest.
    pub fn subscribe(&self) -> broadcast::Receiver<ExchangeEvent> {
        self.exchange.subscribe()
    }

    /// Waits until the messages (oldest first) meet a condition, and returns them.
    pub async fn wait_for(
        &self,
        is_wanted: impl Fn(&[MessageRecord]) -> bool,
        deadline: Duration,
    ) -> Result<Vec<MessageRecord>, DeadlinePassed> {
        let probe = self.exchange.wait(|state| is_wanted(&state.messages).then(|| state.messages.clone()));
        timeout(deadline, probe).await.map_err(|_| DeadlinePassed(deadline))
    }

    /// Waits until the log (oldest first) meets a condition, and returns it.
    pub async fn wait_for_log(
        &self,
        is_wanted: impl Fn(&[LogEntry]) -> bool,
        deadline: Duration,
    ) -> Result<Vec<LogEntry>, DeadlinePassed> {
        let probe = self.exchange.wait(|state| is_wanted(state.log.entries()).then(|| state.log.entries().to_vec()));
        timeout(deadline, probe).await.map_err(|_| DeadlinePassed(deadline))
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.exchange.abort_all();
        self.serving.abort();
        self.serving_files.abort();
    }
}
