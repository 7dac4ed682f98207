//! `voice`: how calls are taken.

use std::time::Duration;

use crate::form::numbers::Whole;
use crate::form::texts::{Parsed, Text};
use crate::form::{Choice, Switch};
use crate::keys::Keys;

/// How calls are taken.
#[derive(Debug, Clone)]
pub struct Voice {
    /// Whether the assistant takes calls.
    pub enabled: bool,
    /// How long a call may last.
    pub max_duration: Duration,
    /// What a caller hears first.
    pub inbound_greeting: String,
    /// How speech becomes text and back.
    pub mode: VoiceMode,
    /// The language spoken, such as `en-US`.
    pub language: String,
}

/// How a call's speech becomes text and back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VoiceMode {
    /// Turn by turn, with webhooks.
    Gather,
    /// A socket on which the provider sends what it hears.
    Relay,
}

impl Voice {
    pub(crate) fn read(keys: &mut Keys<'_, '_>) -> Self {
        let greeting = "What a caller hears first.";
        let hello = "Hello, this is your assistant. How can I help?".to_owned();
        let mode = "`gather`: turn by turn with webhooks; `relay`: over a socket, faster and open to interruptions.";
        let modes = Choice(&[("gather", VoiceMode::Gather), ("relay", VoiceMode::Relay)]);
        let duration = Whole { from: 1, to: MAX_SECONDS };
        Self {
            enabled: keys.key("enabled", "Whether the assistant takes calls.", Switch).or(false),
            max_duration: Duration::from_secs(
                keys.key("maxDurationSeconds", "How long a call may last, in seconds.", duration).or(300).into(),
            ),
            inbound_greeting: keys.key("inboundGreeting", greeting, Text).or(hello),
            mode: keys.key("mode", mode, modes).or(VoiceMode::Gather),
            language: keys.key("language", "The language spoken on calls.", language()).or("en-US".to_owned()),
        }
    }
}

/// The longest call Twilio allows, in seconds: 24 hours.
const MAX_SECONDS: u32 = 86_400;

fn language() -> Parsed<String> {
    Parsed {
        expected: "a language tag such as \"en-US\"",
        pattern: Some("^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$"),
        parse: |text| {
            let mut subtags = text.split('-');
            let primary = subtags.next().unwrap_or_default();
            let is_primary = (2..=3).contains(&primary.len()) && primary.bytes().all(|b| b.is_ascii_alphabetic());
            let is_subtag = |tag: &str| (2..=8).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric());
            (is_primary && subtags.all(is_subtag)).then(|| text.to_owned())
        },
    }
}
