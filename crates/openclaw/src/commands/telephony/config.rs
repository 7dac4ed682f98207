//! `openclaw telephony config …`

pub mod check;
pub mod schema;
pub mod show;

use clap::Subcommand;

use crate::failure::Outcome;
use crate::place::Place;

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
    pub fn run(self, place: &Place) -> Outcome {
        match self {
            Config::Check(check) => check.run(place),
            Config::Show(show) => show.run(place),
            Config::Schema(schema) => schema.run(),
        }
    }
}
