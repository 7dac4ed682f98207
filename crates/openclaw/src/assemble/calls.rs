//! Terms of calls: those that come in, those that we place, and the rules checked before dialing.

use telephony_config::{AgentKind, LimitsConfig, TelephonyConfig, VoiceConfig};
use telephony_domain::call::plan::{CallPlan, CallPurpose};
use telephony_domain::call::words::Words;
use telephony_domain::dialing::DialingRules;
use telephony_gateway::settings::VoiceSettings;

/// The greeting of a call that we place without a message or a task.
const OUTGOING_GREETING: &str = "Hello, this is your assistant.";

/// Returns the gateway's settings for calls.
pub fn voice_settings(telephony: &TelephonyConfig) -> VoiceSettings {
    let voice = &telephony.voice;
    VoiceSettings {
        is_enabled: voice.enabled,
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
fn call_plan(voice: &VoiceConfig) -> CallPlan {
    CallPlan {
        purpose: CallPurpose::Inbound { asks_pin: false, is_attested: false },
        greeting: with_disclosure(&voice.inbound_greeting, voice),
        max_duration: voice.max_duration,
        filler_after: voice.filler_after,
        answer_within: voice.answer_within,
        fillers: voice.fillers.iter().map(|filler| filler.as_str().into()).collect(),
        summary: voice.summary,
        missed_call_text: voice.missed_call_text.as_deref().map(Into::into),
    }
}

/// Returns the terms of a call that we place: to say a message, or for a conversation.
pub fn outgoing_plan(voice: &VoiceConfig, message: Option<&str>, has_task: bool) -> CallPlan {
    let dialing = voice.dialing;
    let greeting = if message.is_none() && !has_task { OUTGOING_GREETING } else { "" };
    let purpose = match message {
        Some(message) if !has_task => CallPurpose::Notify { message: message.into(), dialing },
        message => CallPurpose::Conversation { message: message.map(Into::into), has_task, dialing },
    };
    CallPlan { purpose, greeting: with_disclosure(greeting, voice), ..call_plan(voice) }
}

fn with_disclosure(greeting: &str, voice: &VoiceConfig) -> Words {
    [greeting, voice.disclosure.as_str()].join(" ").trim().into()
}

/// Returns the rules checked before a number is dialed.
pub fn dialing_rules(limits: &LimitsConfig) -> DialingRules {
    DialingRules {
        countries: limits.call_countries.clone(),
        calls_per_hour: limits.calls_per_hour,
        minutes_per_day: limits.call_minutes_per_day,
        quiet_hours: limits.quiet_hours.map(|hours| (hours, limits.time_zone())),
    }
}
