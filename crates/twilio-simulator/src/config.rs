//! What a simulator is told at start: account, keys, numbers, services and habits. Leaves all behaviour to the others.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use crate::account::Account;
use crate::number::Number;
use crate::queue::Pacing;
use crate::service::Service;

/// Everything a simulator is told at start. The defaults are a full account with one number, [`DEFAULT_NUMBER`].
#[derive(Clone)]
pub struct SimulatorConfig {
    /// Loopback port of the REST API; 0 takes any free one.
    pub port: u16,
    /// The account's SID: `AC` and 32 hex digits.
    pub account_sid: String,
    /// The account's auth token at first: REST password and signing key of every webhook.
    pub auth_token: String,
    /// API keys that REST also accepts (standard keys: no access to `/Accounts`).
    pub api_keys: Vec<ApiKey>,
    /// What Twilio says of the account itself.
    pub account: Account,
    /// The account's phone numbers.
    pub numbers: Vec<Number>,
    /// The account's messaging services.
    pub services: Vec<Service>,
    /// The pause before each step of a message's or call's life.
    pub step_delay: Duration,
    /// The time that a second of a call takes: of speech, pauses, ringing and limits.
    pub call_second: Duration,
    /// How fast numbers send. Lifted by default, so that nobody has to wait.
    pub pacing: Pacing,
    /// How long the last message in a number's queue may have to wait. Twilio: 10 hours.
    pub queue_limit: Duration,
    /// What becomes of messages to these numbers; everyone else's are delivered.
    pub outcomes: BTreeMap<String, Outcome>,
    /// Who handles STOP, START and HELP.
    pub opt_out: OptOut,
    /// Deliver every webhook over plain HTTP to this address, whatever host and scheme its URL has, as a tunnel or a
    /// reverse proxy would. Without it webhooks go where their URL says, and `https` URLs cannot be reached.
    pub tunnel_to: Option<SocketAddr>,
    /// How long a webhook may take altogether. Twilio: 15 s.
    pub webhook_timeout: Duration,
    /// How long the address is good for that a media URL redirects to.
    pub media_link_lifetime: Duration,
    /// The status of that redirect. Twilio: 307, on some roads 302.
    pub media_redirect: u16,
    /// Seed of the dice that [`Extent::Percent`](crate::Extent::Percent) throws.
    pub seed: u64,
}

/// An API key: the user name and password that REST accepts beside the account's own.
#[derive(Clone)]
pub struct ApiKey {
    /// `SK` and 32 hex digits.
    pub sid: String,
    /// The key's secret.
    pub secret: String,
}

/// What becomes of a message that was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Reaches the phone.
    Delivered,
    /// Leaves for the carrier, which never says what became of it.
    Sent,
    /// Leaves for the carrier, which refuses it with this error code (30003, 30005, …).
    Undelivered(u32),
    /// Never leaves, with this error code (30001, 30007, …).
    Failed(u32),
}

/// The one who answers a call that was placed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallOutcome {
    /// A person, at once.
    #[default]
    Human,
    /// The phone rings until it is answered by hand, or its ring time is over: `no-answer`.
    Rings,
    /// The line is busy.
    Busy,
    /// There is no such phone.
    Failed,
    /// An answering machine.
    Machine,
    /// A fax machine.
    Fax,
    /// Someone of whom machine detection cannot say.
    Unknown,
}

/// Who handles STOP, START and HELP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptOut {
    /// Advanced Opt-Out: Twilio answers every keyword and says so with `OptOutType`.
    Advanced,
    /// The default of a number: Twilio answers, but `OptOutType` is not sent.
    Standard,
    /// Nobody: keywords are ordinary texts. The network still obeys STOP and UNSTOP to a toll-free number.
    Off,
}

/// The SID of the default account.
pub const DEFAULT_ACCOUNT_SID: &str = "AC0123456789abcdef0123456789abcdef";

/// The auth token of the default account: worth nothing outside of a simulator.
pub const DEFAULT_AUTH_TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// The phone number of the default account.
pub const DEFAULT_NUMBER: &str = "+15550001234";

impl Default for SimulatorConfig {
    fn default() -> Self {
        Self {
            port: 0,
            account_sid: DEFAULT_ACCOUNT_SID.to_owned(),
            auth_token: DEFAULT_AUTH_TOKEN.to_owned(),
            api_keys: Vec::new(),
            account: Account::default(),
            numbers: vec![Number::new(DEFAULT_NUMBER)],
            services: Vec::new(),
            step_delay: Duration::from_millis(50),
            call_second: Duration::from_secs(1),
            pacing: Pacing::Lifted,
            queue_limit: Duration::from_secs(10 * 60 * 60),
            outcomes: BTreeMap::new(),
            opt_out: OptOut::Advanced,
            tunnel_to: None,
            webhook_timeout: Duration::from_secs(15),
            media_link_lifetime: Duration::from_secs(4 * 60 * 60),
            media_redirect: 307,
            seed: 0,
        }
    }
}
