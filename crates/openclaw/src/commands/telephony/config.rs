//! `openclaw telephony config …`

pub mod check;
pub mod schema;
pub mod show;

use clap::Subcommand;

use crate::config_arg::ConfigArg;
use crate::failure::Outcome;

/// The configuration commands.
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Report every problem in the configuration
    Check(check::Check),
    /// Show every key with its value and where it comes from
    Show(show::Show),
    /// Print the JSON Schema of the channel's block
    Schema(schema::Schema),
}

impl Config {
    pub fn run(self, config_arg: &ConfigArg) -> Outcome {
        match self {
            Config::Check(check) => check.run(config_arg),
            Config::Show(show) => show.run(config_arg),
            Config::Schema(schema) => schema.run(),
        }
    }
}
