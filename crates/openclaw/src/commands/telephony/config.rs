//! `openclaw telephony config …`

pub mod check;
pub mod schema;
pub mod show;

use clap::Subcommand;

use crate::config_arg::ConfigArg;
use crate::failure::Outcome;

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Report every problem in the configuration
    Check(check::CheckArgs),
    /// Show every key with its value and where it comes from
    Show(show::ShowConfigArgs),
    /// Print the JSON Schema of the channel's block
    Schema(schema::SchemaArgs),
}

impl ConfigCommand {
    pub fn run(self, config_arg: &ConfigArg) -> Outcome {
        match self {
            ConfigCommand::Check(check) => check.run(config_arg),
            ConfigCommand::Show(show) => show.run(config_arg),
            ConfigCommand::Schema(schema) => schema.run(),
        }
    }
}
