//! `openclaw telephony service status`: shows the state of the service.

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::ScopeArgs;
use crate::failure::{Failure, Outcome};
use crate::terminal;

/// Show the state of the service
#[derive(Debug, Args)]
pub struct ServiceStatusArgs {
    #[command(flatten)]
    scope: ScopeArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Properties to request from systemd, by its names.
const PROPERTIES: [&str; 6] = ["ActiveState", "SubState", "UnitFileState", "MainPID", "NRestarts", "Result"];

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct ServiceStatus {
    installed: bool,
    file: String,
    /// `active`, `failed`, `inactive`, …
    active_state: Option<String>,
    /// `running`, `auto-restart`, …
    sub_state: Option<String>,
    /// Start at boot: `enabled`, `disabled`, …
    unit_file_state: Option<String>,
    pid: Option<u32>,
    /// Number of restarts by systemd.
    restarts: Option<u32>,
    /// Result of the last run: `success`, `exit-code`, `watchdog`, …
    result: Option<String>,
}

impl ServiceStatusArgs {
    /// Shows the state; the exit code is 0 if the service is running.
    pub fn run(self) -> Outcome {
        let (systemctl, file) = (self.scope.systemctl(), self.scope.file());
        systemctl.check_is_there()?;
        let report =
            ServiceStatus { installed: file.exists(), file: file.display().to_string(), ..ServiceStatus::default() };
        if !self.json && report.installed {
            return systemctl.show_status();
        }
        if !self.json {
            terminal::print(format!("Not installed: {} does not exist.", report.file));
            return Ok(ExitCode::FAILURE);
        }
        let report = if report.installed { self.ask(report)? } else { report };
        terminal::print_json(&report)?;
        let runs = report.active_state.as_deref() == Some("active");
        Ok(if runs { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn ask(&self, report: ServiceStatus) -> Result<ServiceStatus, Failure> {
        let properties = self.scope.systemctl().properties(&PROPERTIES)?;
        let text = |name: &str| properties.get(name).filter(|value| !value.is_empty()).cloned();
        let number = |name: &str| text(name)?.parse().ok();
        Ok(ServiceStatus {
            active_state: text("ActiveState"),
            sub_state: text("SubState"),
            unit_file_state: text("UnitFileState"),
            pid: number("MainPID").filter(|pid| *pid != 0),
            restarts: number("NRestarts"),
            result: text("Result"),
            ..report
        })
    }
}
