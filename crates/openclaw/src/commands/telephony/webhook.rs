//! `openclaw telephony webhook …`

pub mod changes;
pub mod show;
pub mod sync;
pub mod undo;
pub mod verify;

use clap::Subcommand;

use crate::config_arg::ConfigArg;
use crate::failure::Outcome;

#[derive(Debug, Subcommand)]
pub enum WebhookCommand {
    /// Show where Twilio delivers messages and calls, and where it should
    Show(show::ShowWebhookArgs),
    /// Point Twilio's webhooks here
    Sync(sync::SyncArgs),
    /// Restore the settings from before the first `sync`
    Undo(undo::UndoArgs),
    /// Explain whether a request has a valid Twilio signature
    Verify(verify::VerifyArgs),
}

impl WebhookCommand {
    pub fn run(self, config_arg: &ConfigArg) -> Outcome {
        match self {
            WebhookCommand::Show(show) => show.run(config_arg),
            WebhookCommand::Sync(sync) => sync.run(config_arg),
            WebhookCommand::Undo(undo) => undo.run(config_arg),
            WebhookCommand::Verify(verify) => verify.run(),
        }
    }
}
