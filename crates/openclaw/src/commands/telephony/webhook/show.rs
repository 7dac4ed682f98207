//! `openclaw telephony webhook show`: shows where Twilio delivers messages and calls, and where it should.

use std::process::ExitCode;

use clap::Args;
use telephony_gateway::views::route::{RouteSettingView, RoutesView};

use super::changes::shown;
use crate::assemble::Channel;
use crate::config_arg::ConfigArg;
use crate::failure::{Failure, Outcome};
use crate::{public_url, terminal};

/// Show where Twilio delivers messages and calls, and where it should
#[derive(Debug, Args)]
pub struct ShowWebhookArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl ShowWebhookArgs {
    pub fn run(self, config_arg: &ConfigArg) -> Outcome {
        Channel::look(config_arg)?.block_on(async |channel| {
            let view = read(channel).await?;
            if self.json {
                terminal::print_json(&view)?
            } else {
                print(&view)
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

async fn read(channel: &Channel) -> Result<RoutesView, Failure> {
    let sender = channel.sender();
    let callbacks = public_url::public_url(&channel.loaded, None).await?.map(|url| public_url::callbacks(&url));
    let routes = channel.provider.routes(&sender, callbacks.as_ref()).await?;
    let ours = sender.receiving().map(ToString::to_string).into_iter().chain(sender.messaging_service.clone());
    Ok(RoutesView::of(routes, ours, callbacks))
}

fn print(view: &RoutesView) {
    for route in &view.routes {
        terminal::print(format!("{} ({})", route.address, route.sid));
        for RouteSettingView { name, value, wanted } in &route.settings {
            terminal::print(format!("  {name:26}{}", shown(value)));
            if let Some(wanted) = wanted.as_ref().filter(|wanted| *wanted != value) {
                terminal::print(format!("  {:26}{wanted}", "  should be"));
            }
        }
        for text in &route.overrides {
            terminal::print(format!("  Attention: {text}"));
        }
    }
    for address in &view.missing {
        terminal::print(format!("Attention: the account does not have {address}"));
    }
    if view.webhook_url.is_none() {
        terminal::say("There is no publicUrl and no running tunnel, so the right URLs are not known.");
    }
}
