//! A phone in the terminal: sends each typed line as a text, and shows the texts that the assistant sends.

mod slash_commands;

use std::process::ExitCode;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, stdin};
use tokio::sync::broadcast::Receiver;
use tokio::time::timeout;
use twilio_simulator::{ExchangeEvent, MessageRecord, MessageStatus};

use self::slash_commands::SlashCommand;
use super::agent::SimulatedAgent;
use super::desk::Desk;
use crate::failure::{Failure, Outcome};
use crate::terminal;

/// Twilio's limit for one request.
const MAX_LENGTH: u16 = 1600;

/// After its input ends, the phone exits once no answer has arrived for this long.
const SILENCE: Duration = Duration::from_secs(2);

/// Runs the phone until `/quit`, Ctrl-C or the end of its input.
pub async fn run(port: u16, agent: SimulatedAgent) -> Outcome {
    let sentence = agent.sentence.clone();
    let mut phone = Phone { desk: Desk::start(port, MAX_LENGTH, agent).await?, number: "+15550005678".to_owned() };
    phone.greet(&sentence);
    let events = phone.desk.twilio.subscribe();
    let used = phone.use_until_quit(events).await;
    phone.desk.stop().await;
    used.map(|()| ExitCode::SUCCESS)
}

/// A contact's phone, whose user is also the operator.
pub struct Phone {
    pub desk: Desk,
    /// The number of the phone.
    pub number: String,
}

impl Phone {
    fn greet(&self, agent: &str) {
        terminal::print(agent);
        if let Some(problem) = &self.desk.problem {
            terminal::say(format!("warning: the agent does not answer: {problem}"));
        }
        let (own, assistant) = (&self.number, self.desk.twilio.number());
        terminal::print(format!("Your phone has the number {own}, the assistant has {assistant}."));
        terminal::print("First steps:");
        terminal::print("  1. Type \"Hello!\" and press Enter: the phone gets a pairing code.");
        terminal::print("  2. Type /approve: the assistant answers the first text.");
        terminal::print("  3. Type \"/trouble cut\" and text again: the answer arrives once.");
        terminal::print("Commands:");
        terminal::print(slash_commands::HELP);
    }

    async fn use_until_quit(&mut self, mut events: Receiver<ExchangeEvent>) -> Result<(), Failure> {
        let mut lines = BufReader::new(stdin()).lines();
        loop {
            tokio::select! {
                Ok(event) = events.recv() => self.show(&event),
                line = lines.next_line() => match line? {
                    Some(line) => {
                        if self.take(&line).await?.is_break() {
                            return Ok(());
                        }
                    }
                    None => {
                        self.wait_for_silence(&mut events).await;
                        return Ok(());
                    }
                },
                _ = tokio::signal::ctrl_c() => return Ok(()),
            }
        }
    }

    /// Executes one typed line: a command of the operator, or a text to the assistant.
    async fn take(&mut self, line: &str) -> Result<std::ops::ControlFlow<()>, Failure> {
        match SlashCommand::read(line) {
            Some(Ok(SlashCommand::Quit)) => return Ok(std::ops::ControlFlow::Break(())),
            Some(Ok(command)) => command.execute(self).await,
            Some(Err(complaint)) => terminal::print(format!("  ! {complaint}")),
            None if line.trim().is_empty() => {}
            None => self.text(line).await?,
        }
        Ok(std::ops::ControlFlow::Continue(()))
    }

    async fn text(&self, body: &str) -> Result<(), Failure> {
        let delivery = self.desk.twilio.text(&self.number, self.desk.twilio.number(), body).await?;
        if delivery.status != Some(200) {
            let answer = delivery.status.map_or("did not answer".to_owned(), |status| format!("answered {status}"));
            let code = delivery.alert.map(|code| format!(" (Twilio error {code})")).unwrap_or_default();
            terminal::print(format!("  ! the gateway {answer}{code}"));
        }
        Ok(())
    }

    fn show(&self, event: &ExchangeEvent) {
        match event {
            ExchangeEvent::Message(message) if message.is_outbound() => self.show_message(message),
            ExchangeEvent::Alert(alert) => {
                terminal::print(format!("  ! Twilio error {}: {}", alert.error_code, alert.text))
            }
            _ => {}
        }
    }

    /// Prints a message when it reaches the phone, and its final status.
    fn show_message(&self, message: &MessageRecord) {
        let number = message.from.as_deref().unwrap_or("the assistant");
        let sender = if message.keyword.is_some() { "Twilio (automatic reply)" } else { number };
        match message.status {
            MessageStatus::Sent => {
                terminal::print(format!("  {sender} > {}", message.body.replace('\n', "\n      ")));
            }
            MessageStatus::Delivered => {
                let (to, segments) = (&message.to, many(message.num_segments, "segment"));
                terminal::print(format!("        (to {to}, {segments}: delivered)"));
            }
            MessageStatus::Undelivered | MessageStatus::Failed => {
                let (to, code) = (&message.to, message.error_code.unwrap_or_default());
                terminal::print(format!("        (to {to}: {}, Twilio error {code})", message.status.as_str()));
            }
            MessageStatus::Accepted | MessageStatus::Queued | MessageStatus::Sending | MessageStatus::Received => {}
        }
    }

    async fn wait_for_silence(&self, events: &mut Receiver<ExchangeEvent>) {
        while let Ok(Ok(event)) = timeout(SILENCE, events.recv()).await {
            self.show(&event);
        }
    }
}

/// Formats a count with its noun: "1 segment", "3 segments".
pub fn many(count: u32, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
