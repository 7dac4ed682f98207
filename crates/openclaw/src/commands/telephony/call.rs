//! `openclaw telephony call <to>`: places a call through the running gateway.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use telephony_domain::call::report::{AnsweredBy, CallStatus};
use telephony_domain::dialing::{self, DialingRules, NotDialed, Special};
use telephony_domain::id::CallId;
use telephony_domain::line_address::LineAddress;
use telephony_domain::number::PhoneNumber;
use telephony_gateway::control::status;
use telephony_gateway::lock::GatewayLock;
use telephony_gateway::random;
use telephony_gateway::views::call::{CallCheckView, TranscriptView, state};
use telephony_store::calls::{CallDetail, CallState};
use telephony_store::outgoing_calls::{CallDraft, DialState, OutgoingRules, Placed};
use tokio::time::{Instant, sleep};

use super::calls;
use crate::assemble::{self, Channel};
use crate::config_arg::ConfigArg;
use crate::failure::{Failure, Outcome};
use crate::number;
use crate::plural::counted;
use crate::terminal::{self, quoted};
use crate::time_format;

/// Longest wait until the provider has accepted the call, including the search for a call whose request got no answer.
const DIAL_TIMEOUT: Duration = Duration::from_secs(90);

/// The keys of a phone, and Twilio's letter for half a second.
const KEYS: &str = "0123456789*#w";

/// Interval at which the command reads the state of the call.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Environment variable with the turn that the agent's program is working on.
const TURN_VARIABLE: &str = "OPENCLAW_TURN";

/// The most keys to press.
const MAX_KEYS: usize = 32;

/// The longest message and task in characters: Twilio says at most 4096 at a time.
const MAX_TEXT: usize = 4000;

const EXAMPLES: &str = "Examples:
  openclaw telephony call +15550005678 --message \"The parcel is here.\"
  openclaw telephony call +15550005678 --task \"Reserve a table for two at eight.\" --wait";

