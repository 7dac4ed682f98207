//! Builds the working parts from the configuration. Only this module names SQLite, Twilio and the agents.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use telephony_agents::Agent;
use telephony_config::{AgentKind, ApiBaseUrl, Environment, Loaded, ProviderName, Telephony, Voice, load};
use telephony_domain::call::plan::{Plan, Purpose};
use telephony_domain::call::words::Words;
use telephony_domain::dialing::DialingRules;
use telephony_domain::id::LineId;
use telephony_domain::limit::{Limits, Terms};
use telephony_domain::line::Sender;
use telephony_domain::message::PartDraft;
use telephony_domain::sms::parts;
use telephony_domain::sms::split::SplitRules;
use telephony_domain::time::{Clock, SystemClock, Timestamp};
use telephony_gateway::lock::GatewayLock;
use telephony_gateway::outbox::{InFlight, PartSender};
use telephony_gateway::reach::Reach;
use telephony_gateway::settings::{Fixed, Live, PublicUrls, Settings, VoiceSettings, WEBHOOKS_IN_FLIGHT};
use telephony_gateway::tunnel::Tunneling;
use telephony_gateway::wake::Wake;
use telephony_gateway::{control::status, random};
use telephony_providers::provider::Provider;
use telephony_providers::twilio::Twilio;
use telephony_providers::twilio::account::{Account, api_url};
use telephony_store::inbox::ArrivalRules;
use telephony_store::journal::Journal;
use telephony_store::sqlite::{Mode, SqliteStore};
use telephony_store::{LeaseHolder, Store};
use tokio::sync::watch;
use twilio_simulator::{Number, Simulator, SimulatorConfig};

use crate::config_arg::ConfigArg;
use crate::failure::{Failure, Outcome};
use crate::known_store::KnownStore;
use crate::{known_store, logging, state_folder, terminal};

/// The greeting of a call that we place without a message or a task.
const OUTGOING_GREETING: &str = "Hello, this is your assistant.";

/// Everything a command needs: the configuration, the store and the provider.
pub struct Channel {
    pub loaded: Loaded,
    pub state: PathBuf,
    pub store: Arc<dyn Store>,
    /// The provider; no request is made before a command needs one.
    pub provider: Arc<dyn Provider>,
}

impl Channel {
    /// Reads the configuration and opens the store, with or without a running gateway.
    pub fn open(config_arg: &ConfigArg) -> Result<Channel, Failure> {
        Self::open_for(config_arg, Mode::Command)
    }

    /// Like [`open`](Self::open) for a command that only reads: creates nothing and works on a read-only disk.
    pub fn look(config_arg: &ConfigArg) -> Result<Channel, Failure> {
        Self::open_for(config_arg, Mode::Reading)
    }

    fn open_for(config_arg: &ConfigArg, mode: Mode) -> Result<Channel, Failure> {
        logging::start(logging::Level::OnlyTrouble);
        let loaded = configuration(config_arg)?;
        let provider = provider(&loaded)?;
        let store = open_store(&loaded, mode)?;
        Ok(Channel { state: loaded.state.clone(), loaded, store, provider })
    }

    /// Returns only the rules for splitting texts; touches neither the store nor the provider.
    pub fn rules(config_arg: &ConfigArg) -> Result<SplitRules, Failure> {
        Ok(rules_of_operator(&configuration(config_arg)?.telephony))
    }

    /// Runs `work` on a runtime of its own.
    pub fn block_on(self, work: impl AsyncFnOnce(&Channel) -> Outcome) -> Outcome {
        runtime()?.block_on(work(&self))
    }

    pub fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    /// Returns the sender that our messages come from.
    pub fn sender(&self) -> Sender {
        sender(&self.loaded.telephony)
    }

    /// Returns our line, adding it to the store if it is new.
    pub async fn line(&self) -> Result<LineId, Failure> {
        let line = self.store.claim_line(self.sender(), self.now()).await?;
        self.store.bound_queues(self.loaded.telephony.sms.pacing).await?;
        Ok(line)
    }

    /// Splits `text` into parts by the configured rules.
    pub fn parts(&self, text: &str) -> Vec<PartDraft> {
        parts::of(text, &rules_of_operator(&self.loaded.telephony))
    }

    /// Splits `text` into parts; with media, an empty text is still one part.
    pub fn parts_with(&self, text: &str, has_media: bool) -> Vec<PartDraft> {
        parts::with_media(text, has_media, &rules_of_operator(&self.loaded.telephony))
    }

