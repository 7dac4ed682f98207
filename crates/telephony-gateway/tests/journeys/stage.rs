//! The stage of the journeys: the simulator, a store in a temporary folder, a gateway, and an adjustable clock.

#[path = "stage/agent.rs"]
mod agent;
#[path = "stage/clock.rs"]
mod clock;
#[path = "stage/phone.rs"]
pub mod phone;
#[path = "stage/plan.rs"]
mod plan;
#[path = "stage/raw_call.rs"]
pub mod raw_call;

use std::sync::Arc;
use std::time::Duration;

use telephony_domain::line::Sender;
use telephony_domain::time::{Clock, Timestamp};
use telephony_gateway::gateway::Gateway;
use telephony_gateway::lock::GatewayLock;
use telephony_gateway::parts::Parts;
use telephony_gateway::tasks::BrokenTask;
use telephony_providers::route::Routes;
use telephony_providers::twilio::Twilio;
use telephony_providers::twilio::account::TwilioAccount;
use telephony_providers::twilio::form::FormParameters;
use telephony_providers::twilio::rest::Rest;
use telephony_providers::twilio::signature::{self, Payload};
use telephony_store::Store;
use telephony_store::history::WorkSummary;
use telephony_store::journal::Journal;
use telephony_store::sqlite::{Mode, SqliteStore};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;
use twilio_simulator::{Delivery, InboundText, LogEntry, MessageRecord, Simulator};

pub use agent::Scripted;
pub use clock::MovableClock;
pub use plan::Plan;

pub const ALICE: &str = "+15550005678";
pub const BOB: &str = "+15550005679";

/// The operator's apology when the agent cannot answer.
pub const SORRY: &str = "Sorry, later.";

/// The timeout of every wait.
pub const SOON: Duration = Duration::from_secs(60);

const PATH: &str = "/telephony/webhook";
const STATUS_PATH: &str = "/telephony/status";

/// The tasks of a running gateway.
struct Running {
    gateway: Gateway,
    store: Arc<dyn Store>,
    journal: Arc<Journal>,
}

/// A complete test environment, whose gateway can be stopped, killed and restarted.
pub struct Stage {
    pub twilio: Simulator,
    pub state: TempDir,
    pub clock: Arc<MovableClock>,
    /// A change holds from the next start of the gateway.
    pub plan: Plan,
    running: Option<Running>,
    watch: String,
    client: reqwest::Client,
}

