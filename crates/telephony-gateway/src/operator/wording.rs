//! What the operator reads in answer to an order.

use telephony_domain::message::PartDraft;
use telephony_domain::notice;
use telephony_domain::pairing::APPROVAL_TEXT;
use telephony_domain::program::ProgramName;
use telephony_domain::sms::parts;
use telephony_domain::sms::split::SplitRules;
use telephony_store::contacts::Approved;
use telephony_store::history::Summary;
use telephony_store::notices::Given;
use telephony_store::operator_commands::{CommandOutcome, Wording};

/// The words, cut into parts by these rules.
pub(super) struct Words {
    pub(super) split: SplitRules,
    pub(super) program: ProgramName,
}

impl Wording for Words {
    fn approval(&self) -> Vec<PartDraft> {
        parts::of(APPROVAL_TEXT, &self.split)
    }

    fn answer(&self, outcome: &CommandOutcome) -> Vec<PartDraft> {
        parts::of(&self.program.in_text(&answer(outcome)), &self.split)
    }
}

fn answer(outcome: &CommandOutcome) -> String {
    match outcome {
        CommandOutcome::Approved(approved) => approval(approved),
        CommandOutcome::Rejected { contact, block: false } => format!("Rejected {contact}."),
        CommandOutcome::Rejected { contact, block: true } => {
            format!("Blocked {contact}. APPROVE {contact} ends the block.")
        }
        CommandOutcome::UnknownCode => "No request has this code. Codes work for 60 minutes.".to_owned(),
        CommandOutcome::TooManyGuesses => {
            "Too many wrong codes. Name the phone number, wait an hour, or use: openclaw pairing approve telephony"
                .to_owned()
        }
        CommandOutcome::NothingToEnd(contact) => {
            format!("{contact} has neither asked nor been approved. REJECT {contact} BLOCK refuses the number.")
        }
        CommandOutcome::QueueFull => "Not done: too many messages wait to be sent. Try again later.".to_owned(),
        CommandOutcome::Status(summary, notices) => status(summary, notices),
        CommandOutcome::Unreadable => {
            "I know: APPROVE <code or number>, REJECT <code or number>, REJECT <code or number> BLOCK, STATUS. \
             Everything else goes to the assistant."
                .to_owned()
        }
    }
}

fn approval(approved: &Approved) -> String {
    let contact = &approved.contact;
    if approved.was_approved {
        format!("{contact} was approved already. REJECT {contact} ends it.")
    } else if approved.is_opted_out {
        format!("Approved {contact}, who said STOP and hears nothing until they text START. REJECT {contact} ends it.")
    } else {
        format!("Approved {contact}. REJECT {contact} ends it.")
    }
}

fn status(summary: &Summary, notices: &[Given]) -> String {
    let failing = summary.retrying + summary.parked + summary.dead;
    let counts = format!(
        "Running. Today {} received, {} sent, {} failed. Now {} wait for an answer, {failing} could not be answered, {} wait \
         to be sent, {} in doubt. Requests to be let in: {}.",
        summary.received_today,
        summary.sent_today,
        summary.failed_today,
        summary.waiting + summary.answering,
        summary.queued + summary.sending,
        summary.unknown,
        summary.pairing_requests,
    );
    let texts: Vec<&str> =
        [counts.as_str()].into_iter().chain(notices.iter().map(|given| given.text.as_str())).collect();
    notice::join(&texts)
}
