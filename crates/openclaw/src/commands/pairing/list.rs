//! `openclaw pairing list telephony`

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use telephony_store::contacts::{ApprovedContact, PairingRequest};

use crate::assemble::Channel;
use crate::config_arg::ConfigArg;
use crate::failure::Outcome;
use crate::terminal::{self, Table};
use crate::time_format::Time;

/// List pairing requests
#[derive(Debug, Args)]
pub struct List {
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

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    code: String,
    number: String,
    requested_at: Time,
    expires_at: Time,
    kept_messages: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Approval {
    number: String,
    approved_at: Time,
}

impl List {
    pub fn run(self, config_arg: &ConfigArg) -> Outcome {
        Channel::look(config_arg)?.block_on(async |channel| {
            if self.approved {
                self.show_approved(channel.store.approved_contacts().await?)
            } else {
                let now = channel.now();
                self.show_requests(channel.store.pairing_requests(now).await?)
            }
        })
    }

    fn show_requests(&self, requests: Vec<PairingRequest>) -> Outcome {
        let requests: Vec<Request> = requests.into_iter().map(Request::from).collect();
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
                    request.requested_at.to_string(),
                    request.expires_at.to_string(),
                    kept,
                ]);
            }
            table.print();
        }
        Ok(ExitCode::SUCCESS)
    }

    fn show_approved(&self, approved: Vec<ApprovedContact>) -> Outcome {
        let approved: Vec<Approval> = approved.into_iter().map(Approval::from).collect();
        if self.json {
            terminal::print_json(&approved)?;
        } else if approved.is_empty() {
            terminal::say("No approved contacts.");
        } else {
            let mut table = Table::new(["Phone number", "Approved"]);
            for approval in approved {
                table.row([approval.number, approval.approved_at.to_string()]);
            }
            table.print();
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl From<PairingRequest> for Request {
    fn from(request: PairingRequest) -> Self {
        Self {
            code: request.code.to_string(),
            number: request.contact.to_string(),
            requested_at: Time(request.requested),
            expires_at: Time(request.expires),
            kept_messages: request.kept,
        }
    }
}

impl From<ApprovedContact> for Approval {
    fn from(approved: ApprovedContact) -> Self {
        Self { number: approved.contact.to_string(), approved_at: Time(approved.approved) }
    }
}
