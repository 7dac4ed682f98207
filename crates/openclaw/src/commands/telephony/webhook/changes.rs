//! Changes at the provider, shown before they are made.

use std::process::ExitCode;

use clap::Args;
use telephony_gateway::routing::{Plan, RoutingError};
use telephony_providers::route::Diversion;

use crate::failure::{Failure, Outcome};
use crate::terminal;

/// Whether to go on after the changes were shown.
#[derive(Debug, Args)]
pub struct Consent {
    /// Show what would be changed, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Change without asking
    #[arg(long, short)]
    pub yes: bool,
}

impl Consent {
    /// Whether the changes of `plan`, which were shown, are to be made.
    pub fn is_given(&self, plan: &Plan) -> Result<bool, Failure> {
        if plan.changes.is_empty() || self.dry_run {
            return Ok(false);
        }
        self.asked("Make these changes at Twilio?")
    }

    /// The answer to a question that `--yes` answers too.
    pub fn asked(&self, question: &str) -> Result<bool, Failure> {
        if self.yes {
            return Ok(true);
        }
        match terminal::confirm(question) {
            Some(answer) => Ok(answer),
            None => Err(Failure::new("nothing was changed: there is no terminal to ask at")
                .hint("pass --yes to change without being asked, or --dry-run to only look")),
        }
    }
}

/// Shows what is to be changed and what is not, as data.
pub fn show(plan: &Plan) {
    lines(plan).iter().for_each(terminal::print);
    tell_rest(plan);
}

/// Tells what is to be changed and what is not, beside other data.
pub fn tell(plan: &Plan) {
    lines(plan).iter().for_each(terminal::say);
    tell_rest(plan);
}

fn lines(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    for changes in plan.changes.chunk_by(|a, b| a.route == b.route) {
        lines.push(format!("{} ({})", changes[0].address, changes[0].route));
        for change in changes {
            lines.push(format!("  {}", change.name));
            lines.push(format!("  - {}", shown(&change.before)));
            lines.push(format!("  + {}", shown(&change.after)));
        }
    }
    lines
}

fn tell_rest(plan: &Plan) {
    for left in &plan.left {
        terminal::say(format!("{}: {} stays {}: {}", left.address, left.name, shown(&left.value), left.why));
    }
    for route in &plan.routes {
        for diversion in route.diversions.iter().filter(|diversion| is_trouble(diversion)) {
            terminal::say(format!("{}: {diversion}", route.address));
        }
    }
}

/// Says so when an address is not the account's, and ends with that.
pub fn outcome(plan: &Plan) -> Outcome {
    if plan.missing.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    Err(Failure::new(format!("the account does not have {}", plan.missing.join(" and ")))
        .hint("check fromNumber, twilio.messagingServiceSid and the account; nothing of others is ever changed"))
}

/// What keeps the settings of a route from counting, unless it is our own service, which has settings of its own.
pub fn is_trouble(diversion: &Diversion) -> bool {
    !matches!(diversion, Diversion::Service { is_ours: true, .. } | Diversion::Nowhere)
}

/// A value, where an empty one is to be seen.
pub fn shown(value: &str) -> String {
    if value.is_empty() { "(not set)".to_owned() } else { value.to_owned() }
}

/// The provider's own words and hint, in place of a cause behind a general sentence.
pub fn failed(error: RoutingError) -> Failure {
    match error {
        RoutingError::Provider(error) => error.into(),
        RoutingError::Store(error) => error.into(),
    }
}
