//! Shows changes at the provider and asks before they are made.

use std::process::ExitCode;

use clap::Args;
use telephony_gateway::routing::{RoutingError, RoutingPlan};

use crate::failure::{Failure, Outcome};
use crate::terminal;

/// Options that replace the question.
#[derive(Debug, Args)]
pub struct ConfirmationArgs {
    /// Show the changes without making them
    #[arg(long)]
    pub dry_run: bool,
    /// Make the changes without asking
    #[arg(long, short)]
    pub yes: bool,
}

impl ConfirmationArgs {
    /// Returns true if the changes of `plan`, already shown, shall be made.
    pub fn is_given(&self, plan: &RoutingPlan) -> Result<bool, Failure> {
        if plan.changes.is_empty() || self.dry_run {
            return Ok(false);
        }
        self.asked("Make these changes at Twilio?")
    }

    /// Asks a question that `--yes` answers too.
    pub fn asked(&self, question: &str) -> Result<bool, Failure> {
        if self.yes {
            return Ok(true);
        }
        match terminal::confirm(question) {
            Some(answer) => Ok(answer),
            None => Err(Failure::new("nothing was changed: it needs your confirmation, and stdin is not a terminal")
                .hint("pass --yes to make the changes without asking, or --dry-run to only show them")),
        }
    }
}

/// Prints the plan to stdout, as data.
pub fn show(plan: &RoutingPlan) {
    lines(plan).iter().for_each(terminal::print);
    print_rest(plan);
}

/// Prints the plan to stderr, beside other data.
pub fn print(plan: &RoutingPlan) {
    lines(plan).iter().for_each(terminal::say);
    print_rest(plan);
}

fn lines(plan: &RoutingPlan) -> Vec<String> {
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

fn print_rest(plan: &RoutingPlan) {
    for left in &plan.left {
        terminal::say(format!("{}: {} stays {}: {}", left.address, left.name, shown(&left.value), left.why));
    }
    for route in &plan.routes {
        for diversion in route.diversions.iter().filter(|diversion| diversion.is_trouble()) {
            terminal::say(format!("{}: {diversion}", route.address));
        }
    }
}

/// Fails if an address does not belong to the account.
pub fn outcome(plan: &RoutingPlan) -> Outcome {
    if plan.missing.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    Err(Failure::new(format!("the account does not have {}", plan.missing.join(" and "))).hint(
        "check fromNumber, twilio.messagingServiceSid and the account; settings of other accounts are never \
            changed",
    ))
}

/// Formats a value so that an empty one is visible.
pub fn shown(value: &str) -> String {
    if value.is_empty() { "(not set)".to_owned() } else { value.to_owned() }
}

/// Reports the provider's own error and hint instead of a general sentence with a cause.
pub fn failed(error: RoutingError) -> Failure {
    match error {
        RoutingError::Provider(error) => error.into(),
        RoutingError::Store(error) => error.into(),
    }
}
