//! A phone in the terminal: what is typed is texted to the bot, what the bot texts is shown.

mod orders;

use std::process::ExitCode;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, stdin};
use tokio::sync::broadcast::Receiver;
use tokio::time::timeout;
use twilio_simulator::{Event, MessageRecord, MessageStatus};

use self::orders::Order;
use super::desk::Desk;
use crate::failure::{Failure, Outcome};
use crate::terminal;

/// Twilio's own limit for one request.
const MAX_LENGTH: u16 = 1600;

/// With nothing more to type, answers still under way are waited for until the phone is silent for this long.
const SILENCE: Duration = Duration::from_secs(2);

/// Runs the phone until `/quit`, Ctrl-C or the end of the input.
pub async fn run(port: u16) -> Outcome {
    let mut phone = Phone { desk: Desk::start(port, MAX_LENGTH).await?, number: "+15550005678".to_owned() };
    phone.greet();
    let events = phone.desk.twilio.subscribe();
    let used = phone.use_until_quit(events).await;
    phone.desk.stop().await;
    used.map(|()| ExitCode::SUCCESS)
}

/// A person with a phone, who is the operator too.
pub struct Phone {
    /// Everything behind the phone.
    pub desk: Desk,
    /// Its own number.
    pub number: String,
}

impl Phone {
    fn greet(&self) {
        terminal::print(format!("Your phone is {}, the bot is {}.", self.number, self.desk.twilio.number()));
        terminal::print("Type a text and press Enter. The bot repeats what it is told, once you are approved.");
        terminal::print(orders::HELP);
    }

    async fn use_until_quit(&mut self, mut events: Receiver<Event>) -> Result<(), Failure> {
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

    /// Does one typed line: an order of the operator, or a text to the bot.
    async fn take(&mut self, line: &str) -> Result<std::ops::ControlFlow<()>, Failure> {
        match Order::read(line) {
            Some(Ok(Order::Quit)) => return Ok(std::ops::ControlFlow::Break(())),
            Some(Ok(order)) => order.obey(self).await,
            Some(Err(complaint)) => terminal::print(format!("  ! {complaint}")),
            None if line.trim().is_empty() => {}
            None => self.text(line).await?,
        }
        Ok(std::ops::ControlFlow::Continue(()))
    }

    async fn text(&self, body: &str) -> Result<(), Failure> {
        let delivery = self.desk.twilio.text(&self.number, self.desk.twilio.number(), body).await?;
        if delivery.status != Some(200) {
            let answer = delivery.status.map_or("nothing".to_owned(), |status| status.to_string());
            terminal::print(format!("  ! the gateway answered {answer}; Twilio notes error {:?}", delivery.alert));
        }
        Ok(())
    }

    fn show(&self, event: &Event) {
        match event {
            Event::Message(message) if message.is_outbound() => self.show_message(message),
            Event::Alert(alert) => terminal::print(format!("  ! Twilio notes an error: {}", alert.error_code)),
            _ => {}
        }
    }

    /// A message is shown when it reaches the phone, and its fate when it has one.
    fn show_message(&self, message: &MessageRecord) {
        let sender = message.from.as_deref().unwrap_or("the bot");
        match message.status {
            MessageStatus::Sent => {
                terminal::print(format!("  {sender} > {}", message.body.replace('\n', "\n      ")));
            }
            MessageStatus::Delivered => {
                let (to, segments) = (&message.to, message.num_segments);
                terminal::print(format!("        (to {to}, {segments} segment(s): delivered)"));
            }
            MessageStatus::Undelivered | MessageStatus::Failed => {
                let (to, code) = (&message.to, message.error_code.unwrap_or_default());
                terminal::print(format!("        (to {to}: {}, Twilio error {code})", message.status.as_str()));
            }
            MessageStatus::Accepted | MessageStatus::Queued | MessageStatus::Sending | MessageStatus::Received => {}
        }
    }

    async fn wait_for_silence(&self, events: &mut Receiver<Event>) {
        while let Ok(Ok(event)) = timeout(SILENCE, events.recv()).await {
            self.show(&event);
        }
    }
}