    /// Returns the policy's name as written in the configuration.
    pub fn policy_name(&self) -> &'static str {
        self.loaded.telephony.policy.inbound.as_str()
    }

    /// Returns the configuration's warnings, one line each.
    pub fn warnings(&self) -> Vec<String> {
        self.loaded.warnings.iter().map(ToString::to_string).collect()
    }

    /// Wakes the running gateway. Returns false if none is running.
    pub async fn notify_gateway(&self) -> bool {
        status::notify(&self.state).await.is_some()
    }

    /// Returns the limits on how fast and how much may be sent.
    pub fn terms(&self) -> Terms {
        terms(&self.loaded.telephony)
    }

    /// Returns an outbox for a command to work through when no gateway is running.
    pub fn outbox(&self) -> Arc<PartSender> {
        let public = public_urls(&self.loaded.telephony);
        Arc::new(PartSender {
            store: self.store.clone(),
            provider: self.provider.clone(),
            reach: watch::channel(Reach::configured(public.as_ref())).1,
            holder: LeaseHolder(format!("cli-{}", random::name())),
            clock: Arc::new(SystemClock),
            wake: Arc::new(Wake::default()),
            metrics: Arc::default(),
            in_flight: InFlight::default(),
            storage: Arc::default(),
        })
    }
}

/// Creates the runtime of one command.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start the runtime")?)
}

/// Reads the configuration that the environment and `--config` point to.
pub fn configuration(config_arg: &ConfigArg) -> Result<Loaded, Failure> {
    load(&environment(), config_arg.config.as_deref()).map_err(Failure::from_problems)
}

/// Returns the environment of this process.
pub fn environment() -> Environment {
    let home = std::env::home_dir().unwrap_or_else(|| PathBuf::from("/"));
    let readable =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Environment::new(readable, home)
}

/// Opens the store in the state folder, which only its owner can read.
pub fn open_store(loaded: &Loaded, mode: Mode) -> Result<Arc<dyn Store>, Failure> {
    open_store_unless(loaded, mode, false)
}

/// Opens the store; if the operator `accepts` it, also one that was not in use before.
pub fn open_store_unless(loaded: &Loaded, mode: Mode, accepts: bool) -> Result<Arc<dyn Store>, Failure> {
    let file = state_folder::store_file(loaded);
    if mode != Mode::Gateway && !file.exists() && GatewayLock::is_taken(&loaded.state) {
        // A store created here would not be the gateway's, and would hide that the real one is gone.
        return Err(Failure::new(format!("the message store of the running gateway is gone: {}", file.display()))
            .hint("stop the gateway, restore the file from a copy if you have one, and start the gateway again"));
    }
    if !accepts {
        known_store::check_is_there(loaded)?;
    }
    if mode != Mode::Reading {
        state_folder::make(&loaded.state)?;
    } else if !file.exists() {
        terminal::say(format!("There is no message store yet: {} is created on first use.", file.display()));
    }
    if mode == Mode::Gateway && !file.exists() {
        tracing::warn!(file = %file.display(), "starting a new message store: it has no opt-outs and no approvals");
    }
    let store = SqliteStore::open(&file, mode)?;
    if !accepts && mode != Mode::Reading {
        known_store::check_is_same(loaded, store.identity())?;
    }
    if mode != Mode::Reading
        && let Err(error) = KnownStore::remember(&loaded.state, store.identity(), &file)
    {
        tracing::warn!(%error, "cannot record which message store is in use");
    }
    Ok(Arc::new(store))
}

/// Opens the journal, a file beside the store that holds what the gateway has acknowledged but not stored yet.
pub fn open_journal(loaded: &Loaded) -> Result<Arc<Journal>, Failure> {
    Ok(Arc::new(Journal::open(&state_folder::journal_file(loaded))?))
}

/// Opens the store if there is one, for commands that can do without; creates nothing.
pub fn earlier_store(config_arg: &ConfigArg) -> Option<Arc<dyn Store>> {
    let loaded = configuration(config_arg).ok()?;
    state_folder::store_file(&loaded).exists().then(|| open_store(&loaded, Mode::Reading).ok())?
}

/// Creates the client for the configured provider.
pub fn provider(loaded: &Loaded) -> Result<Arc<dyn Provider>, Failure> {
    loaded.check_complete().map_err(Failure::from_problems)?;
    match loaded.telephony.provider {
        Some(ProviderName::Simulator) => Err(Failure::new("this command cannot reach the built-in simulator")
            .hint("use `openclaw telephony simulate`, which has a phone and everything else in one process")),
        Some(ProviderName::Twilio) | None => Ok(Arc::new(Twilio::new(account(&loaded.telephony)))),
    }
}

