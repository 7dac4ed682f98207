//! A scripted conversation that shows and checks each step.

use std::process::ExitCode;
use std::time::Duration;

use telephony_domain::pairing::{APPROVAL_TEXT, PairingCode};
use telephony_store::contacts::Who;
use twilio_simulator::{MessageRecord, MessageStatus};

use super::agent::SimulatedAgent;
use super::desk::Desk;
use super::phone::many;
use crate::failure::{Failure, Outcome};
use crate::terminal;

const STRANGER: &str = "+15550005678";

/// Time limit of each step, also on a busy machine.
const STEP_TIMEOUT: Duration = Duration::from_secs(60);

/// Limit on a reply's length, short enough that a long answer needs several parts.
const MAX_LENGTH: u16 = 320;

const FIRST_TEXT: &str = "Hi! Are you there?";

/// Plays the conversation and checks each step.
pub async fn play(port: u16) -> Outcome {
    let desk = Desk::start(port, MAX_LENGTH, SimulatedAgent::echo()).await?;
    let played = Tour { desk: &desk, shown: 0 }.play().await;
    desk.stop().await;
    played.map(|()| {
        terminal::print("\nThe tour is over: every step worked.");
        ExitCode::SUCCESS
    })
}

struct Tour<'a> {
    desk: &'a Desk,
    /// Number of the contact's messages already shown.
    shown: usize,
}

impl Tour<'_> {
    async fn play(mut self) -> Result<(), Failure> {
        let bot = self.desk.twilio.number();
        terminal::print("The tour uses the `echo` agent, which repeats every message.");
        terminal::print(format!("A stranger texts the assistant at {bot}."));
        self.text(FIRST_TEXT).await?;
        let code = self.challenge().await?;

        terminal::print_ours(format!("\nThe operator types: openclaw pairing approve telephony {code}"));
        self.desk.operator.approve(Who::Code(code)).await?;
        let answers = self.answers(2).await?;
        check(answers[0].body == APPROVAL_TEXT, "the approval SMS comes first")?;
        check(answers[1].body == FIRST_TEXT, "the message from before the approval is answered")?;

        terminal::print("\nThe contact sends a long text.");
        let long = long_text();
        self.text(&long).await?;
        let parts = self.answers(3).await?;
        let is_numbered = parts.iter().zip(1..).all(|(part, n)| part.body.starts_with(&format!("[{n}/3] ")));
        check(is_numbered, "a long answer comes in parts, numbered [1/3] to [3/3]")?;
        let joined: String = parts.iter().map(|part| letters(part.body.get(6..).unwrap_or_default())).collect();
        check(joined == letters(&long), "no word is missing")
    }

    async fn challenge(&mut self) -> Result<PairingCode, Failure> {
        let challenge = self.answers(1).await?;
        let code = challenge[0].body.split_whitespace().last().and_then(|word| word.parse().ok());
        check(code.is_some(), "the stranger gets a pairing code")?;
        code.ok_or_else(|| Failure::new("there is no code"))
    }

    async fn text(&self, body: &str) -> Result<(), Failure> {
        terminal::print(format!("  {STRANGER} > {body}"));
        let delivery = self.desk.twilio.text(STRANGER, self.desk.twilio.number(), body).await?;
        check(delivery.status == Some(200), "the gateway accepts the webhook")
    }

    /// Waits until `count` more messages have reached the contact's phone, and shows them.
    async fn answers(&mut self, count: usize) -> Result<Vec<MessageRecord>, Failure> {
        let wanted = self.shown + count;
        let have_arrived = |messages: &[MessageRecord]| {
            let sent: Vec<_> = messages.iter().filter(|message| message.is_outbound()).collect();
            sent.len() >= wanted && sent.iter().all(|message| message.status == MessageStatus::Delivered)
        };
        let waited = self.desk.twilio.wait_for(have_arrived, STEP_TIMEOUT).await;
        let seconds = STEP_TIMEOUT.as_secs();
        let messages = waited.map_err(|_| {
            let messages = many(u32::try_from(count).unwrap_or(u32::MAX), "message");
            Failure::new(format!("the tour failed: {messages} did not arrive in {seconds} s"))
        })?;
        let sent: Vec<_> = messages.into_iter().filter(MessageRecord::is_outbound).skip(self.shown).collect();
        self.shown += sent.len();
        sent.iter().for_each(show);
        check(sent.len() == count, "each message is delivered once")?;
        Ok(sent)
    }
}

/// Returns a text of some 700 characters.
fn long_text() -> String {
    (1..=20).map(|n| format!("This is sentence number {n} of twenty.")).collect::<Vec<_>>().join(" ")
}

fn letters(text: &str) -> String {
    text.split_whitespace().collect()
}

fn show(message: &MessageRecord) {
    let body = message.body.replace('\n', "\n      ");
    let (sid, status, segments) = (&message.sid, message.status.as_str(), many(message.num_segments, "segment"));
    terminal::print(format!("  assistant > {body}\n        ({sid}, {status}, {segments})"));
}

fn check(holds: bool, claim: &str) -> Result<(), Failure> {
    terminal::print(format!("  {} {claim}", if holds { "ok:" } else { "FAILED:" }));
    if holds { Ok(()) } else { Err(Failure::new(format!("the tour failed: {claim}"))) }
}
