//! `voice`: calls.

use std::time::Duration;

use secrecy::ExposeSecret;
use telephony_domain::call::afterwards::SummaryRecipient;
use telephony_domain::call::plan::{Dialing, MachineRule};
use telephony_domain::call::proof::Pin;

use crate::form::lists::ListForm;
use crate::form::numbers::Whole;
use crate::form::secrets::SecretForm;
use crate::form::texts::{Parsed, TextForm};
use crate::form::{ChoiceForm, Switch};
use crate::keys::ObjectKeys;

/// The section `voice`: settings for calls.
#[derive(Debug, Clone)]
pub struct VoiceConfig {
    /// True if the assistant answers calls.
    pub enabled: bool,
    /// Time after which a call ends in any case.
    pub max_duration: Duration,
    /// The first sentence that a caller hears.
    pub inbound_greeting: String,
    /// Way to convert speech.
    pub mode: VoiceMode,
    /// Language, such as `en-US`.
    pub language: String,
    /// Twilio's name for a voice.
    pub voice: Option<String>,
    /// Silence, or time between two keys, after which listening ends, in seconds.
    pub silence_seconds: u32,
    /// Time that the agent may think in silence.
    pub filler_after: Duration,
    /// Sentences for the time after that, in turn.
    pub fillers: Vec<String>,
    /// Time after which an answer comes by text instead.
    pub answer_within: Duration,
    /// Sentence after the greeting.
    pub disclosure: String,
    /// True if callers whose number the network does not vouch for are rejected, or asked for the PIN.
    pub require_attestation: bool,
    /// PIN that callers enter.
    pub pin: Option<Pin>,
    /// Terms of outgoing calls.
    pub dialing: Dialing,
    /// The person who gets a summary after each call, by text message.
    pub summary: Option<SummaryRecipient>,
    /// Text message to callers whom nothing answered.
    pub missed_call_text: Option<String>,
}

/// A way to convert speech to text and back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VoiceMode {
    /// Turn by turn, with webhooks.
    Gather,
    /// A socket on which the provider sends the recognized speech.
    Relay,
}

impl VoiceConfig {
    pub(crate) fn read(keys: &mut ObjectKeys<'_, '_>) -> Self {
        let greeting = "The greeting that callers hear.";
        let voice = "Twilio's name for a voice, such as `Polly.Amy`; left out, Twilio chooses.";
        let silence = "Seconds of silence, or between two keys, after which the caller is asked again.";
        let filler_after = "Milliseconds that the agent may think in silence; then the caller hears a filler.";
        let fillers = "Sentences that the caller hears in turn while the agent thinks; `[]` for silence.";
        let one_moment = ["One moment, please.", "I am still working on it."].map(str::to_owned).to_vec();
        let answer_within = "Seconds after which the caller hears that the answer comes by text message, and it does.";
        let disclosure = "A sentence after the greeting, for example that calls are transcribed.";
        let attestation =
            "Rejects callers whose number the network does not vouch for, or asks them for the PIN if there is one.";
        let hello = "Hello, this is your assistant. How can I help?".to_owned();
        let mode = "`gather`: turn by turn with webhooks; `relay`: over a socket, faster and open to interruptions.";
        let modes = ChoiceForm(&[("gather", VoiceMode::Gather), ("relay", VoiceMode::Relay)]);
        let duration = Whole { from: 1, to: MAX_SECONDS };
        Self {
            enabled: keys.key("enabled", "Answers calls.", Switch).or(false),
            max_duration: Duration::from_secs(
                keys.key("maxDurationSeconds", "The longest call, in seconds.", duration).or(300).into(),
            ),
            inbound_greeting: keys.key("inboundGreeting", greeting, sentence()).or(hello),
            mode: keys.key("mode", mode, modes).or(VoiceMode::Gather),
            language: keys.key("language", "The language of calls.", language()).or("en-US".to_owned()),
            voice: keys.key("voice", voice, TextForm).optional(),
            silence_seconds: keys.key("silenceSeconds", silence, Whole { from: 2, to: 60_u32 }).or(8),
            filler_after: Duration::from_millis(
                keys.key("fillerAfterMs", filler_after, Whole { from: 500, to: 10_000_u32 }).or(1500).into(),
            ),
            fillers: keys.key("fillers", fillers, ListForm(filler())).or(one_moment),
            answer_within: Duration::from_secs(
                keys.key("answerWithinSeconds", answer_within, Whole { from: 5, to: 120_u32 }).or(25).into(),
            ),
            disclosure: keys.key("disclosure", disclosure, sentence()).or(String::new()),
            require_attestation: keys.key("requireAttestation", attestation, Switch).or(false),
            pin: read_pin(keys),
            dialing: read_dialing(keys),
            summary: keys
                .key(
                    "summary",
                    "The person who gets a summary after each call, by text message.",
                    ChoiceForm(SUMMARIES),
                )
                .or(None),
            missed_call_text: keys
                .key(
                    "missedCallText",
                    "A text message to callers who found the line busy or the gateway down.",
                    TextForm,
                )
                .optional(),
        }
    }
}

const SUMMARIES: &[(&str, Option<SummaryRecipient>)] =
    &[("none", None), ("contact", Some(SummaryRecipient::Contact)), ("operator", Some(SummaryRecipient::Operator))];

const MACHINE_RULES: &[(&str, MachineRule)] =
    &[("leave-message", MachineRule::LeaveMessage), ("hang-up", MachineRule::HangUp), ("off", MachineRule::Off)];

fn read_dialing(keys: &mut ObjectKeys<'_, '_>) -> Dialing {
    let ring = "Seconds that an outgoing call rings.";
    let machine =
        "At an answering machine: `leave-message` after the beep, `hang-up`, or `off` to talk as to a person.";
    Dialing {
        ring: Duration::from_secs(keys.key("ringSeconds", ring, Whole { from: 5, to: 600_u32 }).or(30).into()),
        machine: keys.key("machine", machine, ChoiceForm(MACHINE_RULES)).or(MachineRule::LeaveMessage),
    }
}

/// Reads the PIN. Its value is a secret, so an error does not repeat it.
fn read_pin(keys: &mut ObjectKeys<'_, '_>) -> Option<Pin> {
    let pin = "A PIN of 4 to 12 digits that callers enter before anything else; with `requireAttestation`, only \
               callers whose number the network does not vouch for.";
    let written = keys.key("pin", pin, SecretForm).optional()?;
    let read = Pin::read(written.expose_secret());
    if read.is_none() {
        keys.problem("pin", "the PIN is not 4 to 12 digits", "write it in quotes, such as \"8264\"");
    }
    read
}

/// Twilio's longest call, in seconds: 24 hours.
const MAX_SECONDS: u32 = 86_400;

/// The most characters of a greeting.
const MAX_SENTENCE: usize = 500;

fn sentence() -> Parsed<String> {
    Parsed {
        expected: "a text of at most 500 characters",
        pattern: Some("^[\\s\\S]{0,500}$"),
        parse: |text| (text.chars().count() <= MAX_SENTENCE).then(|| text.to_owned()),
    }
}

fn filler() -> Parsed<String> {
    Parsed {
        expected: "a text of 1 to 500 characters",
        pattern: Some("^(?=[\\s\\S]*\\S)[\\s\\S]{1,500}$"),
        parse: |text| (!text.trim().is_empty() && text.chars().count() <= MAX_SENTENCE).then(|| text.to_owned()),
    }
}

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
