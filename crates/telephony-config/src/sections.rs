//! The sections of `channels.telephony`, one file for each; this one has the top level.

pub(crate) mod agent;
pub(crate) mod limits;
pub(crate) mod metrics;
pub(crate) mod operator;
pub(crate) mod serve;
pub(crate) mod sms;
pub(crate) mod store;
pub(crate) mod tunnel;
pub(crate) mod twilio;
pub(crate) mod voice;
pub(crate) mod webhook_security;

use std::fmt;

use telephony_domain::address::{read_line, read_phone};
use telephony_domain::call::afterwards::SummaryRecipient;
use telephony_domain::line_address::LineAddress;
use telephony_domain::number::PhoneNumber;
use telephony_domain::policy::{InboundPolicy, Policy};

use crate::form::lists::ListForm;
use crate::form::numbers::Whole;
use crate::form::texts::{Parsed, UrlForm};
use crate::form::{ChoiceForm, Switch};
use crate::keys::ObjectKeys;
use crate::openclaw::HostGateway;
use crate::public_url::PublicUrl;
use crate::schema::read_nothing;
use crate::web_address::WebAddress;
use agent::{AgentConfig, AgentKind};
use limits::LimitsConfig;
use metrics::MetricsConfig;
use operator::OperatorConfig;
use serve::ServeConfig;
use sms::Sms;
use store::StoreConfig;
use tunnel::TunnelConfig;
use twilio::TwilioConfig;
use voice::VoiceConfig;
use webhook_security::WebhookSecurity;

/// The settings under `channels.telephony`, with defaults.
#[derive(Debug, Clone)]
pub struct TelephonyConfig {
    /// True if the gateway runs the channel; sending works either way.
    pub enabled: bool,
    /// Provider; always set if the channel is enabled.
    pub provider: Option<ProviderName>,
    /// Number for outgoing messages and calls.
    pub from_number: Option<LineAddress>,
    /// The rules of `inboundPolicy` and `allowFrom`.
    pub policy: Policy,
    /// Twilio's credentials and settings.
    pub twilio: TwilioConfig,
    /// Splitting and pace of messages.
    pub sms: Sms,
    /// The section `voice`, for calls.
    pub voice: VoiceConfig,
    /// Listener of the webhook.
    pub serve: ServeConfig,
    /// Tunnel for a machine without a public address.
    pub tunnel: TunnelConfig,
    /// URLs that the provider calls; none without a public address of our own.
    pub public_url: Option<PublicUrl>,
    /// Trust in forwarded headers.
    pub webhook_security: WebhookSecurity,
    /// True to accept unsigned webhooks; for development only.
    pub skip_signature_verification: bool,
    /// Largest number of simultaneous agent turns and calls.
    pub max_concurrent_sessions: u32,
    /// The section `agent`.
    pub agent: AgentConfig,
    /// The section `operator`, for notices and commands by SMS.
    pub operator: OperatorConfig,
    /// The section `limits`, on spending.
    pub limits: LimitsConfig,
    /// Message store and retention.
    pub store: StoreConfig,
    /// The section `metrics`, for their listener.
    pub metrics: MetricsConfig,
}

/// The phone company that carries messages and calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderName {
    /// Twilio.
    Twilio,
    /// The built-in simulator of Twilio.
    Simulator,
}

const PROVIDERS: &[(&str, ProviderName)] = &[("twilio", ProviderName::Twilio), ("simulator", ProviderName::Simulator)];

const POLICIES: &[(&str, InboundPolicy)] = &[
    ("disabled", InboundPolicy::Disabled),
    ("allowlist", InboundPolicy::Allowlist),
    ("pairing", InboundPolicy::Pairing),
    ("open", InboundPolicy::Open),
];

impl Default for TelephonyConfig {
    /// Returns the settings of an empty block.
    fn default() -> Self {
        read_nothing().0
    }
}

