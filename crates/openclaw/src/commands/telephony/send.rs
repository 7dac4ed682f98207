//! `openclaw telephony send <to> <text>`

mod media;

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use telephony_domain::id::MessageId;
use telephony_domain::line_address::LineAddress;
use telephony_domain::message::{MessageDraft, MessagePurpose};
use telephony_domain::number::PhoneNumber;
use telephony_domain::sms::parts;
use telephony_gateway::views::message::QueuedMessageView;
use telephony_gateway::views::plan::{MessagePlanView, PlannedPartView};
use telephony_gateway::{random, views};
use telephony_providers::provider::Webhooks;
use telephony_store::StoreError;
use telephony_store::account_stops::AccountStop;
use telephony_store::outbox::{ExpectedStart, PartProgress, PartState, Progress};

use self::media::MediaArguments;
use crate::assemble::{self, Channel};
use crate::config_arg::ConfigArg;
use crate::deliver;
use crate::estimate;
use crate::failure::{Failure, Outcome};
use crate::number;
use crate::part;
use crate::plural::counted;
use crate::terminal::{self, quoted};
use crate::time_format;

/// A message expected to leave within this time counts as sent at once.
const AT_ONCE: Duration = Duration::from_secs(2);

const EXAMPLE: &str = "Example: openclaw telephony send +15550005678 \"Dinner at eight?\"";

