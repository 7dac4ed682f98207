//! `openclaw telephony segments`: shows a text's encoding, segments and cost without sending it.

use std::process::ExitCode;

use clap::Args;
use telephony_domain::number::PhoneNumber;
use telephony_domain::sms::segment;
use telephony_gateway::views::plan::SegmentsView;

use crate::config_arg::ConfigArg;
use crate::estimate;
use crate::failure::Outcome;
use crate::number;
use crate::plural::counted;
use crate::terminal;

const EXAMPLE: &str = "Example: openclaw telephony segments \"See you at eight\" --to +15550005678";

/// Show how a text is encoded, its segments and its cost
#[derive(Debug, Args)]
#[command(after_help = terminal::program().in_text(EXAMPLE).into_owned())]
pub struct SegmentsArgs {
    /// Text, or `-` to read it from stdin
    #[arg(default_value = "-", hide_default_value = true, allow_hyphen_values = true)]
    text: String,
    /// Estimate the cost of sending it to this number
    #[arg(long, value_name = "NUMBER", value_parser = number::phone)]
    to: Option<PhoneNumber>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl SegmentsArgs {
    pub fn run(self, config_arg: &ConfigArg) -> Outcome {
        let text = terminal::text_argument(&self.text)?;
        let estimate = match &self.to {
            None => None,
            Some(to) => Some(estimate::of_message(config_arg, to, false, segment::count(&text).segments)?),
        };
        let shown = SegmentsView::of(&text, estimate);
        if self.json {
            terminal::print_json(&shown)?;
        } else {
            terminal::print(format!(
                "{}, {}, {}",
                shown.encoding,
                counted(shown.segments, "segment"),
                counted(shown.units, "unit")
            ));
            shown.estimate.iter().map(estimate::in_words).for_each(terminal::print);
        }
        Ok(ExitCode::SUCCESS)
    }
}
