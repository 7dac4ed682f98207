//! Runs the `tailscale` program.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use telephony_config::Environment;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

use super::{Tailscale, trouble};
use crate::tunnel::{Cause, TunnelError};

/// Time limit. The program waits for the operator if something is not enabled yet; we do not.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Largest output that is read (bytes); a configuration with hundreds of paths is smaller.
const MAX_OUTPUT: u64 = 1024 * 1024;

/// Path of Tailscale's program on a Mac that has the app and no link to it.
const MAC_APP: &str = "/Applications/Tailscale.app/Contents/MacOS/Tailscale";

/// The result of running the program.
pub(super) struct ProgramResult {
    stdout: String,
    stderr: String,
    is_success: bool,
}

/// Returns the program in the first folder of `PATH` that has it.
pub(super) fn find(environment: &Environment) -> PathBuf {
    let folders = environment.get("PATH").map(std::env::split_paths).into_iter().flatten();
    let candidates = folders.map(|folder| folder.join("tailscale")).chain([PathBuf::from(MAC_APP)]);
    candidates.into_iter().find(|file| file.is_file()).unwrap_or_else(|| Path::new("tailscale").to_owned())
}

impl Tailscale {
    /// Runs it with `arguments`. If it takes too long, it is killed, and the error has its output so far.
    pub(super) async fn run(&self, arguments: &[&str]) -> Result<ProgramResult, TunnelError> {
        let mut command = Command::new(&self.program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => TunnelError::new(Cause::NotInstalled, "there is no `tailscale` program"),
            _ => TunnelError::new(Cause::Other, format!("{}: {error}", self.program.display())),
        })?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let work = async {
            tokio::join!(read(out, &mut stdout), read(err, &mut stderr));
            child.wait().await
        };
        let ended = tokio::time::timeout(TIMEOUT, work).await;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut ran = ProgramResult { stdout: text(&stdout), stderr: text(&stderr), is_success: false };
        match ended {
            Ok(Ok(status)) => ran.is_success = status.success(),
            Ok(Err(error)) => return Err(TunnelError::new(Cause::Other, error)),
            Err(_) if ran.said().is_empty() => {
                return Err(TunnelError::new(Cause::NotRunning, "it did not answer within 20 s"));
            }
            Err(_) => {}
        }
        Ok(ran)
    }
}

impl ProgramResult {
    /// Returns its output, if it succeeded.
    pub(super) fn succeeded(self) -> Result<String, TunnelError> {
        if self.is_success { Ok(self.stdout) } else { Err(trouble::of(&self.said())) }
    }

    fn said(&self) -> String {
        format!("{}\n{}", self.stderr, self.stdout).trim().to_owned()
    }
}

async fn read(pipe: Option<impl AsyncRead + Unpin>, into: &mut Vec<u8>) {
    if let Some(pipe) = pipe {
        pipe.take(MAX_OUTPUT).read_to_end(into).await.ok();
    }
}
