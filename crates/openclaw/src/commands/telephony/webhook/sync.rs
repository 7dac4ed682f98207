//! `openclaw telephony webhook sync`: has Twilio send messages and calls here, and keeps what it had before.

use clap::Args;
use telephony_gateway::routing;

use super::changes::{self, Consent, failed};
use crate::assemble::Channel;
use crate::failure::Outcome;
use crate::place::Place;
use crate::{public_url, terminal};

/// Have Twilio send messages and calls here.
#[derive(Debug, Args)]
pub struct Sync {
    /// Where Twilio reaches the gateway (default: publicUrl, else the tunnel of the running gateway)
    #[arg(long)]
    url: Option<String>,
    #[command(flatten)]
    consent: Consent,
}

impl Sync {
    /// Shows what is to be changed, asks, changes.
    pub fn run(self, place: &Place) -> Outcome {
        Channel::open(place)?.block_on(async |channel| {
            let url = public_url::public_url(&channel.loaded, self.url.as_deref())
                .await?
                .ok_or_else(public_url::no_public_url)?;
            let (sender, told) = (channel.sender(), public_url::told(&url));
            let (store, provider) = (channel.store.as_ref(), channel.provider.as_ref());
            let aim = public_url::aim(&channel.loaded.telephony, &sender, &told);
            let plan = routing::plan(store, provider, aim).await.map_err(failed)?;
            if sender.number.as_ref().is_some_and(|address| !address.receives()) {
                terminal::say("A sender id receives nothing, so it has no webhook.");
            }
            changes::show(&plan);
            if plan.changes.is_empty() && plan.missing.is_empty() {
                terminal::say(format!("Twilio has {} already: nothing to change.", told.webhook));
            } else if self.consent.is_given(&plan)? {
                routing::apply(store, provider, &plan.changes, channel.now()).await.map_err(failed)?;
                terminal::say("Changed. `openclaw telephony webhook undo` puts back what was there before.");
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
