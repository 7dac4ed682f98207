//! The unit file, with which systemd starts, watches and confines the gateway.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::surroundings::Surroundings;
use crate::failure::Failure;

/// Name of the unit.
pub(super) const NAME: &str = "openclaw-telephony.service";

/// Restrictions for every service: no new privileges and no exotic kernel interfaces. They also apply to programs that
/// `agent.command` starts, so executable memory stays allowed (Node.js needs it).
const CONFINED: &str = "\
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
SystemCallFilter=@system-service
UMask=0077
";

/// Restrictions that only the system's systemd can apply.
const CONFINED_BY_SYSTEM: &str = "\
CapabilityBoundingSet=
PrivateTmp=yes
PrivateDevices=yes
ProtectSystem=strict
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
RemoveIPC=yes
";

pub(super) struct Unit {
    program: PathBuf,
    config: Option<PathBuf>,
    variables: Vec<(&'static str, String)>,
    /// The user of a system service.
    user: Option<String>,
    state: PathBuf,
}

impl Unit {
    pub(super) fn of(found: &Surroundings, user: Option<&str>) -> Result<Unit, Failure> {
        let paths = [Some(&found.state), found.config.as_ref()];
        let values = found.variables.iter().map(|(_, value)| value.clone());
        let all = paths.into_iter().flatten().map(|path| path.display().to_string()).chain(values);
        for text in all {
            if text.contains(char::is_control) {
                return Err(Failure::new(format!("{text:?} has a character that is not allowed in a unit")));
            }
        }
        Ok(Unit {
            program: std::env::current_exe().context("cannot determine the path of this program")?,
            config: found.config.clone(),
            variables: found.variables.clone(),
            user: user.map(str::to_owned),
            state: found.state.clone(),
        })
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "[Unit]\nDescription=OpenClaw telephony gateway\nWants=network-online.target\nAfter=network-online.target\n\n\
             [Service]\nType=notify\nExecStart={} gateway",
            typed(&self.program)
        )?;
        if let Some(config) = &self.config {
            write!(f, " --config {}", typed(config))?;
        }
        write!(
            f,
            "\nExecReload=/bin/kill -HUP $MAINPID\nRestart=on-failure\nRestartSec=2\nWatchdogSec=60\nTimeoutStopSec=60\nLimitNOFILE=4096:524288\n"
        )?;
        for (name, value) in &self.variables {
            writeln!(f, "Environment={}", quoted(&format!("{name}={value}")))?;
        }
        f.write_str(CONFINED)?;
        if let Some(user) = &self.user {
            write!(
                f,
                "User={user}\n{CONFINED_BY_SYSTEM}ReadWritePaths=-{}\n",
                quoted(&self.state.display().to_string())
            )?;
        }
        let target = if self.user.is_some() { "multi-user.target" } else { "default.target" };
        write!(f, "\n[Install]\nWantedBy={target}\n")
    }
}

/// Quotes a word of a command line, where `$` is special as well.
fn typed(path: &Path) -> String {
    quoted(&path.display().to_string().replace('$', "$$"))
}

/// Quotes a word for systemd, where `%` is special.
fn quoted(word: &str) -> String {
    let word = word.replace('%', "%%");
    if word.contains(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '\\' | ';')) {
        format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        word
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(user: Option<&str>) -> String {
        let unit = Unit {
            program: "/opt/my tools/openclaw".into(),
            config: Some("/etc/100%/openclaw.json".into()),
            variables: vec![("OPENCLAW_STATE_DIR", "/var/lib/openclaw".to_owned())],
            user: user.map(str::to_owned),
            state: "/var/lib/openclaw/telephony".into(),
        };
        unit.to_string()
    }

    #[test]
    fn the_unit_of_a_user() {
        insta::assert_snapshot!(unit(None));
    }

    #[test]
    fn the_unit_of_the_machine() {
        insta::assert_snapshot!(unit(Some("assistant")));
    }
}