impl TelephonyConfig {
    /// Reads the block; `openclaw` is the rest of the file.
    pub(crate) fn read(keys: &mut ObjectKeys<'_, '_>, openclaw: &HostGateway<'_>) -> Self {
        let enabled = keys.key("enabled", "Runs the channel in `gateway`; `send` works either way.", Switch).or(false);
        let provider = "The phone company; `simulator` is a built-in Twilio for experiments.";
        let provider = keys.key("provider", provider, ChoiceForm(PROVIDERS)).optional();
        let from_number = read_from_number(keys);
        let policy = read_policy(keys);
        let twilio = keys.section("twilio", "Your Twilio account.", TwilioConfig::read);
        if let Some(line) = from_number.as_ref().filter(|line| !twilio.region_has(line)) {
            keys.warning("fromNumber", not_in_region(line));
        }
        let sms = keys.section("sms", "Splitting of answers into text messages.", Sms::read);
        let voice = keys.section("voice", "Handling of calls.", VoiceConfig::read);
        let serve =
            keys.section("serve", "Address and paths at which the webhook listens on this machine.", ServeConfig::read);
        let tunnel = keys.section(
            "tunnel",
            "Tunnel through which Twilio reaches a machine without a public address.",
            TunnelConfig::read,
        );
        let public_url = read_public_url(keys, &serve);
        let security = "Proxy headers that are trusted when signatures are checked.";
        let webhook_security = keys.section("webhookSecurity", security, WebhookSecurity::read);
        let skip_signature_verification = read_skip(keys);
        let sessions = "The most agent turns of texts at the same time, and the most calls; further turns wait, and further \
                        callers hear the busy tone.";
        let max_concurrent_sessions =
            keys.key("maxConcurrentSessions", sessions, Whole { from: 1, to: 100_000_u32 }).or(50);
        let agent = keys.section("agent", "The agent that answers.", |keys| AgentConfig::read(keys, openclaw));
        let has_proof = voice.require_attestation || voice.pin.is_some();
        if voice.enabled && !has_proof && matches!(agent.kind, AgentKind::OpenClaw(_)) {
            keys.warning(
                "voice",
                "callers can fake their number, and OpenClaw treats their words as its owner's: set \
                voice.requireAttestation or voice.pin",
            );
        }
        let operator = keys.section("operator", "The person who runs this.", |keys| {
            OperatorConfig::read(keys, from_number.as_ref().and_then(LineAddress::number))
        });
        if voice.summary == Some(SummaryRecipient::Operator) && operator.number.is_none() {
            keys.problem("voice.summary", "there is no operator to send it to", "set operator.number");
        }
        if skip_signature_verification && operator.number.is_some() {
            keys.warning(
                "skipSignatureVerification",
                "commands by SMS are not executed, because anyone could send \
                them",
            );
        }
        let limits = keys.section("limits", "Spending limits; `null` removes a limit.", |keys| {
            LimitsConfig::read(keys, from_number.as_ref().and_then(LineAddress::number))
        });
        if voice.enabled && limits.quiet_hours.is_some() && limits.time_zone().is_unknown() {
            keys.warning(
                "limits.timeZone",
                "this machine does not know its time zone (TZ, /etc/localtime), so quietHours are in UTC: set \
                limits.timeZone",
            );
        }
        let store =
            keys.section("store", "Location of the message store, and how long it keeps messages.", StoreConfig::read);
        let metrics = keys.section("metrics", "The metrics listener; never the public port.", MetricsConfig::read);
        Self {
            enabled,
            provider,
            from_number,
            policy,
            twilio,
            sms,
            voice,
            serve,
            tunnel,
            public_url,
            webhook_security,
            skip_signature_verification,
            max_concurrent_sessions,
            agent,
            operator,
            limits,
            store,
            metrics,
        }
    }
}

/// A phone number, optionally with a prefix of OpenClaw's targets or of RCS.
const NUMBER_PATTERN: &str =
    r"^(([Tt][Ww][Ii][Ll][Ii][Oo]-)?[Ss][Mm][Ss]:|[Rr][Cc][Ss]:|[Mm][Mm][Ss]:|[Tt][Ee][Ll]:)?\s*\+[1-9][0-9]{6,14}\s*$";

/// A number with such a prefix, a short code, or a sender id.
const LINE_PATTERN: &str = r"^((([Tt][Ww][Ii][Ll][Ii][Oo]-)?[Ss][Mm][Ss]:|[Rr][Cc][Ss]:|[Mm][Mm][Ss]:|[Tt][Ee][Ll]:)?\s*\+[1-9][0-9]{6,14}\s*|[0-9]{4,6}|(?=.*[A-Za-z])[A-Za-z0-9]([A-Za-z0-9 +_&-]{0,9}[A-Za-z0-9+_&-])?)$";

/// A phone number in E.164 form.
pub(crate) fn number() -> Parsed<PhoneNumber> {
    Parsed {
        expected: "a phone number in E.164 form such as \"+15550001234\"",
        pattern: Some(NUMBER_PATTERN),
        parse: |text| read_phone(text).ok(),
    }
}

