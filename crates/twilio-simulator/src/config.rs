//! Startup configuration: account, keys, numbers, services and behavior.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use crate::account::AccountSettings;
use crate::number::Number;
use crate::queue::QueuePacing;
use crate::service::Service;

/// The startup configuration. The default is a full account with one number, [`DEFAULT_NUMBER`].
#[derive(Clone)]
pub struct SimulatorConfig {
    /// Loopback port of the REST API; 0 picks a free port.
    pub port: u16,
    /// The account's SID: `AC` and 32 hex digits.
    pub account_sid: String,
    /// The account's initial auth token: the REST password and the signing key of all webhooks.
    pub auth_token: String,
    /// API keys that REST also accepts (standard keys, without access to `/Accounts`).
    pub api_keys: Vec<ApiKey>,
    /// The account's type, status and balance.
    pub account: AccountSettings,
    /// The account's phone numbers.
    pub numbers: Vec<Number>,
    /// The account's messaging services.
    pub services: Vec<Service>,
    /// The delay before each status of a message or call.
    pub step_delay: Duration,
    /// The real time of one second of a call: speech, pauses, ringing and limits.
    pub call_second: Duration,
    /// The sending rate of numbers. Unlimited by default, so that tests need not wait.
    pub pacing: QueuePacing,
    /// The maximum wait in a number's queue. Twilio: 10 hours.
    pub queue_limit: Duration,
    /// Outcomes of messages by recipient; all others are delivered.
    pub outcomes: BTreeMap<String, DeliveryOutcome>,
    /// The handling of STOP, START and HELP.
    pub opt_out: OptOut,
    /// Posts every webhook over plain HTTP to this address, regardless of the host and scheme in its URL, like a tunnel
    /// or reverse proxy. Without it, webhooks go to their URL, and `https` URLs are unreachable.
    pub tunnel_to: Option<SocketAddr>,
    /// The total timeout of a webhook. Twilio: 15 s.
    pub webhook_timeout: Duration,
    /// The lifetime of the URL that a media URL redirects to.
    pub media_link_lifetime: Duration,
    /// The status of that redirect. Twilio: 307, in some cases 302.
    pub media_redirect: u16,
    /// Seed of the random numbers for [`Extent::Percent`](crate::Extent::Percent).
    pub seed: u64,
}

/// An API key, which REST accepts like the account's own credentials.
#[derive(Clone)]
pub struct ApiKey {
    /// `SK` and 32 hex digits.
    pub sid: String,
    /// The key's secret.
    pub secret: String,
}

/// The outcome of an accepted message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryOutcome {
    /// Reaches the phone, which reports delivery.
    Delivered,
    /// Leaves for the carrier, which never reports delivery.
    Sent,
    /// Leaves for the carrier, which rejects it with this error code (30003, 30005, …).
    Undelivered(u32),
    /// Fails before it leaves, with this error code (30001, 30007, …).
    Failed(u32),
}

/// The outcome of a placed call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallOutcome {
    /// A person answers at once.
    #[default]
    Human,
    /// The phone rings until [`Simulator::answer`](crate::Simulator::answer), or ends with `no-answer`.
    Rings,
    /// The line is busy.
    Busy,
    /// The number does not exist.
    Failed,
    /// An answering machine answers.
    Machine,
    /// A fax machine answers.
    Fax,
    /// Machine detection cannot tell who answered.
    Unknown,
}

/// The handling of STOP, START and HELP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptOut {
    /// Advanced Opt-Out: Twilio answers every keyword and reports it as `OptOutType`.
    Advanced,
    /// A number's default: Twilio answers, but does not send `OptOutType`.
    Standard,
    /// Keywords are ordinary texts. Toll-free networks still handle STOP and UNSTOP.
    Off,
}

/// The SID of the default account.
pub const DEFAULT_ACCOUNT_SID: &str = "AC0123456789abcdef0123456789abcdef";

/// The auth token of the default account, valid only in a simulator.
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
            account: AccountSettings::default(),
            numbers: vec![Number::new(DEFAULT_NUMBER)],
            services: Vec::new(),
            step_delay: Duration::from_millis(50),
            call_second: Duration::from_secs(1),
            pacing: QueuePacing::Lifted,
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