impl Stage {
    pub async fn start_gateway(&mut self) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let watch = TcpListener::bind("127.0.0.1:0").await.unwrap();
        self.watch = format!("http://{}", watch.local_addr().unwrap());
        let base = format!("http://{}", listener.local_addr().unwrap());
        let path = self.state.path().join("telephony.sqlite");
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&path, Mode::Gateway).unwrap());
        let arrivals = self.state.path().join("arrivals");
        // A killed gateway may still be releasing its journal.
        let journal = spawn_blocking(move || Journal::open(&arrivals)).await.unwrap();
        let journal = Arc::new(journal.unwrap());
        let gateway = Gateway::start(Parts {
            lock: GatewayLock::take(self.state.path()).unwrap(),
            state: self.state.path().to_path_buf(),
            listener,
            store: store.clone(),
            journal: journal.clone(),
            provider: Arc::new(self.provider()),
            tunnel: self.plan.tunnel.clone(),
            clock: self.clock.clone(),
            settings: self.plan.settings(self.bot(), &base),
            metrics: Arc::default(),
            watch: Some(watch),
        });
        self.running = Some(Running { gateway: gateway.await.unwrap(), store, journal });
        if self.plan.tunnel.is_none() {
            self.twilio.set_sms_url(self.bot(), &format!("{base}{PATH}")).unwrap();
            self.twilio.set_voice_url(self.bot(), &format!("{base}{PATH}")).unwrap();
        }
    }

    /// Waits until the gateway reports a failed task.
    pub async fn expect_broken(&self) -> BrokenTask {
        tokio::time::timeout(SOON, self.running().gateway.broken()).await.unwrap()
    }

    pub async fn stop_gateway(&mut self) {
        let running = self.running.take().unwrap();
        running.gateway.stop().await;
    }

    /// Aborts the gateway's tasks, as close to a kill as one process can get, and closes its store.
    pub fn cut_off_gateway(&mut self) {
        drop(self.running.take());
    }

    pub fn bot(&self) -> &str {
        self.twilio.number()
    }

    fn running(&self) -> &Running {
        self.running.as_ref().unwrap()
    }

    pub fn store(&self) -> &dyn Store {
        self.running().store.as_ref()
    }

    pub fn webhook_url(&self) -> String {
        format!("http://{}{PATH}", self.running().gateway.address())
    }

    /// Posts a form with Twilio's signature to the webhook, or to a path below it.
    pub async fn post_signed(&self, below: &str, form: String) -> reqwest::Response {
        self.signed(below, form).send().await.unwrap()
    }

    /// Returns a request as Twilio makes it.
    pub fn signed(&self, below: &str, form: String) -> reqwest::RequestBuilder {
        let url = format!("{}{below}", self.webhook_url());
        let token = self.twilio.auth_token().to_owned().into();
        let signature = signature::sign(&token, &url, &Payload::Form(FormParameters::parse(form.as_bytes()))).unwrap();
        let request = self.client.post(url).header(signature::SIGNATURE_HEADER, signature);
        request.header("content-type", "application/x-www-form-urlencoded").body(form)
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running().gateway.address())
    }

    /// Returns the URL of `path` on the monitoring listener.
    pub fn watch_url(&self, path: &str) -> String {
        format!("{}{path}", self.watch)
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Returns the current webhook URL of the bot's number.
    pub async fn sms_url(&self) -> String {
        let sender = Sender { number: self.bot().parse().ok(), messaging_service: None };
        let routes = Twilio::new(self.account()).routes(&sender, None).await.unwrap();
        routes[0].setting("SmsUrl").unwrap().value.clone()
    }

    /// Sends a text from a phone to the bot.
    pub async fn text(&self, from: &str, body: &str) {
        self.receive(InboundText::new(from, self.bot(), body)).await;
    }

    /// Sends a text and returns once it is stored, because the gateway acknowledges it earlier.
    pub async fn receive(&self, text: InboundText) {
        self.stored(self.twilio.receive(text).await.unwrap()).await;
    }

    /// Returns once all acknowledged texts are stored.
    pub async fn stored(&self, delivery: Delivery) {
        assert_eq!(delivery.status, Some(200), "{}", delivery.body);
        let journal = &self.running().journal;
        let stored = tokio::time::timeout(SOON, journal.applied(journal.end())).await;
        stored.expect("what was acknowledged is not stored");
    }

    /// Waits until `phone` has received exactly `bodies` in this order.
    pub async fn expect(&self, phone: &str, bodies: &[&str]) {
        let is_there = |messages: &[MessageRecord]| {
            let sent: Vec<&MessageRecord> = sent_to(messages, phone).collect();
            sent.len() >= bodies.len() && sent.iter().all(|message| message.status.is_final())
        };
        let waited = self.twilio.wait_for(is_there, SOON).await;
        assert!(waited.is_ok(), "{phone} was sent only {:?}", self.bodies(phone));
        assert_eq!(self.bodies(phone), bodies);
    }

    /// Waits until `phone` was sent so many texts.
    pub async fn expect_texts(&self, phone: &str, count: usize) -> Vec<String> {
        let waited = self.twilio.wait_for(|messages| sent_to(messages, phone).count() >= count, SOON).await;
        assert!(waited.is_ok(), "{phone} was sent only {:?}", self.bodies(phone));
        self.bodies(phone)
    }

    /// Returns the texts sent to `phone`, oldest first.
    pub fn bodies(&self, phone: &str) -> Vec<String> {
        sent_to(&self.twilio.messages(), phone).map(|message| message.body.clone()).collect()
    }

    /// Waits until the gateway has no work left and returns the counts.
    pub async fn expect_rest(&self) -> WorkSummary {
        self.expect_summary(|summary| {
            let inbox = summary.waiting + summary.answering + summary.retrying;
            inbox + summary.queued + summary.sending + summary.unknown == 0
        })
        .await
    }

    pub fn journal(&self) -> &Journal {
        &self.running().journal
    }

    /// Waits until the counts meet a condition.
    pub async fn expect_summary(&self, is_wanted: impl Fn(&WorkSummary) -> bool) -> WorkSummary {
        let mut last = None;
        let probe = async {
            loop {
                let is_applied = self.journal().is_applied();
                let summary = self.store().summary(self.now()).await.unwrap();
                if is_applied && is_wanted(&summary) {
                    return summary;
                }
                last = Some(summary);
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let waited = tokio::time::timeout(SOON, probe).await;
        waited.unwrap_or_else(|_| panic!("the store stays at {last:?}"))
    }

    /// Returns the Twilio client of the gateway's operator.
    pub fn provider(&self) -> Twilio {
        let rest = Rest::new(self.account());
        Twilio::with_rest(match self.plan.answer_within {
            Some(time) => rest.answer_within(time),
            None => rest,
        })
    }

    fn account(&self) -> TwilioAccount {
        TwilioAccount {
            sid: self.twilio.account_sid().to_owned(),
            auth_tokens: vec![self.twilio.auth_token().into()],
            shared_keys: std::collections::BTreeMap::new(),
            api_key: None,
            api_url: self.twilio.base_url().to_owned(),
            product_urls: [("messaging".into(), self.twilio.base_url().to_owned())].into(),
            connection_overrides: String::new(),
            skips_signatures: false,
        }
    }
}

fn sent_to<'a>(messages: &'a [MessageRecord], phone: &str) -> impl Iterator<Item = &'a MessageRecord> {
    messages.iter().filter(move |message| message.is_outbound() && message.to == phone)
}

/// Returns true for a request for the list of messages to `phone`.
pub fn is_look_for(entry: &LogEntry, phone: &str) -> bool {
    entry.method == "GET" && entry.target.contains(&format!("Messages.json?To={}", phone.replace('+', "%2B")))
}
