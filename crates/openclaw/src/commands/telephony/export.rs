//! `openclaw telephony export <number>`: prints everything stored about a contact, as JSON.

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use telephony_domain::number::PhoneNumber;

use super::calls::Transcript;
use super::messages::detail::Report as Message;
use super::optouts::Row as Consent;
use crate::assemble::Channel;
use crate::config_arg::ConfigArg;
use crate::failure::Outcome;
use crate::line;
use crate::number;
use crate::terminal;
use crate::time_format::Time;

const EXAMPLE: &str = "Example: openclaw telephony export +15550005678 > contact.json";

/// Print everything stored about a contact, as JSON
#[derive(Debug, Args)]
#[command(after_help = terminal::program().in_text(EXAMPLE).into_owned())]
pub struct Export {
    /// Phone number of the contact, such as +15550005678
    #[arg(value_parser = number::phone)]
    number: PhoneNumber,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    contact: String,
    exported_at: Time,
    approved_at: Option<Time>,
    blocked_at: Option<Time>,
    pairing_request: Option<Request>,
    consents: Vec<Consent>,
    messages: Vec<Message>,
    calls: Vec<Transcript>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    code: String,
    requested_at: Time,
    expires_at: Time,
}

impl Export {
    pub fn run(self, config_arg: &ConfigArg) -> Outcome {
        Channel::look(config_arg)?.block_on(async |channel| {
            let names = line::names(channel).await?;
            let record = channel.store.record_of(&self.number).await?;
            let name = |id| names.get(&id).cloned().unwrap_or_default();
            terminal::print_json(&Report {
                contact: record.contact.to_string(),
                exported_at: Time(channel.now()),
                approved_at: record.approved.map(Time),
                blocked_at: record.blocked.map(Time),
                pairing_request: record.pairing.map(|request| Request {
                    code: request.code.to_string(),
                    requested_at: Time(request.requested),
                    expires_at: Time(request.expires),
                }),
                consents: record.consents.iter().map(|consent| Consent::of(consent, name(consent.line))).collect(),
                messages: record.messages.iter().map(|detail| Message::of(detail, channel, &names)).collect(),
                calls: record.calls.iter().map(Transcript::of).collect(),
            })?;
            Ok(ExitCode::SUCCESS)
        })
    }
}