/// Place a call
#[derive(Debug, Args)]
#[command(after_help = terminal::program().in_text(EXAMPLES).into_owned())]
pub struct CallArgs {
    /// Number to call, such as +15550005678
    to: String,
    /// Words after the number
    #[arg(hide = true)]
    words: Vec<String>,
    /// Say this, and hang up; with --task, say it first
    #[arg(long, value_name = "TEXT")]
    message: Option<String>,
    /// Have the agent do this on the call
    #[arg(long, value_name = "TEXT")]
    task: Option<String>,
    /// Press these keys after the answer, such as an extension; `w` waits half a second
    #[arg(long, value_name = "DIGITS", value_parser = keys)]
    keys: Option<String>,
    /// Call from this number of yours instead of channels.telephony.fromNumber
    #[arg(long, value_name = "NUMBER", value_parser = number::phone)]
    from: Option<PhoneNumber>,
    /// Wait until the call is over, and show what was said
    #[arg(long)]
    wait: bool,
    /// Check whether the number may be called now, without dialing
    #[arg(long)]
    dry_run: bool,
    /// Call even in quiet hours
    #[arg(long)]
    now: bool,
    /// Idempotency key: repeating it dials nothing and shows the first call
    #[arg(long, value_name = "KEY", value_parser = NonEmptyStringValueParser::new())]
    key: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl CallArgs {
    pub fn run(self, config_arg: &ConfigArg) -> Outcome {
        self.check_words()?;
        let dialable = dialable(&self.to)?;
        let telephony = assemble::configuration(config_arg)?.telephony;
        if !telephony.voice.enabled {
            return Err(Failure::new("calls are off").hint("set channels.telephony.voice.enabled to true"));
        }
        let from = match (&self.from, &telephony.from_number) {
            (Some(from), _) | (None, Some(LineAddress::Number(from))) => from.clone(),
            (None, _) => {
                return Err(Failure::new("no phone number to call from is configured")
                    .hint("set channels.telephony.fromNumber, or pass --from"));
            }
        };
        for text in [&self.message, &self.task].into_iter().flatten() {
            if text.trim().is_empty() {
                return Err(Failure::usage("the text is empty").hint("leave the option out, or write what to say"));
            }
            let length = text.chars().count();
            if length > MAX_TEXT {
                return Err(Failure::usage(format!(
                    "the text has {}, and {MAX_TEXT} is the maximum",
                    counted(length, "character")
                ))
                .hint("say less, or send the rest with `openclaw telephony send`"));
            }
        }
        let to = match dialable {
            Ok(to) => to,
            Err(refusal) if self.dry_run => {
                return self.show_check(&number::compact(&self.to), &from, Some(explained(&refusal)));
            }
            Err(refusal) => return Err(refused(&refusal)),
        };
        Channel::open(config_arg)?.block_on(async |channel| match self.dry_run {
            true => self.check(channel, &from, &to).await,
            false => self.call(channel, from, to).await,
        })
    }

    /// Rejects a text without its option.
    fn check_words(&self) -> Result<(), Failure> {
        if self.words.is_empty() {
            return Ok(());
        }
        let (to, words) = (&self.to, quoted(&self.words.join(" ")));
        let hint = format!("say it with `openclaw telephony call {to} --message {words}`");
        Err(Failure::usage("a call has no text after the number").hint(hint))
    }

    async fn check(&self, channel: &Channel, from: &PhoneNumber, to: &PhoneNumber) -> Outcome {
        channel.line().await?;
        let refusal = channel.store.call_refusal(from, to, self.rules(channel)?, channel.now()).await?;
        let refused = match refusal {
            Some(refusal) => Some(explained(&refusal)),
            None => check_gateway(channel).await.err(),
        };
        self.show_check(to.as_str(), from, refused)
    }

    fn show_check(&self, to: &str, from: &PhoneNumber, refused: Option<Failure>) -> Outcome {
        let (refused, hint) = refused.map(Failure::into_parts).unzip();
        let check = CallCheckView { to: to.to_owned(), from: from.to_string(), refused, hint: hint.flatten() };
        if self.json {
            terminal::print_json_ours(&check)?;
        } else {
            let verdict =
                check.refused.map_or("would be placed now".to_owned(), |why| format!("would be refused: {why}"));
            terminal::print(format!("A call to {} from {} {verdict}. Nothing was dialed.", check.to, check.from));
            check.hint.iter().for_each(|hint| terminal::say(format!("hint: {hint}")));
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn call(&self, channel: &Channel, from: PhoneNumber, to: PhoneNumber) -> Outcome {
        check_gateway(channel).await?;
        channel.line().await?;
        let draft = CallDraft {
            key: self.key(&to),
            from,
            to,
            plan: assemble::outgoing_plan(
                &channel.loaded.telephony.voice,
                self.message.as_deref(),
                self.task.is_some(),
            ),
            task: self.task.as_deref().map(Into::into),
            keys: self.keys.clone(),
        };
        let call = match channel.store.place_call(draft, self.rules(channel)?, channel.now()).await? {
            Placed::Waiting(call) | Placed::Known(call) => call,
            Placed::KeyTaken(call, contact) => return Err(self.is_another(call, &contact)),
            Placed::Refused(refusal) => return Err(refused(&refusal)),
        };
        channel.notify_gateway().await;
        let detail = self.watch(channel, call).await?;
        self.show(&detail)
    }

    /// Returns the idempotency key. A turn of the agent calls a number only once, even if the turn is repeated.
    fn key(&self, to: &PhoneNumber) -> String {
        let turn = std::env::var(TURN_VARIABLE).ok();
        match (&self.key, turn) {
            (Some(key), _) => format!("call-key-{key}"),
            (None, Some(turn)) => format!("call-turn-{turn}-{to}"),
            (None, None) => format!("call-{}", random::name()),
        }
    }

    /// Explains that an earlier call has the key, but not the same text or number.
    fn is_another(&self, call: CallId, contact: &PhoneNumber) -> Failure {
        if self.key.is_some() {
            return Failure::new(format!("not dialed: call {call} to {contact} has this key, and differs"))
                .hint("pass another --key: a key belongs to one call");
        }
        Failure::new(format!("not dialed: this turn has already placed call {call} to {contact}, which differs"))
            .hint("say everything in one call, or pass --key to place a second call in the same turn")
    }

    /// Returns the rules. The operator may call in quiet hours, but an agent may not.
    fn rules(&self, channel: &Channel) -> Result<OutgoingRules, Failure> {
        let telephony = &channel.loaded.telephony;
        let rules = assemble::dialing_rules(&telephony.limits);
        let is_agent = std::env::var_os(TURN_VARIABLE).is_some();
        if self.now && is_agent {
            return Err(Failure::new("only the operator can call in quiet hours").hint("leave --now out"));
        }
        let dialing = if self.now { DialingRules { quiet_hours: None, ..rules } } else { rules };
        Ok(OutgoingRules { dialing, most_calls: telephony.max_concurrent_sessions as usize })
    }

    /// Waits until the call was dialed or refused, and with `--wait` until it is over.
    async fn watch(&self, channel: &Channel, call: CallId) -> Result<CallDetail, Failure> {
        let began = Instant::now();
        let (mut shown, mut is_doubt_shown) = (None, false);
        loop {
            let Some(detail) = channel.store.call(call).await? else {
                return Err(Failure::new(format!("call {call} was deleted meanwhile")));
            };
            let dialing = detail.outgoing.as_ref().map_or(DialState::Dialed, |outgoing| outgoing.state);
            let is_resolved = matches!(dialing, DialState::Dialed | DialState::NotDialed);
            if detail.entry.state == CallState::Over || (is_resolved && !self.wait) {
                return Ok(detail);
            }
            if dialing == DialState::Doubtful && !is_doubt_shown {
                is_doubt_shown = true;
                let left = time_format::span(DIAL_TIMEOUT.saturating_sub(began.elapsed()));
                terminal::say(format!(
                    "Call {call}: Twilio did not answer the request; waiting for Twilio's call list ({left} at most)"
                ));
            }
            if !is_resolved && began.elapsed() > DIAL_TIMEOUT {
                return Err(unresolved(call, dialing));
            }
            if !GatewayLock::is_taken(&channel.state) {
                return Err(stopped(call, dialing));
            }
            if self.wait && detail.entry.status != shown {
                shown = detail.entry.status;
                shown.iter().for_each(|status| terminal::say(format!("Call {call}: {}", status.as_str())));
            }
            sleep(LOOK_EVERY).await;
        }
    }

    fn show(&self, detail: &CallDetail) -> Outcome {
        if self.json {
            terminal::print_json(&TranscriptView::of(detail))?;
        } else if self.wait {
            calls::print(detail);
        } else {
            let (id, contact) = (detail.entry.id, &detail.entry.contact);
            terminal::print(format!("Call {id} to {contact}: {}", state(detail)));
        }
        match failure(detail) {
            Some(failure) => Err(failure),
            None => Ok(ExitCode::SUCCESS),
        }
    }
}

/// Parses a number to dial. Emergency numbers are not valid phone numbers, but are refused like other special numbers.
fn dialable(word: &str) -> Result<Result<PhoneNumber, NotDialed>, Failure> {
    let problem = match number::phone(word) {
        Ok(number) => return Ok(Ok(number)),
        Err(problem) => problem,
    };
    match dialing::check_number(&number::compact(word)) {
        Err(refusal @ NotDialed::Special(Special::Emergency)) if word.bytes().any(|byte| byte.is_ascii_digit()) => {
            Ok(Err(refusal))
        }
        _ => Err(Failure::usage(problem)),
    }
}

fn explained(refusal: &NotDialed) -> Failure {
    Failure::new(refusal).hint(refusal.hint())
}

fn refused(refusal: &NotDialed) -> Failure {
    Failure::new(format!("not dialed: {refusal}")).hint(refusal.hint())
}

/// Explains that the outcome of a call was not known within [`DIAL_TIMEOUT`].
fn unresolved(call: CallId, dialing: DialState) -> Failure {
    let seconds = DIAL_TIMEOUT.as_secs();
    match dialing {
        DialState::Waiting => Failure::new(format!("call {call} was not dialed within {seconds} s")),
        DialState::Dialing | DialState::Doubtful | DialState::Dialed | DialState::NotDialed => Failure::new(format!(
            "call {call} may or may not have been placed: Twilio has not confirmed it for {seconds} s"
        )),
    }
    .hint(format!("it is not dialed again; `openclaw telephony calls {call}` shows its outcome"))
}

/// Explains what becomes of a call when the gateway stops.
fn stopped(call: CallId, dialing: DialState) -> Failure {
    match dialing {
        DialState::Waiting | DialState::NotDialed => {
            Failure::new(format!("the gateway stopped before it dialed call {call}"))
                .hint("restart it, and call again: a restarted gateway does not dial calls that waited")
        }
        DialState::Dialing | DialState::Doubtful => Failure::new(format!(
            "the gateway stopped while it dialed call {call}, which may have been placed"
        ))
        .hint(format!("restart it: it does not dial again; `openclaw telephony calls {call}` shows the outcome")),
        DialState::Dialed => Failure::new(format!("the gateway stopped during call {call}"))
            .hint("restart it: it takes over the call, and does not dial it again"),
    }
}

/// Parses keys to press.
fn keys(word: &str) -> Result<String, String> {
    match (1..=MAX_KEYS).contains(&word.len()) && word.chars().all(|key| KEYS.contains(key)) {
        true => Ok(word.to_owned()),
        false => Err(format!("expected digits, `*`, `#` and `w` for half a second, at most {MAX_KEYS} together")),
    }
}

/// Fails unless the running gateway can place calls.
async fn check_gateway(channel: &Channel) -> Result<(), Failure> {
    match status::notify(&channel.state).await {
        None => Err(Failure::new("calls need a running gateway").hint("start `openclaw gateway`, and call again")),
        Some(alive) if alive.webhook_url.is_none() => Err(Failure::new("the gateway has no public URL for calls")
            .hint("set channels.telephony.publicUrl or a tunnel")),
        Some(_) => Ok(()),
    }
}

/// Explains why the call did not take place.
fn failure(detail: &CallDetail) -> Option<Failure> {
    let reason = detail.outgoing.as_ref().and_then(|outgoing| outgoing.failure.clone());
    let id = detail.entry.id;
    if let Some(reason) = reason {
        return Some(
            Failure::new(format!("call {id} failed: {reason}"))
                .hint("it is not dialed again; place a new call once the cause is fixed"),
        );
    }
    let is_unsaid = detail.outgoing.as_ref().is_some_and(|outgoing| !outgoing.has_spoken);
    let answered_by = detail.outgoing.as_ref().and_then(|outgoing| outgoing.answered_by);
    let happened = match detail.entry.status.filter(|_| detail.entry.state == CallState::Over)? {
        CallStatus::Busy => "the other side was busy",
        CallStatus::NoAnswer => "the call was not answered",
        CallStatus::Failed => "Twilio could not reach the number",
        CallStatus::Canceled => "the call was ended before it was answered",
        CallStatus::Completed if answered_by == Some(AnsweredBy::Fax) => match is_unsaid {
            true => "a fax machine answered, and nothing was said",
            false => "a fax machine answered",
        },
        CallStatus::Completed if is_unsaid => match answered_by {
            Some(AnsweredBy::MachineStart | AnsweredBy::MachineEnd) => {
                "an answering machine answered, and nothing was said"
            }
            _ => "the call ended before anything was said",
        },
        CallStatus::Queued
        | CallStatus::Initiated
        | CallStatus::Ringing
        | CallStatus::InProgress
        | CallStatus::Completed => return None,
    };
    Some(Failure::new(format!("call {id}: {happened}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_was_never_dialed_is_not_taken_over() {
        let message = |dialing| stopped(CallId(7), dialing).in_one_line();
        let never = message(DialState::Waiting);
        assert!(never.contains("before it dialed call 7") && never.contains("call again"), "{never}");
        for dialing in [DialState::Dialing, DialState::Doubtful] {
            assert!(message(dialing).contains("may have been placed"), "{}", message(dialing));
        }
        assert!(message(DialState::Dialed).contains("takes over the call"));
    }

    #[test]
    fn an_unconfirmed_call_may_have_been_placed() {
        let message = |dialing| unresolved(CallId(7), dialing).in_one_line();
        assert!(message(DialState::Waiting).contains("call 7 was not dialed"));
        for dialing in [DialState::Dialing, DialState::Doubtful] {
            assert!(message(dialing).contains("call 7 may or may not have been placed"), "{}", message(dialing));
        }
    }
}
