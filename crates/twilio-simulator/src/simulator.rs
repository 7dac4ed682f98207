//! The simulator as its owner holds it: start, drive, misbehave, observe, stop.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn;
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::account::Account;
use crate::alert::Alert;
use crate::call::CallRecord;
use crate::calling::phone::{self, NoCall};
use crate::config::{CallOutcome, Outcome, SimulatorConfig};
use crate::delivery::Delivery;
use crate::exchange::{Event, Exchange};
use crate::inbound::{self, NotOurs, Text, Unsent};
use crate::log::{LogEntry, LogKind};
use crate::message::MessageRecord;
use crate::misbehaviour::{Extent, Fault};
use crate::number::Number;
use crate::queue::Pacing;
use crate::service::Service;
use crate::{calling, cdn, control, page, rest, server};

/// The confidence with which plain speech is recognized.
pub(crate) const CLEAR: f32 = 0.95;

/// A running Twilio for the desk. It stops when it is dropped.
pub struct Simulator {
    exchange: Arc<Exchange>,
    address: SocketAddr,
    serving: JoinHandle<()>,
    serving_files: JoinHandle<()>,
}

/// Why a simulator does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port cannot be listened on.
    #[error("listen on 127.0.0.1:{port}: choose another port, or 0 for any free one")]
    Listen {
        /// The port that was asked for.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
    /// The system gives no randomness.
    #[error("get randomness for SIDs from the system: {0}")]
    Randomness(getrandom::Error),
}

/// What was waited for did not happen in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("see what was waited for within {0:?}")]
pub struct DeadlinePassed(
    /// How long was waited.
    pub Duration,
);

impl Simulator {
    /// Listens on loopback and serves until it is stopped or dropped.
    pub async fn start(config: SimulatorConfig) -> Result<Self, StartError> {
        Self::start_beside(config, None).await
    }

    /// Starts with the operator's side of the phone page, which the owner of the gateway serves at `/_operator`:
    /// `GET /requests` lists `{code, number, kept}`, `POST /approve` accepts `{who}` (a code or a number), `POST /reject`
    /// accepts `{who, block}`, `GET /status` returns pairs of a label and a count, and `GET /agent` returns
    /// `{sentence, commands: [{fits, command}], problem}`.
    pub async fn start_with_operator(config: SimulatorConfig, operator: Router) -> Result<Self, StartError> {
        Self::start_beside(config, Some(operator)).await
    }

