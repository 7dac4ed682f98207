//! systemd, through its command line.

use std::collections::BTreeMap;
use std::process::{Command, ExitCode, Stdio};

use crate::failure::{Failure, Outcome};

use super::unit::NAME;

/// The `systemctl` of a user or of the system.
pub(super) struct Systemctl {
    pub(super) is_of_user: bool,
}

impl Systemctl {
    /// Formats the command as it would be typed.
    pub(super) fn line(&self, words: &[&str]) -> String {
        let user = if self.is_of_user { " --user" } else { "" };
        format!("systemctl{user} {}", words.join(" "))
    }

    /// Fails with a hint if systemd is missing.
    pub(super) fn check_is_there(&self) -> Result<(), Failure> {
        let asked = Command::new("systemctl").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        match asked {
            Ok(status) if status.success() => Ok(()),
            _ => Err(Failure::new("systemd is not available: cannot run `systemctl`").hint(
                "`openclaw telephony service install --dry-run` prints the unit; with a different service manager, \
                run `openclaw gateway`, which stops on SIGTERM and rereads the configuration on SIGHUP",
            )),
        }
    }

    pub(super) fn run(&self, words: &[&str]) -> Result<(), Failure> {
        let status = self.command(words).status();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(Failure::new(format!("`{}` failed with {status}", self.line(words)))
                .hint(format!("`journalctl{} -u {NAME}` may say why", if self.is_of_user { " --user" } else { "" }))),
            Err(error) => Err(Failure::new(format!("cannot run `{}`: {error}", self.line(words)))),
        }
    }

    /// Shows systemd's status page; its exit code reports whether the service is running.
    pub(super) fn show_status(&self) -> Outcome {
        let status = self.command(&["status", "--no-pager", NAME]).status()?;
        Ok(ExitCode::from(if status.success() { 0 } else { 1 }))
    }

    /// Returns the requested properties of the service.
    pub(super) fn properties(&self, names: &[&str]) -> Result<BTreeMap<String, String>, Failure> {
        let output = self.command(&["show", NAME, &format!("--property={}", names.join(","))]).output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(Failure::new(format!(
                "`{}` failed with {}: {said}",
                self.line(&["show", NAME]),
                output.status
            )));
        }
        let lines = String::from_utf8_lossy(&output.stdout).into_owned();
        let pairs = lines.lines().filter_map(|line| line.split_once('='));
        Ok(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("systemctl");
        command.args(self.is_of_user.then_some("--user")).args(words).stdin(Stdio::null());
        command
    }
}
