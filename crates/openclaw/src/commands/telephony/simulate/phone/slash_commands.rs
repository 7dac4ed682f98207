//! The operator's slash commands at the phone.

use telephony_domain::number::PhoneNumber;
use telephony_domain::time::{Clock, SystemClock};
use telephony_store::contacts::Who;
use twilio_simulator::{Fault, FaultExtent};

use super::{Phone, many};
use crate::commands::pairing;
use crate::failure::Failure;
use crate::{terminal, time_format};

/// The list of commands.
pub const HELP: &str = "  /pairing            list pairing requests
  /approve [CODE]     approve the request, or a phone number
  /reject CODE        reject a request
  /phone NUMBER       text from another phone
  /call               call the assistant
  /status             show today's counts
  /trouble KIND [N]   make Twilio fail N times: 429, 500, cut, hang, lost (status reports)
  /calm               end all failures
  /help, /quit";

pub enum SlashCommand {
    Pairing,
    Approve(Option<Who>),
    Reject(Who),
    Phone(PhoneNumber),
    Call,
    Status,
    Trouble(Fault, u32),
    Calm,
    Help,
    Quit,
}

impl SlashCommand {
    /// Parses a line; `None` for a text to the assistant.
    pub fn read(line: &str) -> Option<Result<SlashCommand, String>> {
        let mut words = line.trim().strip_prefix('/')?.split_whitespace();
        let word = words.next().unwrap_or_default();
        let rest: Vec<&str> = words.collect();
        let whole = rest.join(" ");
        Some(match word {
            "pairing" => Ok(SlashCommand::Pairing),
            "approve" if rest.is_empty() => Ok(SlashCommand::Approve(None)),
            "approve" => pairing::who(&whole).map(|who| SlashCommand::Approve(Some(who))),
            "reject" => pairing::who(&whole).map(SlashCommand::Reject),
            "phone" => whole.parse().map(SlashCommand::Phone).map_err(|error| format!("{error}")),
            "call" => Ok(SlashCommand::Call),
            "status" => Ok(SlashCommand::Status),
            "trouble" => trouble(&rest),
            "calm" => Ok(SlashCommand::Calm),
            "help" => Ok(SlashCommand::Help),
            "quit" | "exit" => Ok(SlashCommand::Quit),
            other => Err(format!("unknown command /{other}; /help lists the commands")),
        })
    }

    /// Executes the command. A failure is printed and the phone continues.
    pub async fn execute(self, phone: &mut Phone) {
        if let Err(failure) = self.try_execute(phone).await {
            terminal::report(&failure);
        }
    }

    async fn try_execute(self, phone: &mut Phone) -> Result<(), Failure> {
        let desk = &phone.desk;
        match self {
            SlashCommand::Pairing => show_requests(phone).await?,
            SlashCommand::Approve(who) => approve(phone, who).await?,
            SlashCommand::Reject(who) => {
                let number = desk.operator.reject(who, false).await?;
                terminal::print(format!("  Rejected {number}."));
            }
            SlashCommand::Phone(number) => {
                terminal::print(format!("  You now text from {number}."));
                phone.number = number.to_string();
            }
            SlashCommand::Call => {
                let call = desk.twilio.call(&phone.number, desk.twilio.number()).await?;
                terminal::print(format!("  The gateway answers the call with: {}", call.body));
            }
            SlashCommand::Status => show_status(phone).await?,
            SlashCommand::Trouble(fault, times) => {
                desk.twilio.misbehave(fault, FaultExtent::Next(times));
                terminal::print(format!("  Twilio will fail {}.", many(times, "time")));
            }
            SlashCommand::Calm => {
                desk.twilio.behave();
                terminal::print("  Twilio works normally again.");
            }
            SlashCommand::Help => terminal::print(HELP),
            SlashCommand::Quit => {}
        }
        Ok(())
    }
}

fn trouble(words: &[&str]) -> Result<SlashCommand, String> {
    let fault = match words.first() {
        Some(&"429") => Fault::TooManyRequests,
        Some(&"500") => Fault::ServerError,
        Some(&"cut") => Fault::CutAfterAccepting,
        Some(&"hang") => Fault::HangAfterAccepting,
        Some(&"lost") => Fault::LoseCallback,
        _ => return Err("name a failure: 429, 500, cut, hang or lost".to_owned()),
    };
    match words.get(1).map_or(Ok(1), |count| count.parse()) {
        Ok(times) => Ok(SlashCommand::Trouble(fault, times)),
        Err(_) => Err("expected a number after the failure, for example /trouble cut 2".to_owned()),
    }
}

async fn show_requests(phone: &Phone) -> Result<(), Failure> {
    let requests = phone.desk.operator.requests().await?;
    if requests.is_empty() {
        terminal::print("  No pairing requests.");
    }
    for request in requests {
        let expires = time_format::span(request.expires.since(SystemClock.now()));
        terminal::print(format!("  {} has the pairing code {}, valid for {expires}", request.contact, request.code));
    }
    Ok(())
}

/// Approves `who`, or the only pending request.
async fn approve(phone: &Phone, who: Option<Who>) -> Result<(), Failure> {
    let who = match who {
        Some(who) => who,
        None => match phone.desk.operator.requests().await?.as_slice() {
            [only] => Who::Code(only.code.clone()),
            [] => return Err(Failure::new("there are no pairing requests")),
            _ => return Err(Failure::new("there are several pairing requests").hint("/pairing lists their codes")),
        },
    };
    let approved = phone.desk.operator.approve(who).await?;
    terminal::print(format!("  Approved {}.", approved.contact));
    Ok(())
}

async fn show_status(phone: &Phone) -> Result<(), Failure> {
    let summary = phone.desk.operator.summary().await?;
    terminal::print(format!(
        "  received {}, waiting {}, sent {}, delivered {}, queued {}, in doubt {}",
        summary.received_today,
        summary.waiting + summary.answering + summary.retrying,
        summary.sent_today,
        summary.delivered_today,
        summary.queued,
        summary.unknown
    ));
    Ok(())
}
