//! `openclaw telephony webhook …`

pub mod changes;
pub mod show;
pub mod sync;
pub mod undo;
pub mod verify;

use clap::Subcommand;

use crate::failure::Outcome;
use crate::place::Place;

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
    pub fn run(self, place: &Place) -> Outcome {
        match self {
            Webhook::Show(show) => show.run(place),
            Webhook::Sync(sync) => sync.run(place),
            Webhook::Undo(undo) => undo.run(place),
            Webhook::Verify(verify) => verify.run(),
        }
    }
}
