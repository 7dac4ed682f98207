//! Converts the configuration into the settings of the gateway and of the commands that send.

use std::sync::Arc;
use std::time::Duration;

use telephony_agents::Agent;
use telephony_config::{Loaded, TelephonyConfig};
use telephony_domain::limit::{Limits, Terms};
use telephony_domain::line::Sender;
use telephony_domain::sms::split::SplitRules;
use telephony_gateway::settings::{Fixed, Live, PublicUrls, Settings, WEBHOOKS_IN_FLIGHT};
use telephony_gateway::tunnel::Tunneling;
use telephony_store::inbox::ArrivalRules;

use super::calls::voice_settings;
use super::provider::carrier;
use crate::terminal;

/// Returns the gateway's settings from the configuration.
pub fn settings(telephony: &TelephonyConfig, agent: Arc<dyn Agent>) -> Settings {
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
pub fn live_settings(telephony: &TelephonyConfig, agent: Arc<dyn Agent>) -> Live {
    Live {
        agent,
        arrivals: Arc::new(arrival_rules(telephony)),
        split: split_rules(telephony),
        terms: terms(telephony),
        voice: voice_settings(telephony),
        unavailable_text: telephony.agent.unavailable_text.clone(),
        stranger_replies_per_day: telephony.limits.stranger_replies_per_day,
        operator: telephony.operator.number.clone(),
        retention: Duration::from_secs(u64::from(telephony.store.retention_days) * 24 * 60 * 60),
    }
}

/// Returns the configured public URLs. The provider adds the part's id and the connection overrides to the callback.
pub(super) fn public_urls(telephony: &TelephonyConfig) -> Option<PublicUrls> {
    telephony.public_url.as_ref().map(|url| PublicUrls {
        webhook: url.webhook().to_owned(),
        status: url.status_callback().to_owned(),
        status_callback: url.registered_status_callback(""),
    })
}

/// Accepts operator commands only where signatures prove who sent them.
fn arrival_rules(telephony: &TelephonyConfig) -> ArrivalRules {
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
pub fn terms(telephony: &TelephonyConfig) -> Terms {
    let limits = &telephony.limits;
    let limits = Limits {
        segments_per_day: limits.segments_per_day,
        segments_per_contact_per_day: limits.segments_per_contact_per_day,
        replies_per_contact_per_30s: limits.replies_per_contact_per_30s,
    };
    Terms { pacing: telephony.sms.pacing, limits, carrier: carrier() }
}

/// Returns the sender that our messages come from.
pub fn sender(telephony: &TelephonyConfig) -> Sender {
    Sender { number: telephony.from_number.clone(), messaging_service: telephony.twilio.messaging_service_sid.clone() }
}

fn split_rules(telephony: &TelephonyConfig) -> SplitRules {
    SplitRules {
        chunk_mode: telephony.sms.chunk_mode,
        max_length: telephony.sms.max_length,
        numbering: telephony.sms.segment_numbering,
        max_segments: telephony.limits.segments_per_reply,
    }
}

/// Splitting rules for the operator's own messages: unlike replies, they are never cut short, so only the daily limits
/// apply.
pub(super) fn rules_of_operator(telephony: &TelephonyConfig) -> SplitRules {
    SplitRules { max_segments: None, ..split_rules(telephony) }
}
