//! The settings of the gateway and of the simulator.

use std::sync::Arc;
use std::time::Duration;

use telephony_agents::Agent;
use telephony_domain::call::afterwards::SummaryRecipient;
use telephony_domain::call::plan::{CallPlan, CallPurpose};
use telephony_domain::call::proof::Pin;
use telephony_domain::limit::Terms;
use telephony_domain::line::Sender;
use telephony_domain::number::PhoneNumber;
use telephony_domain::pace::Pacing;
use telephony_domain::policy::{InboundPolicy, Policy};
use telephony_domain::program::ProgramName;
use telephony_domain::sms::split::{ChunkMode, SplitRules};
use telephony_gateway::settings::{Fixed, Live, PublicUrls, Settings, VoiceSettings, WEBHOOKS_IN_FLIGHT};
use telephony_gateway::tunnel::Tunneling;
use telephony_providers::twilio::CARRIER;
use telephony_store::inbox::ArrivalRules;
use twilio_simulator::{Simulator, SimulatorConfig};

use super::{MovableClock, PATH, SORRY, STATUS_PATH, Scripted, Stage};

/// Changes to the default gateway, which has the policy `open` and the echo agent.
pub struct Plan {
    pub policy: Policy,
    pub agent: Arc<dyn Agent>,
    pub coalesce: Duration,
    pub max_sessions: usize,
    pub webhooks_in_flight: usize,
    pub takes_calls: bool,
    pub requires_attestation: bool,
    pub pin: Option<&'static str>,
    /// Answers that take longer than this are announced by a filler.
    pub filler_after: Duration,
    pub summary: Option<SummaryRecipient>,
    pub missed_call_text: Option<&'static str>,
    pub has_public_url: bool,
    pub simulator: SimulatorConfig,
    pub stranger_replies_per_day: Option<u32>,
    pub retention: Duration,
    pub terms: Terms,
    pub messaging_service: Option<&'static str>,
    pub operator: Option<&'static str>,
    pub tunnel: Option<Tunneling>,
    /// Sets the timeout of requests to Twilio.
    pub answer_within: Option<Duration>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            policy: Policy { inbound: InboundPolicy::Open, ..Policy::default() },
            agent: Arc::new(Scripted::repeating()),
            coalesce: Duration::ZERO,
            max_sessions: 10,
            webhooks_in_flight: WEBHOOKS_IN_FLIGHT,
            takes_calls: false,
            requires_attestation: false,
            pin: None,
            // So short that tests need not wait.
            filler_after: Duration::from_millis(300),
            summary: None,
            missed_call_text: None,
            has_public_url: true,
            simulator: SimulatorConfig {
                step_delay: Duration::ZERO,
                call_second: Duration::from_millis(5),
                ..SimulatorConfig::default()
            },
            stranger_replies_per_day: None,
            retention: Duration::from_secs(365 * 24 * 60 * 60),
            terms: Terms::unlimited(Pacing::Unlimited, &CARRIER),
            messaging_service: None,
            operator: None,
            tunnel: None,
            answer_within: None,
        }
    }
}

impl Plan {
    pub fn pairing() -> Self {
        Self { policy: Policy::default(), ..Self::default() }
    }

    pub fn with_agent(self, agent: Scripted) -> Self {
        Self { agent: Arc::new(agent), ..self }
    }

    pub async fn start(self) -> Stage {
        let mut stage = self.prepare().await;
        stage.start_gateway().await;
        stage
    }

    /// Everything except the gateway, which has not run yet.
    pub async fn prepare(self) -> Stage {
        let twilio = Simulator::start(self.simulator.clone()).await.unwrap();
        let state = tempfile::tempdir().unwrap();
        let clock = Arc::new(MovableClock::default());
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::new();
        Stage { twilio, state, clock, plan: self, running: None, watch: String::new(), client }
    }

    fn operator(&self) -> Option<PhoneNumber> {
        self.operator.map(|number| number.parse().unwrap())
    }

    /// Returns the settings of the gateway of `bot`, which listens at `base`.
    pub(super) fn settings(&self, bot: &str, base: &str) -> Settings {
        let status = format!("{base}{STATUS_PATH}");
        let public = PublicUrls { webhook: format!("{base}{PATH}"), status: status.clone(), status_callback: status };
        let fixed = Fixed {
            sender: Sender { number: bot.parse().ok(), messaging_service: self.messaging_service.map(str::to_owned) },
            max_sessions: self.max_sessions,
            webhooks_in_flight: self.webhooks_in_flight,
            program: ProgramName::default(),
            path: PATH.into(),
            status_path: STATUS_PATH.into(),
            public: self.has_public_url.then_some(public),
            allowed_hosts: Vec::new(),
            trusts_forwarding: false,
            trusted_proxies: Vec::new(),
            checks_signatures: true,
        };
        let arrivals = ArrivalRules {
            policy: self.policy.clone(),
            coalesce: self.coalesce,
            operator: self.operator(),
            line: None,
        };
        let live = Live {
            agent: self.agent.clone(),
            arrivals: Arc::new(arrivals),
            split: SplitRules {
                chunk_mode: ChunkMode::Auto,
                max_length: 1600,
                numbering: true,
                max_segments: Some(30),
            },
            terms: self.terms,
            voice: voice(self),
            unavailable_text: SORRY.into(),
            stranger_replies_per_day: self.stranger_replies_per_day,
            operator: self.operator(),
            retention: self.retention,
        };
        Settings { fixed, live }
    }
}

fn voice(plan: &Plan) -> VoiceSettings {
    let is_enabled = plan.takes_calls;
    let (requires_attestation, pin) = (plan.requires_attestation, plan.pin.and_then(Pin::read));
    let filler_after = plan.filler_after;
    let (summary, missed_call_text) = (plan.summary, plan.missed_call_text);
    let plan = CallPlan {
        purpose: CallPurpose::Inbound { asks_pin: false, is_attested: false },
        greeting: "Hello, this is your assistant.".into(),
        max_duration: Duration::from_secs(300),
        filler_after,
        answer_within: Duration::from_secs(25),
        fillers: vec!["One moment, please.".into()],
        summary,
        missed_call_text: missed_call_text.map(Into::into),
    };
    VoiceSettings {
        is_enabled,
        plan,
        language: "en-US".into(),
        voice: None,
        assistant_name: None,
        silence_seconds: 8,
        requires_attestation,
        pin,
    }
}
