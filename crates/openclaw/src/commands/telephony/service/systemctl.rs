//! systemd, as it is asked on the command line.

use std::process::{Command, ExitCode, Stdio};

use crate::failure::{Failure, Outcome};

use super::unit::NAME;

/// The `systemctl` of a user, or of the machine.
pub(super) struct Systemctl {
    pub(super) is_of_user: bool,
}

impl Systemctl {
    /// What would be typed.
    pub(super) fn line(&self, words: &[&str]) -> String {
        let user = if self.is_of_user { " --user" } else { "" };
        format!("systemctl{user} {}", words.join(" "))
    }

    /// Fails with a hint where there is no systemd.
    pub(super) fn check_is_there(&self) -> Result<(), Failure> {
        let asked = Command::new("systemctl").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        match asked {
            Ok(status) if status.success() => Ok(()),
            _ => Err(Failure::new("there is no systemd here: `systemctl` cannot be run").hint(
                "`openclaw telephony service install --dry-run` prints the unit; elsewhere, have your service manager run \
                 `openclaw gateway`, which stops at SIGTERM and reads the configuration anew at SIGHUP",
            )),
        }
    }

    /// Has it done.
    pub(super) fn run(&self, words: &[&str]) -> Result<(), Failure> {
        let status = self.command(words).status();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(Failure::new(format!("`{}` ended with {status}", self.line(words)))
                .hint(format!("`journalctl{} -u {NAME}` may say why", if self.is_of_user { " --user" } else { "" }))),
            Err(error) => Err(Failure::new(format!("cannot run `{}`: {error}", self.line(words)))),
        }
    }

    /// Shows systemd's own page; its exit code says whether the service runs.
    pub(super) fn show_status(&self) -> Outcome {
        let status = self.command(&["status", "--no-pager", NAME]).status()?;
        Ok(ExitCode::from(if status.success() { 0 } else { 1 }))
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("systemctl");
        command.args(self.is_of_user.then_some("--user")).args(words).stdin(Stdio::null());
        command
    }
}
