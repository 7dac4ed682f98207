//! `openclaw telephony config show`

use std::process::ExitCode;

use clap::Args;

use crate::assemble;
use crate::config_arg::ConfigArg;
use crate::failure::Outcome;
use crate::terminal::{self, Table};

/// Show every key with its value and where it comes from; secrets are masked
#[derive(Debug, Args)]
pub struct ShowConfigArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl ShowConfigArgs {
    pub fn run(self, config_arg: &ConfigArg) -> Outcome {
        let keys = assemble::configuration(config_arg)?.show();
        if self.json {
            terminal::print_json(&keys)?;
            return Ok(ExitCode::SUCCESS);
        }
        let mut table = Table::new(["Key", "Value", "From"]);
        for key in keys {
            let value = key.value.map_or_else(|| "-".to_owned(), |value| value.to_string());
            table.row([key.path, value, key.origin.to_string()]);
        }
        table.print();
        Ok(ExitCode::SUCCESS)
    }
}
