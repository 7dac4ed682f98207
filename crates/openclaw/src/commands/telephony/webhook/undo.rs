//! `openclaw telephony webhook undo`: restores the settings from before the first `sync`.

use clap::Args;
use telephony_gateway::routing;

use super::changes::{self, ConfirmationArgs, failed};
use crate::assemble::Channel;
use crate::config_arg::ConfigArg;
use crate::failure::Outcome;
use crate::terminal;

/// Restore the settings from before the first `sync`
#[derive(Debug, Args)]
pub struct UndoArgs {
    #[command(flatten)]
    consent: ConfirmationArgs,
}

impl UndoArgs {
    /// Shows the changes, asks, and makes them.
    pub fn run(self, config_arg: &ConfigArg) -> Outcome {
        Channel::open(config_arg)?.block_on(async |channel| {
            let (store, provider) = (channel.store.as_ref(), channel.provider.as_ref());
            let plan = routing::plan_undo(store, provider).await.map_err(failed)?;
            changes::show(&plan);
            if plan.changes.is_empty() {
                routing::undo(store, provider, &plan).await.map_err(failed)?;
                terminal::say("There is nothing to restore.");
            } else if self.consent.is_given(&plan)? {
                routing::undo(store, provider, &plan).await.map_err(failed)?;
                terminal::say("Restored.");
            } else {
                terminal::say("Nothing was changed.");
                if !self.consent.dry_run && !plan.changes.is_empty() {
                    return Ok(std::process::ExitCode::FAILURE);
                }
            }
            changes::outcome(&plan)
        })
    }
}
