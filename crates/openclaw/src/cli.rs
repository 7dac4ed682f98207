//! The command line: what may be typed.

use clap::{CommandFactory, Parser, Subcommand};

use crate::commands;
use crate::failure::{Failure, Outcome};
use crate::place::Place;

/// The telephony channel of OpenClaw: gives a personal AI assistant a phone number.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true, subcommand_required = true)]
pub struct Cli {
    /// Where the configuration is.
    #[command(flatten)]
    place: Place,
    /// What to do.
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum Command {
    /// Run the channel in the foreground
    Gateway(commands::gateway::Gateway),
    /// Messages, set-up and tests of the phone number
    #[command(subcommand, arg_required_else_help = true)]
    Telephony(commands::telephony::Telephony),
    /// Decide who may talk to the assistant
    #[command(subcommand, arg_required_else_help = true)]
    Pairing(commands::pairing::Pairing),
    /// Print a script with which a shell completes our commands
    #[command(visible_alias = "completion")]
    Completions(commands::completions::Completions),
    /// Print the manual, or write a page for each command
    Man(commands::man::Man),
    /// Anything else belongs to OpenClaw itself
    #[command(external_subcommand)]
    Foreign(Vec<String>),
}

impl Cli {
    /// Does what was typed.
    pub fn run(self) -> Outcome {
        match self.command {
            Command::Gateway(gateway) => gateway.run(&self.place),
            Command::Telephony(telephony) => telephony.run(&self.place),
            Command::Pairing(pairing) => pairing.run(&self.place),
            Command::Completions(completions) => completions.run(&mut Cli::command()),
            Command::Man(man) => man.run(Cli::command()),
            Command::Foreign(words) => Err(foreign(&words)),
        }
    }
}

fn foreign(words: &[String]) -> Failure {
    let word = words.first().map_or("", String::as_str);
    Failure::usage(format!("`{word}` is not a command of the telephony channel"))
        .hint("this program has `gateway`, `telephony`, `pairing`, `completions` and `man`; other commands belong to OpenClaw itself")
}
