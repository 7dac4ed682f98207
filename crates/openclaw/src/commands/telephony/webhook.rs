//! `openclaw telephony webhook …`

pub mod changes;
pub mod show;
pub mod sync;
pub mod undo;
pub mod verify;

use clap::Subcommand;

use crate::failure::Outcome;
use crate::place::Place;

/// The commands about the webhook.
#[derive(Debug, Subcommand)]
pub enum Webhook {
    /// Show where Twilio sends messages and calls now, and where it should
    Show(show::Show),
    /// Have Twilio send messages and calls here
    Sync(sync::Sync),
    /// Put back what Twilio had before the first `sync`
    Undo(undo::Undo),
    /// Explain whether a request carries Twilio's signature
    Verify(verify::Verify),
}

impl Webhook {
    /// Does what was typed.
    pub fn run(self, place: &Place) -> Outcome {
        match self {
            Webhook::Show(show) => show.run(place),
            Webhook::Sync(sync) => sync.run(place),
            Webhook::Undo(undo) => undo.run(place),
            Webhook::Verify(verify) => verify.run(),
        }
    }
}
