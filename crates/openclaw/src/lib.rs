//! The command line of OpenClaw's telephony channel; both binaries run this.

mod assemble;
mod cli;
mod commands;
mod config_arg;
mod deliver;
mod doctor;
mod estimate;
mod failure;
mod host_openclaw;
mod known_store;
mod line;
mod logging;
mod number;
mod part;
mod plural;
mod public_url;
mod reload;
mod state_folder;
mod supervisor;
mod terminal;
mod time_format;

use std::process::ExitCode;

/// Runs the command that the process was started with.
pub fn run() -> ExitCode {
    match cli::Cli::read().run() {
        Ok(code) => code,
        Err(failure) => terminal::report(&failure),
    }
}
