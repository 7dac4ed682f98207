//! `openclaw telephony webhook show`: shows where Twilio delivers messages and calls, and where it should.

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use telephony_providers::route::{Route, Setting};

use super::changes::{is_trouble, shown};
use crate::assemble::Channel;
use crate::config_arg::ConfigArg;
use crate::failure::{Failure, Outcome};
use crate::{public_url, terminal};

/// Show where Twilio delivers messages and calls, and where it should
#[derive(Debug, Args)]
pub struct Show {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    webhook_url: Option<String>,
    routes: Vec<Shown>,
    missing: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    address: String,
    sid: String,
    settings: Vec<Row>,
    overrides: Vec<String>,
}

#[derive(Serialize)]
struct Row {
    name: &'static str,
    value: String,
    wanted: Option<String>,
}

impl Show {
    pub fn run(self, config_arg: &ConfigArg) -> Outcome {
        Channel::look(config_arg)?.block_on(async |channel| {
            let report = read(channel).await?;
            if self.json {
                terminal::print_json(&report)?
            } else {
                report.print()
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

async fn read(channel: &Channel) -> Result<Report, Failure> {
    let sender = channel.sender();
    let callbacks = public_url::public_url(&channel.loaded, None).await?.map(|url| public_url::callbacks(&url));
    let routes = channel.provider.routes(&sender, callbacks.as_ref()).await?;
    let ours = sender.receiving().map(ToString::to_string).into_iter().chain(sender.messaging_service.clone());
    Ok(Report {
        missing: ours.filter(|address| !routes.iter().any(|route| route.address == *address)).collect(),
        webhook_url: callbacks.map(|callbacks| callbacks.webhook),
        routes: routes.into_iter().map(shown_route).collect(),
    })
}

fn shown_route(route: Route) -> Shown {
    let Route { id, address, settings, diversions } = route;
    let row = |setting: Setting| Row { name: setting.name, value: setting.value, wanted: setting.wanted };
    let overrides = diversions.iter().filter(|diversion| is_trouble(diversion)).map(ToString::to_string);
    Shown { address, sid: id, overrides: overrides.collect(), settings: settings.into_iter().map(row).collect() }
}

impl Report {
    fn print(&self) {
        for route in &self.routes {
            terminal::print(format!("{} ({})", route.address, route.sid));
            for Row { name, value, wanted } in &route.settings {
                terminal::print(format!("  {name:26}{}", shown(value)));
                if let Some(wanted) = wanted.as_ref().filter(|wanted| *wanted != value) {
                    terminal::print(format!("  {:26}{wanted}", "  should be"));
                }
            }
            for text in &route.overrides {
                terminal::print(format!("  Attention: {text}"));
            }
        }
        for address in &self.missing {
            terminal::print(format!("Attention: the account does not have {address}"));
        }
        if self.webhook_url.is_none() {
            terminal::say("There is no publicUrl and no running tunnel, so the right URLs are not known.");
        }
    }
}
