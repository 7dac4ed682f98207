//! The command line: what may be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::commands;

/// The telephony channel of OpenClaw: gives a personal AI assistant a phone number.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true, subcommand_required = true)]
pub struct Cli {
    /// Where the configuration is.
    #[command(flatten)]
    pub place: Place,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command that reads the configuration.
#[derive(Debug, Clone, Args)]
pub struct Place {
    /// Configuration file (default: OPENCLAW_CONFIG_PATH, else openclaw.json in the OpenClaw state folder)
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
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
