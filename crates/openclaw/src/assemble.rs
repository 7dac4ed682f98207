//! Builds the working parts of a command from the configuration.

mod calls;
mod provider;
mod settings;
mod store;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use telephony_config::{Environment, Loaded, load};
use telephony_domain::id::LineId;
use telephony_domain::limit::Terms;
use telephony_domain::line::Sender;
use telephony_domain::message::PartDraft;
use telephony_domain::sms::parts;
use telephony_domain::sms::split::SplitRules;
use telephony_domain::time::{Clock, SystemClock, Timestamp};
use telephony_gateway::outbox::{AttemptsInFlight, PartSender};
use telephony_gateway::reach::Reach;
use telephony_gateway::wake::Wake;
use telephony_gateway::{control::status, random};
use telephony_providers::provider::Provider;
use telephony_store::sqlite::Mode;
use telephony_store::{LeaseHolder, Store};
use tokio::sync::watch;

pub use self::calls::{dialing_rules, outgoing_plan, voice_settings};
pub use self::provider::{carrier, provider, provider_with, provider_within, simulator};
pub use self::settings::{live_settings, sender, settings, terms, tunnel};
use self::settings::{public_urls, rules_of_operator};
pub use self::store::{earlier_store, open_journal, open_store, open_store_unless};
use crate::config_arg::ConfigArg;
use crate::failure::{Failure, Outcome};
use crate::logging;

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
        let line = self.store.claim_line(carrier().name, self.sender(), self.now()).await?;
        self.store.bound_queues(self.terms()).await?;
        Ok(line)
    }

    /// Splits `text` into parts by the configured rules.
    pub fn parts(&self, text: &str) -> Vec<PartDraft> {
        parts::of(text, &rules_of_operator(&self.loaded.telephony))
    }

    /// Splits `text` into parts; with media, an empty text is still one part.
    pub fn parts_with(&self, text: &str, has_media: bool) -> Vec<PartDraft> {
        parts::with_media(text, has_media, &rules_of_operator(&self.loaded.telephony), &carrier().mms)
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
            in_flight: AttemptsInFlight::default(),
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