/// Send a text message, with pictures if wanted
#[derive(Debug, Args)]
#[command(after_help = terminal::program().in_text(EXAMPLE).into_owned())]
pub struct SendArgs {
    /// Recipient, such as +15550005678
    #[arg(value_parser = number::phone)]
    to: PhoneNumber,
    /// Text, or `-` to read it from stdin; optional with --media
    #[arg(allow_hyphen_values = true, required_unless_present = "media")]
    text: Option<String>,
    /// Words after an unquoted text
    #[arg(hide = true)]
    more: Vec<String>,
    /// Picture or other file to attach: a path, or a URL that Twilio can fetch; up to ten times
    #[arg(long, value_name = "URL|FILE")]
    media: Vec<String>,
    /// Show the parts and their cost; send nothing
    #[arg(long)]
    dry_run: bool,
    /// Wait until the message has arrived or failed (at most 2 minutes)
    #[arg(long)]
    wait: bool,
    /// Idempotency key: repeating it sends nothing and shows the state of the first message
    #[arg(long, value_name = "KEY", value_parser = NonEmptyStringValueParser::new())]
    key: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl SendArgs {
    /// Creates the command for a plain text without options.
    pub fn plain(to: PhoneNumber, text: &str) -> Self {
        let text = Some(text.to_owned());
        Self { to, text, more: Vec::new(), media: Vec::new(), dry_run: false, wait: false, key: None, json: false }
    }

    pub fn run(self, config_arg: &ConfigArg) -> Outcome {
        self.check_quotes(config_arg)?;
        let text = self.text.as_deref().map(terminal::text_argument).transpose()?.unwrap_or_default();
        if text.trim().is_empty() && self.media.is_empty() {
            return Err(Failure::usage("the text is empty").hint("an SMS needs text"));
        }
        self.check_line(config_arg)?;
        let media = MediaArguments::read(&self.media)?;
        if self.dry_run {
            return self.plan(config_arg, &text, &media);
        }
        Channel::open(config_arg)?.block_on(async |channel| self.send(channel, &text, media).await)
    }

    /// Rejects a text of several arguments, which the shell made of unquoted words.
    fn check_quotes(&self, config_arg: &ConfigArg) -> Result<(), Failure> {
        if self.more.is_empty() {
            return Ok(());
        }
        let words = self.text.iter().chain(&self.more).map(String::as_str).collect::<Vec<_>>().join(" ");
        let (text, options) = (quoted(&words), self.options(config_arg));
        let hint = format!("put quotes around it: openclaw telephony send {} {text}{options}", self.to);
        Err(Failure::usage("the text has several words without quotes").hint(hint))
    }

    /// Returns the options as they stand on the command line, each after a space.
    fn options(&self, config_arg: &ConfigArg) -> String {
        let with_value = |name: &str, value: &str| format!(" {name} {}", quoted(value));
        let flag = |name: &str, is_set: bool| if is_set { format!(" {name}") } else { String::new() };
        let media = self.media.iter().map(|media| with_value("--media", media));
        let key = self.key.iter().map(|key| with_value("--key", key));
        let config = config_arg.config.iter().map(|file| with_value("--config", &file.to_string_lossy()));
        let flags = [("--dry-run", self.dry_run), ("--wait", self.wait), ("--json", self.json)];
        media.chain(key).chain(config).chain(flags.map(|(name, is_set)| flag(name, is_set))).collect()
    }

    /// Rejects media from a sender id, which can only send text. A Messaging Service takes precedence and has numbers
    /// of its own.
    fn check_line(&self, config_arg: &ConfigArg) -> Result<(), Failure> {
        if self.media.is_empty() {
            return Ok(());
        }
        let sender = assemble::sender(&assemble::configuration(config_arg)?.telephony);
        match (sender.messaging_service, sender.number) {
            (None, Some(LineAddress::SenderId(name))) => {
                Err(Failure::new(format!("the sender id {name} cannot send pictures or other files"))
                    .hint("send a link in the text, or set channels.telephony.fromNumber to a phone number"))
            }
            _ => Ok(()),
        }
    }

    fn plan(&self, config_arg: &ConfigArg, text: &str, media: &MediaArguments) -> Outcome {
        let has_media = media.count() > 0;
        let parts = parts::with_media(text, has_media, &Channel::rules(config_arg)?, &assemble::carrier().mms);
        let parts: Vec<_> = parts.into_iter().map(PlannedPartView::of).collect();
        let segments = parts.iter().map(|part| part.segments).sum();
        let estimate = estimate::of_message(config_arg, &self.to, has_media, segments)?;
        let media = media.lines().collect();
        let refusal = self.refusal(config_arg, segments)?;
        let refused = refusal.as_ref().map(StoreError::to_string);
        let hint = refusal.map(|error| terminal::program().in_text(error.hint()).into_owned());
        let plan = MessagePlanView { to: self.to.to_string(), segments, estimate, media, parts, refused, hint };
        if self.json {
            terminal::print_json(&plan)?;
            return Ok(ExitCode::SUCCESS);
        }
        let count = plan.parts.len();
        let (parts, segments) = (counted(count, "part"), counted(plan.segments, "segment"));
        terminal::print(format!("To {}: {parts}, {segments}. Nothing was sent.", plan.to));
        for (part, n) in plan.parts.iter().zip(1..) {
            let segments = counted(part.segments, "segment");
            terminal::print(format!("--- part {n} of {count}: {}, {segments}", part.encoding));
            terminal::print(&part.text);
        }
        for media in &plan.media {
            terminal::print(format!("--- with {media}"));
        }
        terminal::print(format!("--- {}", estimate::in_words(&plan.estimate)));
        if let Some(refused) = &plan.refused {
            terminal::print(format!("--- It would be rejected: {refused}."));
            plan.hint.iter().for_each(|hint| terminal::say(format!("hint: {hint}")));
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Returns the error that a message of so many segments would get now, from the local store. Without a store there
    /// are no opt-outs and no queue.
    fn refusal(&self, config_arg: &ConfigArg, segments: u32) -> Result<Option<StoreError>, Failure> {
        let Some(store) = assemble::earlier_store(config_arg) else { return Ok(None) };
        let telephony = assemble::configuration(config_arg)?.telephony;
        let (sender, terms) = (assemble::sender(&telephony), assemble::terms(&telephony));
        let check = store.check_capacity(sender, self.to.clone(), segments, terms);
        Ok(assemble::runtime()?.block_on(check).err())
    }

    async fn send(&self, channel: &Channel, text: &str, media: MediaArguments) -> Outcome {
        let media = media.keep(channel).await?;
        let draft = MessageDraft {
            key: self.key.as_ref().map_or_else(|| format!("send-{}", random::name()), |key| format!("send-key-{key}")),
            purpose: MessagePurpose::Send,
            to: self.to.clone(),
            text: text.to_owned(),
            parts: channel.parts_with(text, !media.is_empty()),
            media,
            turn: None,
        };
        let line = channel.line().await?;
        let message = channel.store.enqueue(line, draft, channel.now()).await?.message;
        let expected = self.expected(channel, message).await?;
        let leaves = expected.as_ref().map_or(channel.now(), |expected| expected.at);
        let mut progress = deliver::hand_over(channel, message, leaves).await?;
        if self.wait && progress.parts.iter().all(|part| part.state == PartState::Sent) {
            progress = deliver::wait_for_status(channel, message).await?;
        }
        let stop = channel.store.account_stop().await?;
        self.show(channel, &progress, expected, stop)
    }

    /// Returns the expected departure of a message that does not leave at once; none while sending is stopped.
    async fn expected(&self, channel: &Channel, message: MessageId) -> Result<Option<ExpectedStart>, Failure> {
        if channel.store.account_stop().await?.is_some() {
            return Ok(None);
        }
        let now = channel.now();
        let expected = channel.store.expected_start(message, channel.terms(), now).await?;
        if expected.at.since(now) < AT_ONCE {
            return Ok(None);
        }
        let why = match expected.waits_for.as_deref() {
            None => "Other messages on the line are ahead of it".to_owned(),
            Some(hold) => part::hold_in_words(hold),
        };
        let (wait, at) = (time_format::span(expected.at.since(now)), time_format::said(expected.at));
        terminal::say(format!("{why}: it should be sent in {wait}, at {at}."));
        Ok(Some(expected))
    }

    fn show(
        &self,
        channel: &Channel,
        progress: &Progress,
        expected: Option<ExpectedStart>,
        stop: Option<AccountStop>,
    ) -> Outcome {
        let provider = channel.provider.as_ref();
        if self.json {
            terminal::print_json(&QueuedMessageView::of(progress, self.to.to_string(), expected, provider))?;
        } else {
            progress.parts.iter().filter_map(part::sent_line).for_each(terminal::print);
        }
        match progress.parts.iter().find_map(|part| trouble(part, stop.as_ref(), provider)) {
            None => Ok(ExitCode::SUCCESS),
            Some(failure) => Err(failure.hint_unless_known(format!(
                "`openclaw telephony messages out-{}` shows every attempt",
                progress.message
            ))),
        }
    }
}

/// Explains why a part was not sent as requested.
fn trouble(part: &PartProgress, stop: Option<&AccountStop>, provider: &dyn Webhooks) -> Option<Failure> {
    let reason = views::part::reason(part, provider);
    let reason = reason.as_deref();
    let code = part.code.map(|code| format!(" (Twilio error {code})")).unwrap_or_default();
    match part.state {
        PartState::Sent if part.status.is_some_and(|status| status.is_failure()) => Some(Failure::new(format!(
            "the message did not arrive{code}: {}",
            reason.unwrap_or(
                "the carrier gave no \
                reason"
            )
        ))),
        PartState::Sent => None,
        PartState::Queued | PartState::Ready | PartState::Starting if stop.is_some() => stop.map(kept_while_stopped),
        PartState::Queued | PartState::Ready | PartState::Starting => {
            let when =
                part.next_attempt.map(|at| format!(", next attempt {}", time_format::said(at))).unwrap_or_default();
            let ahead = "an earlier message to this number is ahead of it";
            let reason = match (part.state, reason) {
                (PartState::Queued, Some(reason)) if part.waits_for.is_none() => format!("{ahead}: {reason}"),
                (_, Some(reason)) => reason.to_owned(),
                (PartState::Queued, None) => ahead.to_owned(),
                (_, None) => "it waits for its slot on the line".to_owned(),
            };
            Some(Failure::new(format!("not sent yet, but kept{when}: {reason}")).hint(
                "a running gateway sends it \
                automatically",
            ))
        }
        PartState::Unknown => Some(
            Failure::new(format!(
                "the message may or may not have been sent{code}: {}",
                reason.unwrap_or("Twilio did not answer")
            ))
            .hint("it is kept; a running gateway looks it up at Twilio before sending anything again"),
        ),
        PartState::FinallyUnknown => Some(Failure::new(format!(
            "cannot find out whether Twilio sent the message{code}: {}",
            reason.unwrap_or("Twilio did not answer")
        ))),
        PartState::Failed => Some(Failure::new(format!("not sent{code}: {}", reason.unwrap_or("Twilio rejected it")))),
        PartState::Canceled => Some(Failure::new(format!("not sent: {}", reason.unwrap_or("an earlier part failed")))),
    }
}

/// Explains that a message waits until the operator has fixed the account.
fn kept_while_stopped(stop: &AccountStop) -> Failure {
    let code = stop.code.map(|code| format!(" (Twilio error {code})")).unwrap_or_default();
    Failure::new(format!("not sent yet, but kept: sending is stopped{code}: {}", stop.reason))
        .hint("it is sent automatically once this is fixed and a gateway is running; it is kept for 24 hours")
}