    async fn start_beside(config: SimulatorConfig, operator: Option<Router>) -> Result<Self, StartError> {
        let port = config.port;
        let listen = |source| StartError::Listen { port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let files = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let files = files.map_err(|source| StartError::Listen { port: 0, source })?;
        let cdn_url = format!("http://{}", files.local_addr().map_err(listen)?);
        let exchange = Exchange::open(config, format!("http://{address}"), cdn_url, operator.is_some());
        let exchange = exchange.map_err(StartError::Randomness)?;
        let own = control::router(&exchange).merge(Router::new().nest("/_operator", operator.unwrap_or_default()));
        let own = own.merge(page::router()).layer(from_fn(page::refuse_other_pages));
        let router = rest::router(&exchange).merge(own);
        let serving = tokio::spawn(server::serve(listener, router));
        let serving_files = tokio::spawn(server::serve(files, cdn::router(&exchange)));
        Ok(Self { exchange, address, serving, serving_files })
    }

    /// Stops listening, cuts every connection and ends every life. The port is free afterwards.
    pub async fn stop(mut self) {
        self.exchange.abort_all();
        for serving in [&mut self.serving, &mut self.serving_files] {
            serving.abort();
            // It was aborted: there is nothing to learn from it.
            let _ = serving.await;
        }
    }

    /// Where the API is: `http://127.0.0.1:PORT`.
    pub fn base_url(&self) -> &str {
        &self.exchange.base_url
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The account's SID.
    pub fn account_sid(&self) -> &str {
        &self.exchange.config.account_sid
    }

    /// The account's auth token at the start.
    pub fn auth_token(&self) -> &str {
        &self.exchange.config.auth_token
    }

    /// Rotates the auth token: from now on it is the password, and signs webhooks, in place of the one before.
    pub fn rotate_auth_token(&self, auth_token: &str) {
        self.exchange.state().auth_token = auth_token.to_owned();
    }

    /// The account's first phone number; empty when it has none.
    pub fn number(&self) -> &str {
        self.exchange.config.numbers.first().map_or("", |number| &number.phone_number)
    }

    /// Sets the URL that hears of messages to a number.
    pub fn set_sms_url(&self, number: &str, url: &str) -> Result<(), NotOurs> {
        self.set(number, "sms_url", url)
    }

    /// Sets the URL that hears of calls to a number.
    pub fn set_voice_url(&self, number: &str, url: &str) -> Result<(), NotOurs> {
        self.set(number, "voice_url", url)
    }

    /// Sets the URL that hears how calls to a number ended.
    pub fn set_status_callback(&self, number: &str, url: &str) -> Result<(), NotOurs> {
        self.set(number, "status_callback", url)
    }

    /// Changes what Twilio says of the account itself.
    pub fn set_account(&self, account: Account) {
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

    /// Adds an alert under a new SID, and gives that.
    pub fn add_alert(&self, alert: Alert) -> String {
        self.exchange.alert(alert)
    }

    /// Has every API path that begins like one of these answered 404: `/v1/Alerts`, or `/Balance` for what is below the
    /// account. Replaces what was said before.
    pub fn set_missing(&self, beginnings: &[&str]) {
        self.exchange.state().missing = beginnings.iter().map(|path| (*path).to_owned()).collect();
    }

    fn set(&self, number: &str, field: &'static str, url: &str) -> Result<(), NotOurs> {
        let mut state = self.exchange.state();
        let found = state.numbers.iter_mut().find(|candidate| candidate.phone_number == number);
        found.ok_or_else(|| NotOurs(number.to_owned()))?.set(field, url);
        Ok(())
    }

    /// A phone texts one of the account's numbers. Ends when the webhook was answered or given up.
    pub async fn text(&self, from: &str, to: &str, body: &str) -> Result<Delivery, Unsent> {
        self.receive(Text::new(from, to, body)).await
    }

    /// The same with files or more parameters.
    pub async fn receive(&self, text: Text) -> Result<Delivery, Unsent> {
        inbound::receive(&self.exchange, text).await
    }

    /// Posts the webhook of an inbound message again, with the same SID and idempotency token.
    pub async fn redeliver(&self, sid: &str) -> Result<Delivery, NotOurs> {
        inbound::redeliver(&self.exchange, sid).await
    }

    /// A phone calls one of the account's numbers. Ends when the voice URL was answered; the answer is TwiML.
    pub async fn call(&self, from: &str, to: &str) -> Result<Delivery, NotOurs> {
        calling::ring_in(&self.exchange, from, to).await
    }

    /// Answers a phone that rings, as [`CallOutcome::Rings`] lets it.
    pub fn answer(&self, sid: &str) -> Result<(), NoCall> {
        phone::answer(&self.exchange, sid)
    }

    /// The phone's owner says something on a call, as soon as that listens.
    pub async fn say(&self, sid: &str, text: &str) -> Result<(), NoCall> {
        phone::say(&self.exchange, sid, text, CLEAR).await
    }

    /// The same, recognized with this confidence, from 0 to 1.
    pub async fn mumble(&self, sid: &str, text: &str, confidence: f32) -> Result<(), NoCall> {
        phone::say(&self.exchange, sid, text, confidence).await
    }

    /// The phone's owner presses keys on a call, as soon as that listens.
    pub async fn press(&self, sid: &str, keys: &str) -> Result<(), NoCall> {
        phone::press(&self.exchange, sid, keys).await
    }

    /// The phone hangs up.
    pub fn hang_up(&self, sid: &str) -> Result<(), NoCall> {
        phone::hang_up(&self.exchange, sid)
    }

    /// Decides who answers calls that are placed to a phone from now on.
    pub fn set_call_outcome(&self, to: &str, outcome: CallOutcome) {
        self.exchange.state().call_outcomes.insert(to.to_owned(), outcome);
    }

    /// Waits until the calls (oldest first) are as wanted, and returns them.
    pub async fn wait_for_calls(
        &self,
        is_wanted: impl Fn(&[CallRecord]) -> bool,
        deadline: Duration,
    ) -> Result<Vec<CallRecord>, DeadlinePassed> {
        let probe = self.exchange.wait(|state| is_wanted(&state.calls).then(|| state.calls.clone()));
        timeout(deadline, probe).await.map_err(|_| DeadlinePassed(deadline))
    }

    /// Decides what becomes of messages to a phone from now on.
    pub fn set_outcome(&self, to: &str, outcome: Outcome) {
        self.exchange.state().outcomes.insert(to.to_owned(), outcome);
    }

    /// Changes how fast numbers send; lifted, whatever waits goes.
    pub fn set_pacing(&self, pacing: Pacing) {
        self.exchange.set_pacing(pacing);
    }

    /// Lets something go wrong. Several faults may be in force; of those that end a creation the earliest strikes.
    pub fn misbehave(&self, fault: Fault, extent: Extent) {
        self.exchange.state().misbehaviour.add(fault, extent);
    }

    /// Ends all misbehaviour.
    pub fn behave(&self) {
        self.exchange.state().misbehaviour.clear();
    }

    /// Forgets messages, calls, alerts, log, opt-outs and faults. Account, numbers and services stay as they are.
    pub fn reset(&self) {
        self.exchange.reset();
    }

    /// All messages, oldest first.
    pub fn messages(&self) -> Vec<MessageRecord> {
        self.exchange.state().messages.clone()
    }

    /// All calls, oldest first.
    pub fn calls(&self) -> Vec<CallRecord> {
        self.exchange.state().calls.clone()
    }

    /// All complaints about webhook answers, oldest first.
    pub fn alerts(&self) -> Vec<Alert> {
        self.exchange.state().alerts.clone()
    }

    /// All requests, both ways, oldest first.
    pub fn log(&self) -> Vec<LogEntry> {
        self.exchange.state().log.entries().to_vec()
    }

    /// How many message creations were asked for, whatever became of them.
    pub fn creations(&self) -> usize {
        let is_creation = |entry: &&LogEntry| {
            entry.kind == LogKind::Rest && entry.method == "POST" && entry.target.ends_with("/Messages.json")
        };
        self.exchange.state().log.entries().iter().filter(is_creation).count()
    }

    /// Follows what happens from now on. A follower that falls 1024 events behind loses the oldest.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.exchange.subscribe()
    }

    /// Waits until the messages (oldest first) are as wanted, and gives them.
    pub async fn wait_for(
        &self,
        is_wanted: impl Fn(&[MessageRecord]) -> bool,
        deadline: Duration,
    ) -> Result<Vec<MessageRecord>, DeadlinePassed> {
        let probe = self.exchange.wait(|state| is_wanted(&state.messages).then(|| state.messages.clone()));
        timeout(deadline, probe).await.map_err(|_| DeadlinePassed(deadline))
    }

    /// Waits until the log (oldest first) is as wanted, and gives it.
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
