//! `openclaw pairing reject telephony <code or number>`

use std::process::ExitCode;

use clap::Args;
use telephony_store::contacts::Who;

use super::approve::unknown_code;
use crate::assemble::Channel;
use crate::config_arg::ConfigArg;
use crate::failure::Outcome;
use crate::terminal;

const EXAMPLE: &str = "Example: openclaw pairing reject telephony ABCD2345 --block";

/// Reject a request, or revoke an approval
#[derive(Debug, Args)]
#[command(after_help = terminal::program().in_text(EXAMPLE).into_owned())]
#[command(allow_missing_positional = true)]
pub struct RejectArgs {
    /// Channel; can be omitted, because there is only `telephony`
    #[arg(value_parser = super::channel)]
    channel: Option<String>,
    /// Pairing code or phone number of the contact
    #[arg(value_name = "CODE OR NUMBER", value_parser = super::who)]
    who: Who,
    /// Never answer this number again (approving it ends the block)
    #[arg(long)]
    block: bool,
}

impl RejectArgs {
    pub fn run(self, config_arg: &ConfigArg) -> Outcome {
        Channel::open(config_arg)?.block_on(async |channel| {
            let rejected = channel.store.reject(self.who.clone(), self.block, channel.now()).await;
            let number = rejected.map_err(|error| unknown_code(error, &self.who))?;
            let done = if self.block { "Blocked" } else { "Rejected" };
            terminal::print(format!("{done} telephony sender {number}."));
            Ok(ExitCode::SUCCESS)
        })
    }
}
