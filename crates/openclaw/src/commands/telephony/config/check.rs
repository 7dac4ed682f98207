//! `openclaw telephony config check`

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use telephony_config::{Problem, load};

use crate::assemble::environment;
use crate::config_arg::ConfigArg;
use crate::failure::Outcome;
use crate::terminal;

/// Report every problem in the configuration
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ConfigReport {
    ok: bool,
    files: Vec<String>,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl CheckArgs {
    /// Checks the configuration. Warnings alone do not make it fail.
    pub fn run(self, config_arg: &ConfigArg) -> Outcome {
        let report = match load(&environment(), config_arg.config.as_deref()) {
            Ok(loaded) => ConfigReport {
                ok: true,
                files: loaded.sources.iter().map(|file| file.display().to_string()).collect(),
                problems: Vec::new(),
                warnings: loaded.warnings,
            },
            Err(problems) => ConfigReport {
                ok: false,
                files: Vec::new(),
                problems: problems.iter().cloned().collect(),
                warnings: Vec::new(),
            },
        };
        if self.json {
            terminal::print_json_ours(&report)?
        } else {
            show(&report)
        }
        Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn show(report: &ConfigReport) {
    for problem in &report.problems {
        terminal::say(format!("error: {}", problem.in_full()));
    }
    for warning in &report.warnings {
        terminal::say(format!("warning: {}", warning.in_full()));
    }
    if report.ok {
        terminal::print(format!("The configuration is usable: {}", report.files.join(", ")));
    }
}
