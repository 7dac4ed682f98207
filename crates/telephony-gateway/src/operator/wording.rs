//! Answers to the operator's commands.

use telephony_domain::message::PartDraft;
use telephony_domain::notice::sms;
use telephony_domain::pairing::APPROVAL_TEXT;
use telephony_domain::program::ProgramName;
use telephony_domain::sms::parts;
use telephony_domain::sms::split::SplitRules;
use telephony_store::contacts::Approved;
use telephony_store::history::WorkSummary;
use telephony_store::notices::RaisedNotice;
use telephony_store::operator_commands::{CommandOutcome, Wording};

/// Writes answers and splits them by these rules.
pub(super) struct ReplyWriter {
    pub(super) split: SplitRules,
    pub(super) program: ProgramName,
    /// The provider's name in texts.
    pub(super) company: &'static str,
}

impl Wording for ReplyWriter {
    fn approval(&self) -> Vec<PartDraft> {
        parts::of(APPROVAL_TEXT, &self.split)
    }

    fn answer(&self, outcome: &CommandOutcome) -> Vec<PartDraft> {
        parts::of(&self.program.in_text(&answer(outcome, self.company)), &self.split)
    }
}

fn answer(outcome: &CommandOutcome, company: &str) -> String {
    match outcome {
        CommandOutcome::Approved(approved) => approval(approved),
        CommandOutcome::Rejected { contact, block: false } => format!("Rejected {contact}."),
        CommandOutcome::Rejected { contact, block: true } => {
            format!("Blocked {contact}. APPROVE {contact} ends the block.")
        }
        CommandOutcome::UnknownCode => "No request has this code. Codes work for 60 minutes.".to_owned(),
        CommandOutcome::TooManyGuesses => {
            "Too many wrong codes. Send the phone number instead, wait an hour, or use: openclaw pairing approve \
            telephony"
                .to_owned()
        }
        CommandOutcome::NothingToEnd(contact) => {
            format!("{contact} has no pairing request and is not approved. REJECT {contact} BLOCK blocks the number.")
        }
        CommandOutcome::QueueFull => "Not done: too many messages are waiting to be sent. Try again later.".to_owned(),
        CommandOutcome::Status(summary, notices) => status(summary, notices, company),
        CommandOutcome::Unreadable => {
            "Commands: APPROVE <code or number>, REJECT <code or number>, REJECT <code or number> BLOCK, STATUS. \
            Everything else goes to the assistant."
                .to_owned()
        }
    }
}

fn approval(approved: &Approved) -> String {
    let contact = &approved.contact;
    if approved.was_approved {
        format!("{contact} was already approved. REJECT {contact} ends it.")
    } else if approved.is_opted_out {
        format!(
            "Approved {contact}, who has opted out (STOP) and gets nothing until they text START. REJECT \
            {contact} ends it."
        )
    } else {
        format!("Approved {contact}. REJECT {contact} ends it.")
    }
}

fn status(summary: &WorkSummary, notices: &[RaisedNotice], company: &str) -> String {
    let failing = summary.retrying + summary.parked + summary.dead;
    let counts = format!(
        "Running. Today {} received, {} sent, {} failed. Now {} waiting for an answer, {failing} not answerable, {} \
        waiting to be sent, {} in doubt. Pairing requests: {}.",
        summary.received_today,
        summary.sent_today,
        summary.failed_today,
        summary.waiting + summary.answering,
        summary.queued + summary.sending,
        summary.unknown,
        summary.pairing_requests,
    );
    let texts: Vec<String> = [counts].into_iter().chain(notices.iter().map(|notice| notice.text(company))).collect();
    sms::join(&texts)
}
