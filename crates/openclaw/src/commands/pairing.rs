//! `openclaw pairing …`: who may talk to the assistant.

pub mod approve;
pub mod list;
pub mod reject;

use std::str::FromStr;

use clap::Subcommand;
use telephony_domain::pairing::PairingCode;
use telephony_store::contacts::Who;

use crate::failure::Outcome;
use crate::number;
use crate::place::Place;

/// The commands about pairing.
#[derive(Debug, Subcommand)]
pub enum Pairing {
    /// Show who asks to talk to the assistant
    List(list::List),
    /// Let somebody talk to the assistant
    Approve(approve::Approve),
    /// Refuse a request, or end an approval
    Reject(reject::Reject),
}

impl Pairing {
    /// Does what was typed.
    pub fn run(self, place: &Place) -> Outcome {
        match self {
            Pairing::List(list) => list.run(place),
            Pairing::Approve(approve) => approve.run(place),
            Pairing::Reject(reject) => reject.run(place),
        }
    }
}

/// Reads the channel: `telephony`, or what people call it.
fn channel(word: &str) -> Result<String, String> {
    match word.to_ascii_lowercase().as_str() {
        "telephony" | "sms" | "phone" => Ok(word.to_owned()),
        _ => Err("this program pairs for `telephony` only (`sms` and `phone` mean the same)".to_owned()),
    }
}

/// Reads whom the operator means: a code, or a phone number.
pub fn who(word: &str) -> Result<Who, String> {
    if number::compact(word).starts_with('+') {
        return number::phone(word).map(Who::Number);
    }
    PairingCode::from_str(word)
        .map(Who::Code)
        .map_err(|error| format!("{error}, nor a phone number such as +15550005678"))
}
