//! The gateway: the release binary, or the static one, with a configuration of its own, and how it is talked to.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tempfile::TempDir;

use crate::process::{Process, free_port};
use crate::webhook::{ACCOUNT, OUR_NUMBER, PUBLIC_URL, TOKEN};

/// The gateway's binary, and where its instances keep what they keep.
#[derive(Debug)]
pub struct Gateway {
    /// The binary.
    pub binary: PathBuf,
    states: PathBuf,
}

impl Gateway {
    /// The gateway in `binary`, else in the release binary, which is built first.
    ///
    /// Unless told otherwise, state is kept where we were built: that is on a disk, unlike many a temporary folder, so
    /// that a sync costs what it costs.
    pub fn find(binary: Option<&Path>, states: Option<&Path>) -> Result<Gateway> {
        let ours = std::env::current_exe()?;
        let folder = ours.parent().context("no folder")?;
        let binary = match binary {
            Some(binary) => binary.to_owned(),
            None => build(folder)?,
        };
        Ok(Gateway { binary, states: states.unwrap_or(folder).to_owned() })
    }

    /// The static binary of `dist/build`, where it was built beside this one.
    pub fn shipped(&self) -> Option<Gateway> {
        let target = self.binary.parent().and_then(Path::parent)?;
        let binary = target.join("static/openclaw");
        binary.exists().then(|| Gateway { binary, states: self.states.clone() })
    }

    /// An empty folder for the state of one gateway; removed when it is dropped.
    pub fn new_state(&self) -> Result<TempDir> {
        Ok(tempfile::Builder::new().prefix("bench-").tempdir_in(&self.states)?)
    }

    /// Starts the gateway, which echoes every text as fast as it can through the Twilio at `twilio`.
    pub fn start(&self, state: &TempDir, twilio: &str) -> Result<Process> {
        let port = free_port()?;
        let configuration = state.path().join("openclaw.json");
        fs::write(&configuration, configuration_of(twilio, port))?;
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

/// No merging, no pacing, no limits: each text is a turn and is answered at once.
fn configuration_of(twilio: &str, port: u16) -> String {
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
        "limits": {
            "segmentsPerReply": null, "segmentsPerContactPerDay": null, "segmentsPerDay": null,
            "strangerRepliesPerDay": null, "repliesPerContactPer30s": null,
        },
    });
    json!({ "channels": { "telephony": telephony } }).to_string()
}