/// Returns the Twilio account named in the configuration.
pub fn account(telephony: &Telephony) -> Account {
    let twilio = &telephony.twilio;
    let base = twilio.api_base_url.as_ref().and_then(|base| base.of("api"));
    let usual = || api_url(twilio.region.as_deref(), twilio.edge_in_use());
    Account {
        sid: twilio.account_sid.clone().unwrap_or_default(),
        auth_tokens: twilio.auth_token.iter().chain(&twilio.previous_auth_tokens).cloned().collect(),
        shared_keys: twilio.shared_keys.clone(),
        api_key: twilio.api_key.as_ref().map(|key| (key.sid.clone(), key.secret.clone())),
        api_url: base.map_or_else(usual, str::to_owned),
        product_urls: product_urls(twilio),
        connection_overrides: twilio.connection_overrides.clone(),
        skips_signatures: telephony.skip_signature_verification,
    }
}

/// Returns the base URLs of Twilio products that have a host of their own.
fn product_urls(twilio: &telephony_config::Twilio) -> BTreeMap<String, String> {
    match &twilio.api_base_url {
        Some(ApiBaseUrl::ByProduct(urls)) => urls.clone(),
        Some(ApiBaseUrl::All(_)) | None => BTreeMap::new(),
    }
}

/// Returns the gateway's settings from the configuration.
pub fn settings(telephony: &Telephony, agent: Arc<dyn Agent>) -> Settings {
    let security = &telephony.webhook_security;
    let fixed = Fixed {
        sender: sender(telephony),
        max_sessions: telephony.max_concurrent_sessions as usize,
        webhooks_in_flight: WEBHOOKS_IN_FLIGHT,
        program: terminal::program(),
        path: telephony.serve.path.clone(),
        status_path: telephony.serve.status_path.clone(),
        public: public_urls(telephony),
        allowed_hosts: security.allowed_hosts.clone(),
        trusts_forwarding: security.trust_forwarding_headers,
        trusted_proxies: security.trusted_proxy_ips.clone(),
        checks_signatures: !telephony.skip_signature_verification,
    };
    Settings { fixed, live: live_settings(telephony, agent) }
}

/// Returns the settings that apply without a restart.
pub fn live_settings(telephony: &Telephony, agent: Arc<dyn Agent>) -> Live {
    Live {
        agent,
        arrivals: Arc::new(arrival_rules(telephony)),
        split: split_rules(telephony),
        terms: terms(telephony),
        voice: telephony.voice.enabled.then(|| voice_settings(telephony)),
        unavailable_text: telephony.agent.unavailable_text.clone(),
        stranger_replies_per_day: telephony.limits.stranger_replies_per_day,
        operator: telephony.operator.number.clone(),
        retention: Duration::from_secs(u64::from(telephony.store.retention_days) * 24 * 60 * 60),
    }
}

/// Returns the gateway's settings for calls.
pub fn voice_settings(telephony: &Telephony) -> VoiceSettings {
    let voice = &telephony.voice;
    VoiceSettings {
        plan: call_plan(voice),
        language: voice.language.clone(),
        voice: voice.voice.clone(),
        assistant_name: match &telephony.agent.kind {
            AgentKind::OpenClaw(agent) => agent.assistant_name.clone(),
            AgentKind::Echo | AgentKind::Command(_) | AgentKind::OpenAi(_) => None,
        },
        silence_seconds: voice.silence_seconds,
        requires_attestation: voice.require_attestation,
        pin: voice.pin.clone(),
    }
}

/// Returns the terms of incoming calls.
fn call_plan(voice: &Voice) -> Plan {
    Plan {
        purpose: Purpose::Inbound { asks_pin: false, is_attested: false },
        greeting: with_disclosure(&voice.inbound_greeting, voice),
        max_duration: voice.max_duration,
        filler_after: voice.filler_after,
        answer_within: voice.answer_within,
        fillers: voice.fillers.iter().map(|filler| filler.as_str().into()).collect(),
        can_be_texted: true,
        summary: voice.summary,
        missed_call_text: voice.missed_call_text.as_deref().map(Into::into),
    }
}

fn with_disclosure(greeting: &str, voice: &Voice) -> Words {
    [greeting, voice.disclosure.as_str()].join(" ").trim().into()
}

