//! What may be said under `channels.telephony`: one file for each section, the top level here.

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

use telephony_domain::address::{read_phone, without_phone_prefix};
use telephony_domain::line_address::LineAddress;
use telephony_domain::number::PhoneNumber;
use telephony_domain::policy::{InboundPolicy, Policy};

use crate::form::lists::List;
use crate::form::numbers::Whole;
use crate::form::texts::{Address, Parsed};
use crate::form::{Choice, Switch};
use crate::keys::Keys;
use crate::openclaw::OpenClaw;
use crate::public_url::PublicUrl;
use crate::web_address::WebAddress;
use agent::Agent;
use limits::Limits;
use metrics::Metrics;
use operator::Operator;
use serve::Serve;
use sms::Sms;
use store::Store;
use tunnel::Tunnel;
use twilio::Twilio;
use voice::Voice;
use webhook_security::WebhookSecurity;

/// Everything under `channels.telephony`, with its defaults filled in.
#[derive(Debug, Clone)]
pub struct Telephony {
    /// Whether the gateway runs the channel; sending works either way.
    pub enabled: bool,
    /// The phone company; there is one whenever the channel is enabled.
    pub provider: Option<ProviderName>,
    /// The number that messages and calls go out from.
    pub from_number: Option<LineAddress>,
    /// Who may talk to the assistant.
    pub policy: Policy,
    /// Twilio's credentials and settings.
    pub twilio: Twilio,
    /// How answers become messages.
    pub sms: Sms,
    /// How calls are taken.
    pub voice: Voice,
    /// Where the webhook listens.
    pub serve: Serve,
    /// How the world reaches a machine without a public address.
    pub tunnel: Tunnel,
    /// What the provider is told to call; none without a public address of our own.
    pub public_url: Option<PublicUrl>,
    /// Which forwarded headers count.
    pub webhook_security: WebhookSecurity,
    /// Whether unsigned webhooks are taken; for development only.
    pub skip_signature_verification: bool,
    /// Agent turns and calls at once.
    pub max_concurrent_sessions: u32,
    /// Who answers.
    pub agent: Agent,
    /// Who runs this.
    pub operator: Operator,
    /// What may be spent.
    pub limits: Limits,
    /// Where messages are kept, and how long.
    pub store: Store,
    /// Where monitoring looks.
    pub metrics: Metrics,
}

/// A phone company that can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderName {
    /// Twilio.
    Twilio,
    /// The Twilio of the desk that is built in.
    Simulator,
}

const PROVIDERS: &[(&str, ProviderName)] = &[("twilio", ProviderName::Twilio), ("simulator", ProviderName::Simulator)];

const POLICIES: &[(&str, InboundPolicy)] = &[
    ("disabled", InboundPolicy::Disabled),
    ("allowlist", InboundPolicy::Allowlist),
    ("pairing", InboundPolicy::Pairing),
    ("open", InboundPolicy::Open),
];