fn read_from_number(keys: &mut ObjectKeys<'_, '_>) -> Option<LineAddress> {
    let doc = "Your number, short code or sender id, which sends messages and calls. A short code cannot receive \
        calls. A sender id can only send: contacts cannot reply.";
    let address: Parsed<LineAddress> = Parsed {
        expected: "a phone number in E.164 form such as \"+15550001234\", a short code of 4 to 6 digits without a plus \
                   sign such as \"72345\", or a sender id of 1 to 11 letters, digits, spaces and `+-_&` such as \"ACME\"",
        pattern: Some(LINE_PATTERN),
        parse: |text| read_line(text).ok(),
    };
    let from_number = keys.key("fromNumber", doc, address).optional();
    if from_number.as_ref().is_some_and(|address| !address.receives()) {
        let text = "a sender id can only send: contacts can neither reply nor text STOP, and only `send` works, \
            without webhooks or pairing; give recipients a different way to opt out";
        keys.warning("fromNumber", text);
    }
    from_number
}

fn not_in_region(line: &LineAddress) -> String {
    let what = if line.number().is_some() { "+1 numbers" } else { "short codes" };
    format!(
        "Twilio has no {what} for messages in region ie1, and rejects what is sent (errors 21663 and 21668): remove \
         twilio.region and twilio.edge, or use a number of another country or a sender id"
    )
}

/// An entry of `allowFrom`.
enum Allowed {
    Everyone,
    Number(PhoneNumber),
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Allowed::Everyone => f.write_str("*"),
            Allowed::Number(number) => number.fmt(f),
        }
    }
}

fn read_policy(keys: &mut ObjectKeys<'_, '_>) -> Policy {
    let doc = "Contacts who may talk to the assistant: no one, the numbers in `allowFrom`, those and approved contacts, or \
        everyone.";
    let inbound = keys.key("inboundPolicy", doc, ChoiceForm(POLICIES)).or(InboundPolicy::Pairing);
    let entry = Parsed {
        expected: "a phone number in E.164 form such as \"+15550001234\", or \"*\" for everyone",
        pattern: Some(r"^(\*|\+[1-9][0-9]{6,14})$"),
        parse: |text| if text == "*" { Some(Allowed::Everyone) } else { read_phone(text).ok().map(Allowed::Number) },
    };
    let entries =
        keys.key("allowFrom", "Numbers that are always allowed; `\"*\"` is everyone.", ListForm(entry)).or(vec![]);
    if inbound == InboundPolicy::Allowlist && entries.is_empty() {
        keys.warning("inboundPolicy", "\"allowlist\" with an empty allowFrom: no one gets an answer");
    }
    let allows_everyone = entries.iter().any(|entry| matches!(entry, Allowed::Everyone));
    let numbers = entries.into_iter().filter_map(|entry| match entry {
        Allowed::Number(number) => Some(number),
        Allowed::Everyone => None,
    });
    Policy { inbound, allow: numbers.collect(), allows_everyone }
}

fn read_public_url(keys: &mut ObjectKeys<'_, '_>, serve: &ServeConfig) -> Option<PublicUrl> {
    let doc = "URL at which Twilio reaches you: the base URL (`https://your-domain.com`), or the full webhook URL exactly as \
        in the Twilio Console. Without it and without a tunnel, the gateway polls for statuses.";
    let text = keys.key("publicUrl", doc, UrlForm).optional()?;
    let address = WebAddress::parse(&text)?;
    if address.is_loopback() {
        keys.warning("publicUrl", "this address is this machine itself: Twilio cannot reach it");
    } else if !address.is_secure() {
        keys.warning(
            "publicUrl",
            "http is not encrypted: anyone between Twilio and you can read the messages; use \
            https",
        );
    }
    let url = PublicUrl::parse(&text, &serve.path, &serve.status_path);
    match &url {
        None => {
            keys.problem(
                "publicUrl",
                "found a fragment (`#…`), expected none",
                "set twilio.connectionOverrides instead",
            );
        }
        Some(url) => {
            let slip = url.slip(&serve.path, &serve.status_path);
            slip.into_iter().for_each(|slip| keys.warning("publicUrl", slip));
        }
    }
    url
}

fn read_skip(keys: &mut ObjectKeys<'_, '_>) -> bool {
    let doc = "Accepts webhooks without a valid signature: then anyone can send messages in anyone's name. For \
        development only.";
    let skips = keys.key("skipSignatureVerification", doc, Switch).or(false);
    if skips {
        keys.warning("skipSignatureVerification", "webhooks from anyone are accepted: never use this in production");
    }
    skips
}
