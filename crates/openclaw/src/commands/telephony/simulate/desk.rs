//! A gateway, a simulated Twilio and a temporary state folder, connected as the guide describes.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use telephony_agents::AgentError;
use telephony_config::TelephonyConfig;
use telephony_domain::limit::Terms;
use telephony_domain::line::Sender;
use telephony_domain::pace::Pacing;
use telephony_domain::policy::Policy;
use telephony_domain::sms::split::{ChunkMode, SplitRules};
use telephony_domain::time::SystemClock;
use telephony_gateway::gateway::Gateway;
use telephony_gateway::lock::GatewayLock;
use telephony_gateway::parts::Parts;
use telephony_gateway::settings::{Fixed, Live, PublicUrls, Settings, VoiceSettings, WEBHOOKS_IN_FLIGHT};
use telephony_providers::twilio::Twilio;
use telephony_providers::twilio::account::TwilioAccount;
use telephony_store::Store;
use telephony_store::inbox::ArrivalRules;
use telephony_store::journal::Journal;
use telephony_store::sqlite::{Mode, SqliteStore};
use tempfile::TempDir;
use tokio::net::TcpListener;
use twilio_simulator::{DEFAULT_NUMBER, Simulator};

use super::agent::SimulatedAgent;
use super::operator::{MAX_CALLS, SimulatedOperator, about};
use super::{cannot_start, twilio_config};
use crate::assemble;
use crate::failure::Failure;

const PATH: &str = "/telephony/webhook";
const STATUS_PATH: &str = "/telephony/status";

/// Texts within this time become one turn. Shorter than the gateway's default, so that the page shows the answer soon.
const COALESCE: Duration = Duration::from_millis(400);

/// The parts of a simulation.
pub struct Desk {
    pub twilio: Simulator,
    pub operator: SimulatedOperator,
    /// The error of the agent's server, if it failed before the first turn.
    pub problem: Option<AgentError>,
    gateway: Gateway,
    _state: TempDir,
}

impl Desk {
    /// Starts a Twilio on `port` and a gateway with this agent, each configured with the other's address.
    pub async fn start(port: u16, max_length: u16, agent: SimulatedAgent) -> Result<Desk, Failure> {
        let state = tempfile::tempdir().context("cannot create a temporary state folder")?;
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&state.path().join("telephony.sqlite"), Mode::Gateway)?);
        let split = SplitRules { chunk_mode: ChunkMode::Auto, max_length, numbering: true, max_segments: Some(30) };
        let problem = agent.problem().await;
        let config = twilio_config(port);
        let operator = SimulatedOperator {
            store: store.clone(),
            split,
            state: state.path().to_path_buf(),
            agent: about(&agent, &problem),
            number: DEFAULT_NUMBER.parse().context("the simulated number is not valid")?,
        };
        let twilio = Simulator::start_with_operator(config, operator.clone().router()).await.map_err(cannot_start)?;
        let listener = TcpListener::bind("127.0.0.1:0").await.context("cannot listen on 127.0.0.1")?;
        let base = format!("http://{}", listener.local_addr()?);
        let gateway = Gateway::start(Parts {
            lock: GatewayLock::take(state.path())?,
            state: state.path().to_path_buf(),
            listener,
            store,
            journal: Arc::new(Journal::open(&state.path().join("arrivals"))?),
            provider: Arc::new(Twilio::new(account(&twilio))),
            tunnel: None,
            clock: Arc::new(SystemClock),
            settings: settings(&twilio, &base, split, agent)?,
            metrics: Arc::default(),
            watch: None,
        })
        .await?;
        twilio.set_sms_url(twilio.number(), &format!("{base}{PATH}"))?;
        twilio.set_voice_url(twilio.number(), &format!("{base}{PATH}"))?;
        Ok(Desk { twilio, operator, problem, gateway, _state: state })
    }

    /// Stops both and deletes the state folder.
    pub async fn stop(self) {
        self.gateway.stop().await;
        self.twilio.stop().await;
    }
}

fn account(twilio: &Simulator) -> TwilioAccount {
    TwilioAccount {
        sid: twilio.account_sid().to_owned(),
        auth_tokens: vec![twilio.auth_token().into()],
        shared_keys: std::collections::BTreeMap::new(),
        api_key: None,
        api_url: twilio.base_url().to_owned(),
        product_urls: Default::default(),
        connection_overrides: "rc=3&rp=5xx,ct,rt".to_owned(),
        skips_signatures: false,
    }
}

fn settings(twilio: &Simulator, base: &str, split: SplitRules, agent: SimulatedAgent) -> Result<Settings, Failure> {
    let status = format!("{base}{STATUS_PATH}");
    let fixed = Fixed {
        sender: Sender { number: Some(twilio.number().parse()?), messaging_service: None },
        max_sessions: MAX_CALLS,
        webhooks_in_flight: WEBHOOKS_IN_FLIGHT,
        program: crate::terminal::program(),
        path: PATH.to_owned(),
        status_path: STATUS_PATH.to_owned(),
        public: Some(PublicUrls { webhook: format!("{base}{PATH}"), status: status.clone(), status_callback: status }),
        allowed_hosts: Vec::new(),
        trusts_forwarding: false,
        trusted_proxies: Vec::new(),
        checks_signatures: true,
    };
    let arrivals = ArrivalRules { policy: Policy::default(), coalesce: COALESCE, operator: None, line: None };
    let live = Live {
        agent: agent.agent,
        arrivals: Arc::new(arrivals),
        split,
        terms: Terms::unlimited(Pacing::Unlimited, assemble::carrier()),
        voice: VoiceSettings { is_enabled: true, ..assemble::voice_settings(&TelephonyConfig::default()) },
        unavailable_text: agent.unavailable_text,
        stranger_replies_per_day: Some(50),
        operator: None,
        retention: Duration::from_secs(365 * 24 * 60 * 60),
    };
    Ok(Settings { fixed, live })
}
