//! `openclaw telephony config schema`

use std::process::ExitCode;

use clap::Args;

use crate::failure::Outcome;
use crate::terminal;

/// Print the JSON Schema of the channel's block.
#[derive(Debug, Args)]
pub struct SchemaArgs {}

impl SchemaArgs {
    pub fn run(self) -> Outcome {
        terminal::print_json(&telephony_config::schema())?;
        Ok(ExitCode::SUCCESS)
    }
}
