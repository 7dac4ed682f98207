//! Options that select messages.

use clap::Args;
use telephony_domain::time::Timestamp;
use telephony_store::history::{Filter, INBOUND_STATES};
use telephony_store::outbox::PartState;

use crate::assemble::Channel;
use crate::failure::Failure;
use crate::line;
use crate::number;
use crate::time_format;

/// Options that select messages.
#[derive(Debug, Args)]
#[group(id = "selection", multiple = true, conflicts_with_all = ["id", "dead"])]
pub struct SelectionArgs {
    /// Only messages with this contact: a phone number, short code, name or address on another channel
    /// (`whatsapp:+15550005678`)
    #[arg(long, value_name = "NUMBER", value_parser = number::sender)]
    contact: Option<String>,
    /// Only messages on this line: its number or messaging service
    #[arg(long, value_name = "LINE")]
    line: Option<String>,
    /// Only messages with this status, such as `failed` or `delivered`; can be repeated
    #[arg(long, value_name = "STATUS", value_parser = status)]
    status: Vec<String>,
    /// Only messages that may or may not have been sent
    #[arg(long, conflicts_with = "status")]
    unknown: bool,
    /// Only messages since then: `2h`, `3d` or a time such as "2026-11-22 09:30"
    #[arg(long, value_name = "TIME", value_parser = time_format::moment)]
    since: Option<Timestamp>,
    /// Only messages before then
    #[arg(long, value_name = "TIME", value_parser = time_format::moment, conflicts_with = "follow")]
    until: Option<Timestamp>,
    /// Maximum number of messages, newest first
    #[arg(long, default_value_t = 20)]
    limit: u32,
}

impl SelectionArgs {
    /// Returns true if any option other than the limit was given.
    pub fn is_narrow(&self) -> bool {
        let of_time = self.since.is_some() || self.until.is_some();
        of_time || self.contact.is_some() || self.line.is_some() || self.unknown || !self.status.is_empty()
    }

    /// Converts the options into a filter for the store.
    pub async fn filter(&self, channel: &Channel) -> Result<Filter, Failure> {
        let line = match &self.line {
            Some(name) => Some(line::find(channel, Some(name)).await?),
            None => None,
        };
        Ok(Filter {
            contact: self.contact.clone(),
            line,
            since: self.since,
            until: self.until,
            states: self.states(),
            limit: self.limit,
            ..Filter::default()
        })
    }

    fn states(&self) -> Vec<String> {
        let in_doubt = [PartState::Unknown, PartState::FinallyUnknown].map(|state| state.as_str().to_owned());
        if self.unknown { in_doubt.to_vec() } else { self.status.clone() }
    }
}

fn status(word: &str) -> Result<String, String> {
    let word = word.to_ascii_lowercase();
    let parts = PartState::ALL.map(PartState::as_str);
    let is_known = INBOUND_STATES.contains(&word.as_str())
        || parts.contains(&word.as_str())
        || word.parse::<telephony_domain::delivery::Status>().is_ok();
    if is_known {
        Ok(word)
    } else {
        let [inbound, outbound] = [INBOUND_STATES.join(", "), parts.join(", ")];
        Err(format!("expected one of {inbound}; {outbound}; or a Twilio status such as delivered or undelivered"))
    }
}
