//! `openclaw telephony webhook …`

pub mod changes;
pub mod show;
pub mod sync;
pub mod undo;
pub mod verify;

use clap::Subcommand;

use crate::config_arg::ConfigArg;
use crate::failure::Outcome;

/// The webhook commands.
#[derive(Debug, Subcommand)]
pub enum Webhook {
    /// Show where Twilio delivers messages and calls, and where it should
    Show(show::Show),
    /// Point Twilio's webhooks here
    Sync(sync::Sync),
    /// Restore the settings from before the first `sync`
    Undo(undo::Undo),
    /// Explain whether a request has a valid Twilio signature
    Verify(verify::Verify),
}

impl Webhook {
    pub fn run(self, config_arg: &ConfigArg) -> Outcome {
        match self {
            Webhook::Show(show) => show.run(config_arg),
            Webhook::Sync(sync) => sync.run(config_arg),
            Webhook::Undo(undo) => undo.run(config_arg),
            Webhook::Verify(verify) => verify.run(),
        }
    }
}
