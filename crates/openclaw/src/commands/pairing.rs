//! `openclaw pairing …`: decides who may talk to the assistant.

pub mod approve;
pub mod list;
pub mod reject;

use std::str::FromStr;

use clap::Subcommand;
use telephony_domain::pairing::PairingCode;
use telephony_store::contacts::Who;

use crate::config_arg::ConfigArg;
use crate::failure::Outcome;
use crate::number;

#[derive(Debug, Subcommand)]
pub enum PairingCommand {
    /// List pairing requests
    List(list::ListArgs),
    /// Let a contact talk to the assistant
    Approve(approve::ApproveArgs),
    /// Reject a request, or revoke an approval
    Reject(reject::RejectArgs),
}

impl PairingCommand {
    pub fn run(self, config_arg: &ConfigArg) -> Outcome {
        match self {
            PairingCommand::List(list) => list.run(config_arg),
            PairingCommand::Approve(approve) => approve.run(config_arg),
            PairingCommand::Reject(reject) => reject.run(config_arg),
        }
    }
}

/// Parses the channel: `telephony` or one of its aliases.
fn channel(word: &str) -> Result<String, String> {
    match word.to_ascii_lowercase().as_str() {
        "telephony" | "sms" | "phone" => Ok(word.to_owned()),
        _ => Err("this program only pairs for `telephony` (aliases: `sms`, `phone`)".to_owned()),
    }
}

/// Parses a pairing code or a phone number.
pub fn who(word: &str) -> Result<Who, String> {
    if number::compact(word).starts_with('+') {
        return number::phone(word).map(Who::Number);
    }
    PairingCode::from_str(word)
        .map(Who::Code)
        .map_err(|error| format!("{error}, and not a phone number such as +15550005678 either"))
}
