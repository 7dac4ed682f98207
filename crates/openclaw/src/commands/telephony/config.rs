//! `openclaw telephony config …`: what the operator said.

pub mod check;
pub mod schema;
pub mod show;

use clap::Subcommand;

use crate::failure::Outcome;
use crate::place::Place;

/// The commands about the configuration.
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Tell everything that is wrong with the configuration
    Check(check::Check),
    /// Show every key with its value and where that comes from
    Show(show::Show),
    /// Print the JSON Schema of the channel's block
    Schema(schema::Schema),
}

impl Config {
    /// Does what was typed.
    pub fn run(self, place: &Place) -> Outcome {
        match self {
            Config::Check(check) => check.run(place),
            Config::Show(show) => show.run(place),
            Config::Schema(schema) => schema.run(),
        }
    }
}