impl Telephony {
    /// Reads the block; `openclaw` is what the rest of the file says.
    pub(crate) fn read(keys: &mut Keys<'_, '_>, openclaw: &OpenClaw<'_>) -> Self {
        let enabled =
            keys.key("enabled", "Whether `gateway` runs the channel; `send` works either way.", Switch).or(false);
        let provider = "The phone company; `simulator` is a built-in Twilio for trying things out.";
        let provider = keys.key("provider", provider, Choice(PROVIDERS)).optional();
        let from_number = read_from_number(keys);
        let policy = read_policy(keys);
        let twilio = keys.section("twilio", "Your Twilio account.", Twilio::read);
        let sms = keys.section("sms", "How an answer becomes text messages.", Sms::read);
        let voice = keys.section("voice", "How calls are taken.", Voice::read);
        let serve = keys.section("serve", "Where the webhook listens on this machine.", Serve::read);
        let tunnel = keys.section("tunnel", "How Twilio reaches a machine without a public address.", Tunnel::read);
        let public_url = read_public_url(keys, &serve);
        let security = "Which headers of a proxy are believed when signatures are checked.";
        let webhook_security = keys.section("webhookSecurity", security, WebhookSecurity::read);
        let skip_signature_verification = read_skip(keys);
        let sessions = "Agent turns and calls at once; more turns wait, a tenth is kept for calls.";
        let max_concurrent_sessions =
            keys.key("maxConcurrentSessions", sessions, Whole { from: 1, to: 100_000_u32 }).or(50);
        let agent = keys.section("agent", "Who answers.", |keys| Agent::read(keys, openclaw));
        let operator = keys.section("operator", "Who runs this.", |keys| {
            Operator::read(keys, from_number.as_ref().and_then(LineAddress::number))
        });
        if skip_signature_verification && operator.number.is_some() {
            keys.warning("skipSignatureVerification", "no order that comes by SMS is obeyed: anyone could send it");
        }
        let limits = keys.section("limits", "What may be spent; `null` lifts a limit.", Limits::read);
        let store = keys.section("store", "Where messages are kept, and how long.", Store::read);
        let metrics = keys.section("metrics", "Where monitoring looks; never the public port.", Metrics::read);
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

/// A phone number, in front of it perhaps the prefix of OpenClaw's targets or of RCS.
const NUMBER_PATTERN: &str =
    r"^(([Tt][Ww][Ii][Ll][Ii][Oo]-)?[Ss][Mm][Ss]:|[Rr][Cc][Ss]:|[Mm][Mm][Ss]:|[Tt][Ee][Ll]:)?\s*\+[1-9][0-9]{1,14}\s*$";

/// A number with such a prefix, a short code, or a sender id.
const LINE_PATTERN: &str = r"^((([Tt][Ww][Ii][Ll][Ii][Oo]-)?[Ss][Mm][Ss]:|[Rr][Cc][Ss]:|[Mm][Mm][Ss]:|[Tt][Ee][Ll]:)?\s*\+[1-9][0-9]{1,14}\s*|[0-9]{4,6}|(?=.*[A-Za-z])[A-Za-z0-9]([A-Za-z0-9 +_&-]{0,9}[A-Za-z0-9+_&-])?)$";

/// A phone number in E.164 form.
pub(crate) fn number() -> Parsed<PhoneNumber> {
    Parsed {
        expected: "a phone number in E.164 form such as \"+15550001234\"",
        pattern: Some(NUMBER_PATTERN),
        parse: |text| read_phone(text).ok(),
    }
}

fn read_from_number(keys: &mut Keys<'_, '_>) -> Option<LineAddress> {
    let doc = "Your number, short code or sender id; messages and calls go out from it. A short code takes no calls. A sender \
               id only sends: nobody can answer it.";
    let address: Parsed<LineAddress> = Parsed {
        expected: "a phone number in E.164 form such as \"+15550001234\", a short code of 4 to 6 digits such as \"72345\", or a \
                   sender id of 1 to 11 letters, digits, spaces and `+-_&` such as \"ACME\"",
        pattern: Some(LINE_PATTERN),
        parse: |text| without_phone_prefix(text).parse().ok(),
    };
    let from_number = keys.key("fromNumber", doc, address).optional();
    if from_number.as_ref().is_some_and(|address| !address.receives()) {
        let text = "a sender id only sends: no replies and no STOP come back, webhooks and pairing have no use, and `send` is \
                    all that works; tell recipients another way to opt out";
        keys.warning("fromNumber", text);
    }
    from_number
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

fn read_policy(keys: &mut Keys<'_, '_>) -> Policy {
    let doc = "Who may talk to the assistant: nobody, the numbers in `allowFrom`, those and everyone you approved, or \
               everyone.";
    let inbound = keys.key("inboundPolicy", doc, Choice(POLICIES)).or(InboundPolicy::Pairing);
    let entry = Parsed {
        expected: "a phone number in E.164 form such as \"+15550001234\", or \"*\" for everyone",
        pattern: Some(r"^(\*|\+[1-9][0-9]{1,14})$"),
        parse: |text| if text == "*" { Some(Allowed::Everyone) } else { read_phone(text).ok().map(Allowed::Number) },
    };
    let entries =
        keys.key("allowFrom", "Numbers that are always allowed; `\"*\"` is everyone.", List(entry)).or(vec![]);
    if inbound == InboundPolicy::Allowlist && entries.is_empty() {
        keys.warning("inboundPolicy", "\"allowlist\" with nothing in allowFrom: nobody gets an answer");
    }
    let allows_everyone = entries.iter().any(|entry| matches!(entry, Allowed::Everyone));
    let numbers = entries.into_iter().filter_map(|entry| match entry {
        Allowed::Number(number) => Some(number),
        Allowed::Everyone => None,
    });
    Policy { inbound, allow: numbers.collect(), allows_everyone }
}

fn read_public_url(keys: &mut Keys<'_, '_>, serve: &Serve) -> Option<PublicUrl> {
    let doc = "How Twilio reaches you: the base (`https://your-domain.com`), or the full webhook URL exactly as it is in \
               Twilio's console. Without it, and without a tunnel, message statuses are polled.";
    let text = keys.key("publicUrl", doc, Address).optional()?;
    let address = WebAddress::parse(&text)?;
    if address.is_loopback() {
        keys.warning("publicUrl", "this is the machine itself: Twilio cannot reach it");
    } else if !address.is_secure() {
        keys.warning("publicUrl", "http is not encrypted: anyone on the way can read the messages; use https");
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

fn read_skip(keys: &mut Keys<'_, '_>) -> bool {
    let doc = "Takes webhooks without a valid signature: anyone can then send messages in anyone's name. For \
               development only.";
    let skips = keys.key("skipSignatureVerification", doc, Switch).or(false);
    if skips {
        keys.warning("skipSignatureVerification", "webhooks are taken from anyone: never in production");
    }
    skips
}
