//! `openclaw telephony export <number>`: prints everything stored about a contact, as JSON.

use std::process::ExitCode;

use clap::Args;
use telephony_domain::number::PhoneNumber;
use telephony_gateway::views::record::RecordView;

use crate::assemble::Channel;
use crate::config_arg::ConfigArg;
use crate::failure::Outcome;
use crate::line;
use crate::number;
use crate::terminal;

const EXAMPLE: &str = "Example: openclaw telephony export +15550005678 > contact.json";

/// Print everything stored about a contact, as JSON
#[derive(Debug, Args)]
#[command(after_help = terminal::program().in_text(EXAMPLE).into_owned())]
pub struct ExportArgs {
    /// Phone number of the contact, such as +15550005678
    #[arg(value_parser = number::phone)]
    number: PhoneNumber,
}

impl ExportArgs {
    pub fn run(self, config_arg: &ConfigArg) -> Outcome {
        Channel::look(config_arg)?.block_on(async |channel| {
            let names = line::names(channel).await?;
            let record = channel.store.record_of(&self.number).await?;
            let (store, provider) = (channel.store.as_ref(), channel.provider.as_ref());
            terminal::print_json(&RecordView::of(&record, store, provider, &names, channel.now()))?;
            Ok(ExitCode::SUCCESS)
        })
    }
}