/// Returns the terms of a call that we place: to say a message, or for a conversation.
pub fn outgoing_plan(voice: &Voice, message: Option<&str>, has_task: bool) -> Plan {
    let dialing = voice.dialing;
    let greeting = if message.is_none() && !has_task { OUTGOING_GREETING } else { "" };
    let purpose = match message {
        Some(message) if !has_task => Purpose::Notify { message: message.into(), dialing },
        message => Purpose::Conversation { message: message.map(Into::into), has_task, dialing },
    };
    Plan { purpose, greeting: with_disclosure(greeting, voice), ..call_plan(voice) }
}

/// Returns the rules checked before a number is dialed.
pub fn dialing_rules(limits: &telephony_config::Limits) -> DialingRules {
    DialingRules {
        countries: limits.call_countries.clone(),
        calls_per_hour: limits.calls_per_hour,
        minutes_per_day: limits.call_minutes_per_day,
        quiet_hours: limits.quiet_hours.map(|hours| (hours, limits.time_zone())),
    }
}

/// Returns the configured public URLs. The provider adds the part's id and the connection overrides to the callback.
fn public_urls(telephony: &Telephony) -> Option<PublicUrls> {
    telephony.public_url.as_ref().map(|url| PublicUrls {
        webhook: url.webhook().to_owned(),
        status: url.status_callback().to_owned(),
        status_callback: url.registered_status_callback(""),
    })
}

/// Accepts operator commands only where signatures prove who sent them.
fn arrival_rules(telephony: &Telephony) -> ArrivalRules {
    let operator = telephony.operator.number.clone().filter(|_| !telephony.skip_signature_verification);
    ArrivalRules { policy: telephony.policy.clone(), coalesce: telephony.sms.coalesce, operator, line: None }
}

/// Returns the tunnel to open, if one is configured.
pub fn tunnel(loaded: &Loaded) -> Option<Tunneling> {
    let telephony = &loaded.telephony;
    Some(Tunneling {
        tunnel: telephony_tunnels::from_config(&telephony.tunnel, &loaded.environment)?,
        syncs_webhooks: telephony.tunnel.sync_webhooks,
        takes_calls: telephony.voice.enabled,
    })
}

/// Returns the limits on how fast and how much may be sent.
pub fn terms(telephony: &Telephony) -> Terms {
    let limits = &telephony.limits;
    let limits = Limits {
        segments_per_day: limits.segments_per_day,
        segments_per_contact_per_day: limits.segments_per_contact_per_day,
        replies_per_contact_per_30s: limits.replies_per_contact_per_30s,
    };
    Terms { pacing: telephony.sms.pacing, limits }
}

/// Returns the sender that our messages come from.
pub fn sender(telephony: &Telephony) -> Sender {
    Sender { number: telephony.from_number.clone(), messaging_service: telephony.twilio.messaging_service_sid.clone() }
}

fn split_rules(telephony: &Telephony) -> SplitRules {
    SplitRules {
        chunk_mode: telephony.sms.chunk_mode,
        max_length: telephony.sms.max_length,
        numbering: telephony.sms.segment_numbering,
        max_segments: telephony.limits.segments_per_reply,
    }
}

/// Splitting rules for the operator's own messages: unlike replies, they are never cut short, so only the daily limits
/// apply.
fn rules_of_operator(telephony: &Telephony) -> SplitRules {
    SplitRules { max_segments: None, ..split_rules(telephony) }
}

/// Starts the built-in Twilio with its webhooks set to `address`, and returns it as the gateway's provider.
pub async fn simulator(
    telephony: &Telephony,
    address: std::net::SocketAddr,
) -> Result<(Arc<dyn Provider>, Option<Simulator>), Failure> {
    let number = telephony.from_number.as_ref().map_or(twilio_simulator::DEFAULT_NUMBER, |number| number.as_str());
    let config = SimulatorConfig { numbers: vec![Number::new(number)], ..SimulatorConfig::default() };
    let simulator = Simulator::start(config).await.context("cannot start the built-in Twilio")?;
    let registered = telephony.public_url.as_ref().map(|url| url.registered_webhook(""));
    let webhook = registered.unwrap_or_else(|| format!("http://{address}{}", telephony.serve.path));
    simulator.set_sms_url(number, &webhook)?;
    simulator.set_voice_url(number, &webhook)?;
    tracing::info!(
        url = simulator.base_url(),
        number,
        "the built-in Twilio is running; no message leaves this machine"
    );
    let account = Account {
        sid: simulator.account_sid().to_owned(),
        auth_tokens: vec![simulator.auth_token().into()],
        api_url: simulator.base_url().to_owned(),
        api_key: None,
        ..account(telephony)
    };
    Ok((Arc::new(Twilio::new(account)), Some(simulator)))
}
