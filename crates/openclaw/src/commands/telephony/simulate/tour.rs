//! One conversation that plays by itself: every step is shown and checked.

use std::process::ExitCode;
use std::time::Duration;

use telephony_domain::pairing::{APPROVAL_TEXT, PairingCode};
use telephony_store::contacts::Who;
use twilio_simulator::{MessageRecord, MessageStatus};

use super::desk::Desk;
use crate::failure::{Failure, Outcome};
use crate::terminal;

const STRANGER: &str = "+15550005678";

/// A step that takes longer has failed.
const STEP_WITHIN: Duration = Duration::from_secs(6);

/// Short parts, so that a long answer needs several.
const MAX_LENGTH: u16 = 320;

const FIRST_WORDS: &str = "Hi! Is anybody there?";

/// Plays it.
pub async fn play(port: u16) -> Outcome {
    let desk = Desk::start(port, MAX_LENGTH).await?;
    let played = Tour { desk: &desk, shown: 0 }.play().await;
    desk.stop().await;
    played.map(|()| {
        terminal::print("\nThe tour is over: every step worked.");
        ExitCode::SUCCESS
    })
}

struct Tour<'a> {
    desk: &'a Desk,
    /// How many messages to the stranger have been shown.
    shown: usize,
}

impl Tour<'_> {
    async fn play(mut self) -> Result<(), Failure> {
        let bot = self.desk.twilio.number();
        terminal::print(format!("The bot has the number {bot}. A stranger texts it."));
        self.text(FIRST_WORDS).await?;
        let code = self.challenge().await?;

        terminal::print_ours(format!("\nThe operator types: openclaw pairing approve telephony {code}"));
        self.desk.operator.approve(Who::Code(code)).await?;
        let answers = self.answers(2).await?;
        check(answers[0].body == APPROVAL_TEXT, "the approval SMS comes first")?;
        check(answers[1].body == FIRST_WORDS, "the message from before the approval is answered")?;

        terminal::print("\nThe contact writes something long.");
        let long = long_text();
        self.text(&long).await?;
        let parts = self.answers(3).await?;
        let is_numbered = parts.iter().zip(1..).all(|(part, n)| part.body.starts_with(&format!("[{n}/3] ")));
        check(is_numbered, "a long answer comes in parts, numbered [1/3] to [3/3]")?;
        let joined: String = parts.iter().map(|part| letters(part.body.get(6..).unwrap_or_default())).collect();
        check(joined == letters(&long), "no word of it is missing")
    }

    async fn challenge(&mut self) -> Result<PairingCode, Failure> {
        let challenge = self.answers(1).await?;
        let code = challenge[0].body.split_whitespace().last().and_then(|word| word.parse().ok());
        check(code.is_some(), "the stranger is told a pairing code")?;
        code.ok_or_else(|| Failure::new("there is no code"))
    }

    async fn text(&self, body: &str) -> Result<(), Failure> {
        terminal::print(format!("  {STRANGER} > {body}"));
        let delivery = self.desk.twilio.text(STRANGER, self.desk.twilio.number(), body).await?;
        check(delivery.status == Some(200), "the gateway takes the webhook")
    }

    /// Waits until `count` more messages have been delivered to the stranger's phone, and shows them.
    async fn answers(&mut self, count: usize) -> Result<Vec<MessageRecord>, Failure> {
        let wanted = self.shown + count;
        let have_arrived = |messages: &[MessageRecord]| {
            let sent: Vec<_> = messages.iter().filter(|message| message.is_outbound()).collect();
            sent.len() >= wanted && sent.iter().all(|message| message.status == MessageStatus::Delivered)
        };
        let waited = self.desk.twilio.wait_for(have_arrived, STEP_WITHIN).await;
        let seconds = STEP_WITHIN.as_secs();
        let messages = waited.map_err(|_| {
            Failure::new(format!("the tour failed: {count} more message(s) did not arrive in {seconds} s"))
        })?;
        let sent: Vec<_> = messages.into_iter().filter(MessageRecord::is_outbound).skip(self.shown).collect();
        self.shown += sent.len();
        sent.iter().for_each(show);
        check(sent.len() == count, "all of it is delivered, and nothing else")?;
        Ok(sent)
    }
}

/// A text of some 700 characters.
fn long_text() -> String {
    (1..=20).map(|n| format!("This is sentence number {n} of twenty.")).collect::<Vec<_>>().join(" ")
}

fn letters(text: &str) -> String {
    text.split_whitespace().collect()
}

fn show(message: &MessageRecord) {
    let body = message.body.replace('\n', "\n      ");
    let (sid, status, segments) = (&message.sid, message.status.as_str(), message.num_segments);
    terminal::print(format!("  bot > {body}\n        ({sid}, {status}, {segments} segment(s))"));
}

fn check(holds: bool, claim: &str) -> Result<(), Failure> {
    terminal::print(format!("  {} {claim}", if holds { "ok:" } else { "FAILED:" }));
    if holds { Ok(()) } else { Err(Failure::new(format!("the tour failed: {claim}"))) }
}
