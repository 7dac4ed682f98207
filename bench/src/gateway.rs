//! The gateway under test: the release or static binary with its own configuration, and requests to it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tempfile::TempDir;

use crate::process::{Process, free_port};
use crate::webhook::{ACCOUNT, OUR_NUMBER, PUBLIC_URL, TOKEN};

/// The gateway's binary and the folder for its state.
#[derive(Debug)]
pub struct Gateway {
    pub binary: PathBuf,
    states: PathBuf,
}

impl Gateway {
    /// The gateway in `binary`, or the release binary, which is built first.
    ///
    /// By default, state is kept in the build folder: unlike many temporary folders it is on a disk, so that a sync has
    /// its real cost.
    pub fn find(binary: Option<&Path>, states: Option<&Path>) -> Result<Gateway> {
        let ours = std::env::current_exe()?;
        let folder = ours.parent().context("no folder")?;
        let binary = match binary {
            Some(binary) => binary.to_owned(),
            None => build(folder)?,
        };
        Ok(Gateway { binary, states: states.unwrap_or(folder).to_owned() })
    }

    /// Returns the static binary of `dist/build`, if it was built.
    pub fn shipped(&self) -> Option<Gateway> {
        let target = self.binary.parent().and_then(Path::parent)?;
        let binary = target.join("static/openclaw");
        binary.exists().then(|| Gateway { binary, states: self.states.clone() })
    }

    /// Creates an empty state folder for one gateway, removed on drop.
    pub fn new_state(&self) -> Result<TempDir> {
        Ok(tempfile::Builder::new().prefix("bench-").tempdir_in(&self.states)?)
    }

    /// Starts the gateway with the echo agent and without rate limits, connected to the Twilio at `twilio`.
    pub fn start(&self, state: &TempDir, twilio: &str) -> Result<Process> {
        self.start_with(state, twilio, false)
    }

    /// Like [`Gateway::start`]; with `voice`, it answers calls.
    pub fn start_with(&self, state: &TempDir, twilio: &str, voice: bool) -> Result<Process> {
        let port = free_port()?;
        let configuration = state.path().join("openclaw.json");
        fs::write(&configuration, configuration_of(twilio, port, voice))?;
        let mut command = Command::new(&self.binary);
        command.arg("gateway").arg("--config").arg(&configuration).env_clear();
        command.env("OPENCLAW_STATE_DIR", state.path()).env("OPENCLAW_LOG", "warn").stdin(Stdio::null());
        Process::start(&mut command, port)
    }
}

fn build(folder: &Path) -> Result<PathBuf> {
    let cargo = option_env!("CARGO").unwrap_or("cargo");
    let built = Command::new(cargo).args(["build", "--release", "--quiet", "--package", "openclaw"]).status()?;
    ensure!(built.success(), "the binary cannot be built");
    Ok(folder.join("openclaw"))
}

/// No merging, no pacing, no limits: each text becomes a turn at once.
fn configuration_of(twilio: &str, port: u16, voice: bool) -> String {
    let telephony = json!({
        "enabled": true,
        "provider": "twilio",
        "fromNumber": OUR_NUMBER,
        "inboundPolicy": "open",
        "publicUrl": PUBLIC_URL,
        "twilio": { "accountSid": ACCOUNT, "authToken": TOKEN, "apiBaseUrl": twilio },
        "sms": { "coalesceMs": 0, "segmentsPerSecond": 100_000 },
        "serve": { "port": port },
        "agent": { "kind": "echo" },
        "voice": { "enabled": voice, "maxDurationSeconds": 86_400 },
        "maxConcurrentSessions": 10_000,
        "limits": {
            "segmentsPerReply": null, "segmentsPerContactPerDay": null, "segmentsPerDay": null,
            "strangerRepliesPerDay": null, "repliesPerContactPer30s": null,
        },
    });
    json!({ "channels": { "telephony": telephony } }).to_string()
}
