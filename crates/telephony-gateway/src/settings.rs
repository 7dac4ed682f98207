//! The operator's settings as the gateway needs them; the binary derives them from the configuration.
//!
//! Fixed settings hold from start to stop. Live settings change as a whole, through one `watch` channel: each piece of
//! work reads them once and keeps using that version.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use telephony_agents::Agent;
use telephony_domain::call::Heard;
use telephony_domain::call::plan::CallPlan;
use telephony_domain::call::proof::{Pin, ProofRules};
use telephony_domain::id::LineId;
use telephony_domain::limit::Terms;
use telephony_domain::line::Sender;
use telephony_domain::number::PhoneNumber;
use telephony_domain::policy::Policy;
use telephony_domain::program::ProgramName;
use telephony_domain::sms::split::SplitRules;
use telephony_providers::calling::CallTerms;
use telephony_store::calls::CallRules;
use telephony_store::inbox::ArrivalRules;

/// Settings of calls that a reload can change.
#[derive(Debug, Clone)]
pub struct VoiceSettings {
    /// True if calls are answered and placed. Calls in progress go on in any case.
    pub is_enabled: bool,
    /// Rules for incoming calls.
    pub plan: CallPlan,
    /// The language of both sides.
    pub language: String,
    /// The provider's name for a voice; none for its own choice.
    pub voice: Option<String>,
    /// The assistant's name, if it has one.
    pub assistant_name: Option<String>,
    /// Seconds without a sound, or between two keys, after which listening ends.
    pub silence_seconds: u32,
    /// True if the network has to vouch for a caller's number; the PIN can replace that.
    pub requires_attestation: bool,
    /// The PIN that callers enter.
    pub pin: Option<Pin>,
}

impl VoiceSettings {
    /// Returns the rules for incoming calls.
    pub(crate) fn call_rules(&self, policy: &Policy, most_calls: usize) -> CallRules {
        let proof = ProofRules { requires_attestation: self.requires_attestation, has_pin: self.pin.is_some() };
        CallRules { policy: policy.clone(), proof, plan: self.plan.clone(), most_calls }
    }

    /// Returns true if the input is the PIN.
    pub(crate) fn is_pin(&self, heard: Option<&Heard>) -> bool {
        let pin = self.pin.as_ref();
        pin.is_some_and(|pin| matches!(heard, Some(Heard::Keys(keys)) if pin.is(keys.as_str())))
    }

    /// Returns the terms of a document; the next one is at `next_url`.
    pub(crate) fn terms<'a>(&'a self, next_url: &'a str) -> CallTerms<'a> {
        CallTerms {
            language: &self.language,
            voice: self.voice.as_deref(),
            assistant_name: self.assistant_name.as_deref(),
            silence_seconds: self.silence_seconds,
            next_url,
        }
    }
}

/// The operator's settings for the gateway.
#[derive(Clone)]
pub struct Settings {
    /// Settings that need a restart.
    pub fixed: Fixed,
    /// Settings that apply without one.
    pub live: Live,
}

/// Usual maximum number of webhooks in flight.
pub const WEBHOOKS_IN_FLIGHT: usize = 256;

/// Settings that need a restart.
#[derive(Debug, Clone)]
pub struct Fixed {
    /// Our line.
    pub sender: Sender,
    /// Maximum number of concurrent turns of texts, and of concurrent calls.
    pub max_sessions: usize,
    /// Maximum number of webhooks in flight.
    pub webhooks_in_flight: usize,
    /// Name of our program in texts.
    pub program: ProgramName,
    /// The local path of the webhook.
    pub path: String,
    /// Local path for status reports.
    pub status_path: String,
    /// The configured public URLs; `None` if the gateway is reachable only through a tunnel or not at all.
    pub public: Option<PublicUrls>,
    /// Hosts that count in `Host` and forwarded headers.
    pub allowed_hosts: Vec<String>,
    /// True if forwarded headers count.
    pub trusts_forwarding: bool,
    /// Proxies whose forwarded headers count.
    pub trusted_proxies: Vec<IpAddr>,
    /// True if signatures are checked.
    pub checks_signatures: bool,
}

/// Public URLs as they are configured, without a query.
#[derive(Debug, Clone)]
pub struct PublicUrls {
    /// The URL of the webhook.
    pub webhook: String,
    /// The URL of status reports.
    pub status: String,
    /// The URL for status reports that the provider gets.
    pub status_callback: String,
}

/// Settings that apply without a restart.
#[derive(Clone)]
pub struct Live {
    /// The agent that answers.
    pub agent: Arc<dyn Agent>,
    /// Rules for arriving messages.
    pub arrivals: Arc<ArrivalRules>,
    /// Rules for splitting answers into parts.
    pub split: SplitRules,
    /// Pace and caps of sending.
    pub terms: Terms,
    /// Settings of calls, for the next document.
    pub voice: VoiceSettings,
    /// The apology that a contact gets when the agent has not answered for a while.
    pub unavailable_text: String,
    /// Pairing messages to strangers in 24 hours; none: no limit.
    pub stranger_replies_per_day: Option<u32>,
    /// The operator's phone, which gets notices by SMS.
    pub operator: Option<PhoneNumber>,
    /// The age at which finished messages are deleted.
    pub retention: Duration,
}

impl Live {
    /// Returns the settings with messages to an address that is not a number assigned to `line`.
    pub(crate) fn on_line(self, line: LineId) -> Live {
        let arrivals = ArrivalRules { line: Some(line), ..(*self.arrivals).clone() };
        Live { arrivals: Arc::new(arrivals), ..self }
    }
}
