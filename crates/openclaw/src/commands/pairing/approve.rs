//! `openclaw pairing approve telephony <code or number>`

use std::process::ExitCode;

use clap::Args;
use telephony_domain::pairing::APPROVAL_TEXT;
use telephony_gateway::views::people::ApprovalView;
use telephony_store::StoreError;
use telephony_store::contacts::{Approved, Who};
use telephony_store::outbox::{PartProgress, PartState};

use crate::assemble::Channel;
use crate::config_arg::ConfigArg;
use crate::deliver;
use crate::failure::{Failure, Outcome};
use crate::part;
use crate::plural::counted;
use crate::terminal;

const EXAMPLE: &str = "Example: openclaw pairing approve telephony ABCD2345";

/// Let a contact talk to the assistant
#[derive(Debug, Args)]
#[command(after_help = terminal::program().in_text(EXAMPLE).into_owned())]
#[command(allow_missing_positional = true)]
pub struct ApproveArgs {
    /// Channel; can be omitted, because there is only `telephony`
    #[arg(value_parser = super::channel)]
    channel: Option<String>,
    /// Pairing code or phone number of the contact
    #[arg(value_name = "CODE OR NUMBER", value_parser = super::who)]
    who: Who,
    /// Accepted for compatibility with OpenClaw; the approval SMS is always sent
    #[arg(long, hide = true)]
    notify: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl ApproveArgs {
    /// Approves the contact and sends the approval SMS.
    pub fn run(self, config_arg: &ConfigArg) -> Outcome {
        Channel::open(config_arg)?.block_on(async |channel| {
            let line = channel.line().await?;
            let parts = channel.parts(APPROVAL_TEXT);
            let approved = channel.store.approve(self.who.clone(), parts, Some(line), channel.now()).await;
            let approved = approved.map_err(|error| unknown_code(error, &self.who))?;
            let notice = self.notify(channel, &approved).await?;
            self.show(&approved, notice)
        })
    }

    /// Sends the approval SMS, if there is one. A failure to send it does not undo the approval.
    async fn notify(&self, channel: &Channel, approved: &Approved) -> Result<Option<PartProgress>, Failure> {
        let Some(message) = approved.message else {
            channel.notify_gateway().await;
            return Ok(None);
        };
        let progress = deliver::hand_over(channel, message, channel.now()).await?;
        let part = progress.parts.into_iter().next();
        if let Some(part) = part.as_ref().filter(|part| part.state != PartState::Sent) {
            let reason = part.reason.as_deref().unwrap_or("the gateway sends it later");
            terminal::say(format!("The approval SMS has not been sent yet: {reason}"));
        }
        Ok(part)
    }

    fn show(&self, approved: &Approved, notice: Option<PartProgress>) -> Outcome {
        let view = ApprovalView::of(approved, notice.as_ref());
        if self.json {
            terminal::print_json(&view)?;
        } else if view.was_approved {
            terminal::print(format!("{} was already approved.", view.number));
        } else {
            terminal::print(format!("Approved telephony sender {}.", view.number));
        }
        if let (false, Some(sent)) = (self.json, notice.as_ref().and_then(part::sent_line)) {
            terminal::print(sent);
        }
        if view.has_opted_out {
            terminal::say(
                "They have opted out (STOP), so they got no approval SMS and get no answers until they text START.",
            );
        } else if !self.json && view.released_messages > 0 {
            terminal::say(format!("{} will be answered now.", counted(view.released_messages, "kept message")));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Explains a code or number that has no pairing request.
pub(super) fn unknown_code(error: StoreError, who: &Who) -> Failure {
    match (error, who) {
        (StoreError::NotFound(_), Who::Code(code)) => Failure::new(format!(
            "no pending pairing request has the code {}",
            code.as_str()
        ))
        .hint(
            "codes are valid for 60 minutes; see `openclaw pairing list telephony`, or approve the phone number itself",
        ),
        (StoreError::NotFound(_), Who::Number(number)) => {
            Failure::new(format!("{number} has no pairing request and is not approved"))
                .hint("add --block to block the number")
        }
        (error, _) => error.into(),
    }
}
