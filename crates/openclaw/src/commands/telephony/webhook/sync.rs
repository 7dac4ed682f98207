//! `openclaw telephony webhook sync`: points Twilio's webhooks here, after saving the previous settings.

use clap::Args;
use telephony_gateway::routing;

use super::changes::{self, ConfirmationArgs, failed};
use crate::assemble::Channel;
use crate::config_arg::ConfigArg;
use crate::failure::Outcome;
use crate::{public_url, terminal};

const EXAMPLE: &str = "Example: openclaw telephony webhook sync --url https://phone.example.com";

/// Point Twilio's webhooks here
#[derive(Debug, Args)]
#[command(after_help = terminal::program().in_text(EXAMPLE).into_owned())]
pub struct SyncArgs {
    /// URL where Twilio reaches the gateway (default: publicUrl, else the running gateway's tunnel)
    #[arg(long)]
    url: Option<String>,
    #[command(flatten)]
    consent: ConfirmationArgs,
}

impl SyncArgs {
    /// Shows the changes, asks, and makes them.
    pub fn run(self, config_arg: &ConfigArg) -> Outcome {
        Channel::open(config_arg)?.block_on(async |channel| {
            let url = public_url::public_url(&channel.loaded, self.url.as_deref())
                .await?
                .ok_or_else(public_url::no_public_url)?;
            let (sender, callbacks) = (channel.sender(), public_url::callbacks(&url));
            let (store, provider) = (channel.store.as_ref(), channel.provider.as_ref());
            let target = public_url::target(&channel.loaded.telephony, &sender, &callbacks);
            let plan = routing::plan(store, provider, target).await.map_err(failed)?;
            if sender.number.as_ref().is_some_and(|address| !address.receives()) {
                terminal::say("A sender id cannot receive messages, so it has no webhook.");
            }
            changes::show(&plan);
            if plan.changes.is_empty() && plan.missing.is_empty() {
                terminal::say(format!("Twilio already has {}: nothing to change.", callbacks.webhook));
            } else if self.consent.is_given(&plan)? {
                routing::apply(store, provider, &plan.changes, channel.now()).await.map_err(failed)?;
                terminal::say("Changed. `openclaw telephony webhook undo` restores the previous settings.");
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
