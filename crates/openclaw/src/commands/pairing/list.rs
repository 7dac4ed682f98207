//! `openclaw pairing list telephony`

use std::process::ExitCode;

use clap::Args;
use telephony_gateway::views::people::{ApprovedContactView, PairingRequestView};
use telephony_store::contacts::{ApprovedContact, PairingRequest};

use crate::assemble::Channel;
use crate::config_arg::ConfigArg;
use crate::failure::Outcome;
use crate::terminal::{self, Table};
use crate::time_format::Time;

const EXAMPLE: &str = "Example: openclaw pairing list telephony --approved";

/// List pairing requests
#[derive(Debug, Args)]
#[command(after_help = terminal::program().in_text(EXAMPLE).into_owned())]
pub struct ListArgs {
    /// Channel: telephony
    #[arg(default_value = "telephony", value_parser = super::channel)]
    channel: String,
    /// List approved contacts instead
    #[arg(long)]
    approved: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl ListArgs {
    pub fn run(self, config_arg: &ConfigArg) -> Outcome {
        Channel::look(config_arg)?.block_on(async |channel| {
            if self.approved {
                self.show_approved(&channel.store.approved_contacts().await?)
            } else {
                let now = channel.now();
                self.show_requests(&channel.store.pairing_requests(now).await?)
            }
        })
    }

    fn show_requests(&self, requests: &[PairingRequest]) -> Outcome {
        let requests: Vec<_> = requests.iter().map(PairingRequestView::of).collect();
        if self.json {
            terminal::print_json(&requests)?;
        } else if requests.is_empty() {
            terminal::say("No pending telephony pairing requests.");
        } else {
            let mut table = Table::new(["Code", "Phone number", "Requested", "Expires", "Kept"]);
            for request in requests {
                let kept = request.kept_messages.to_string();
                table.row([
                    request.code,
                    request.number,
                    Time(request.requested_at.0).to_string(),
                    Time(request.expires_at.0).to_string(),
                    kept,
                ]);
            }
            table.print();
        }
        Ok(ExitCode::SUCCESS)
    }

    fn show_approved(&self, approved: &[ApprovedContact]) -> Outcome {
        let approved: Vec<_> = approved.iter().map(ApprovedContactView::of).collect();
        if self.json {
            terminal::print_json(&approved)?;
        } else if approved.is_empty() {
            terminal::say("No approved contacts.");
        } else {
            let mut table = Table::new(["Phone number", "Approved"]);
            for approval in approved {
                table.row([approval.number, Time(approval.approved_at.0).to_string()]);
            }
            table.print();
        }
        Ok(ExitCode::SUCCESS)
    }
}
