//! `voice`: calls.

use std::time::Duration;

use crate::form::numbers::Whole;
use crate::form::texts::{Parsed, Text};
use crate::form::{Choice, Switch};
use crate::keys::Keys;

/// Settings for calls.
#[derive(Debug, Clone)]
pub struct Voice {
    /// True if the assistant answers calls.
    pub enabled: bool,
    /// Longest call.
    pub max_duration: Duration,
    /// Greeting.
    pub inbound_greeting: String,
    /// Way to convert speech.
    pub mode: VoiceMode,
    /// Language, such as `en-US`.
    pub language: String,
}

/// A way to convert speech to text and back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VoiceMode {
    /// Turn by turn, with webhooks.
    Gather,
    /// A socket on which the provider sends the recognized speech.
    Relay,
}

impl Voice {
    pub(crate) fn read(keys: &mut Keys<'_, '_>) -> Self {
        let greeting = "The greeting that callers hear.";
        let hello = "Hello, this is your assistant. How can I help?".to_owned();
        let mode = "`gather`: turn by turn with webhooks; `relay`: over a socket, faster and open to interruptions.";
        let modes = Choice(&[("gather", VoiceMode::Gather), ("relay", VoiceMode::Relay)]);
        let duration = Whole { from: 1, to: MAX_SECONDS };
        Self {
            enabled: keys.key("enabled", "Answers calls.", Switch).or(false),
            max_duration: Duration::from_secs(
                keys.key("maxDurationSeconds", "The longest call, in seconds.", duration).or(300).into(),
            ),
            inbound_greeting: keys.key("inboundGreeting", greeting, Text).or(hello),
            mode: keys.key("mode", mode, modes).or(VoiceMode::Gather),
            language: keys.key("language", "The language of calls.", language()).or("en-US".to_owned()),
        }
    }
}

/// Twilio's longest call, in seconds: 24 hours.
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
