//! `openclaw telephony service …`: runs the gateway as a systemd service.

mod account;
mod status;
mod surroundings;
mod systemctl;
mod unit;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand};

use crate::config_arg::ConfigArg;
use crate::failure::{Failure, Outcome};
use crate::terminal;
use account::UserAccount;
use surroundings::Surroundings;
use systemctl::Systemctl;
use unit::{NAME, Unit};

#[derive(Debug, Subcommand)]
pub enum ServiceCommand {
    /// Install the unit, and start it now and at every boot
    Install(InstallArgs),
    /// Stop the service and remove its unit
    Uninstall(UninstallArgs),
    /// Show the state of the service
    Status(status::ServiceStatusArgs),
}

/// User or system service.
#[derive(Debug, Clone, Args)]
pub struct ScopeArgs {
    /// Use a system service, which requires root, instead of a user service
    #[arg(long)]
    system: bool,
}

const EXAMPLE: &str = "Example: openclaw telephony service install --dry-run";

/// Install the unit, and start it now and at every boot
#[derive(Debug, Args)]
#[command(after_help = terminal::program().in_text(EXAMPLE).into_owned())]
pub struct InstallArgs {
    #[command(flatten)]
    scope: ScopeArgs,
    /// User that a system service runs as
    #[arg(long, value_name = "NAME", requires = "system")]
    user: Option<String>,
    /// Only print the unit and the commands
    #[arg(long)]
    dry_run: bool,
}

/// Stop the service and remove its unit
#[derive(Debug, Args)]
pub struct UninstallArgs {
    #[command(flatten)]
    scope: ScopeArgs,
    /// Only print the commands
    #[arg(long)]
    dry_run: bool,
}

impl ServiceCommand {
    pub fn run(self, config_arg: &ConfigArg) -> Outcome {
        match self {
            ServiceCommand::Install(install) => install.run(config_arg),
            ServiceCommand::Uninstall(uninstall) => uninstall.run(),
            ServiceCommand::Status(status) => status.run(),
        }
    }
}

impl ScopeArgs {
    fn systemctl(&self) -> Systemctl {
        Systemctl { is_of_user: !self.system }
    }

    fn file(&self) -> PathBuf {
        let folder = if self.system {
            PathBuf::from("/etc/systemd/system")
        } else {
            let home = || std::env::home_dir().unwrap_or_else(|| PathBuf::from("/")).join(".config");
            let chosen = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
            chosen.unwrap_or_else(home).join("systemd/user")
        };
        folder.join(NAME)
    }
}

impl InstallArgs {
    fn run(self, config_arg: &ConfigArg) -> Outcome {
        let account = self.user.as_deref().map(UserAccount::find).transpose()?;
        if self.scope.system && account.is_none() {
            return Err(Failure::usage("a system service needs a user to run as")
                .hint("add --user NAME, with the owner of the configuration and the state folder"));
        }
        let own_home = || std::env::home_dir().unwrap_or_else(|| PathBuf::from("/"));
        let home = account.as_ref().map_or_else(own_home, |account| account.home.clone());
        let found = Surroundings::look(config_arg, &home)?;
        if !found.is_enabled {
            return Err(Failure::new("the telephony channel is not enabled, so the service would not start")
                .hint("set channels.telephony.enabled: true"));
        }
        warn(&found, account.as_ref());
        let unit = Unit::of(&found, account.as_ref().map(|account| account.name.as_str()))?.to_string();
        let (file, systemctl) = (self.scope.file(), self.scope.systemctl());
        let steps = [vec!["daemon-reload"], vec!["enable", NAME], vec!["restart", NAME]];
        if self.dry_run {
            print!("{unit}");
            terminal::say(format!("\nThis would be written to {}, then:", file.display()));
            steps.iter().for_each(|step| terminal::say(format!("  {}", systemctl.line(step))));
            if let Some(account) = account.filter(|_| !found.state.exists()) {
                terminal::say(format!(
                    "{} would be created first, accessible only to {}.",
                    found.state.display(),
                    account.name
                ));
            }
            return Ok(ExitCode::SUCCESS);
        }
        systemctl.check_is_there()?;
        if let Some(account) = &account {
            account.make_folder(&found.state)?;
        }
        let before = fs::read_to_string(&file).ok();
        write(&file, &unit)?;
        if let Err(failure) = steps.iter().try_for_each(|step| systemctl.run(step)) {
            take_back(&file, before, &systemctl);
            return Err(failure);
        }
        terminal::print(format!("Wrote {}.", file.display()));
        terminal::print("The gateway is running, and starts at every boot.");
        if !self.scope.system {
            terminal::say("A user service ends when you log out, unless lingering is enabled: loginctl enable-linger");
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Warns about variables that the service will lack, and files that its user cannot read.
fn warn(found: &Surroundings, account: Option<&UserAccount>) {
    if let Some(account) = account {
        for file in found.files.iter().filter(|file| !account.can_read(file)) {
            let (file, name) = (file.display(), &account.name);
            terminal::say(format!(
                "warning: {name} cannot read {file}\n  hint: give {name} access to the file and the folders above it"
            ));
        }
    }
    let dotenv = found.dotenv.display();
    if !found.only_here.is_empty() {
        let names = found.only_here.join(", ");
        terminal::say(format!(
            "warning: a service does not have this shell's variables: {names}\n  hint: put them into {dotenv}, as \
            NAME=value"
        ));
    }
    if let Some(problems) = &found.lacking {
        terminal::say(format!("warning: without this shell's variables the gateway will not start:\n{problems}"));
    }
}

/// Undoes an installation that failed, as far as systemd allows.
fn take_back(file: &Path, before: Option<String>, systemctl: &Systemctl) {
    let back = match before {
        Some(unit) => fs::write(file, unit),
        None => {
            systemctl.run(&["disable", "--now", NAME]).ok();
            fs::remove_file(file)
        }
    };
    systemctl.run(&["daemon-reload"]).ok();
    match back {
        Ok(()) => terminal::say(format!("Restored {}.", file.display())),
        Err(error) => terminal::say(format!("{} could not be removed: {error}", file.display())),
    }
}

impl UninstallArgs {
    fn run(self) -> Outcome {
        let (file, systemctl) = (self.scope.file(), self.scope.systemctl());
        let stop = ["disable", "--now", NAME];
        if self.dry_run {
            terminal::say(systemctl.line(&stop));
            terminal::say(format!("rm {}", file.display()));
            terminal::say(systemctl.line(&["daemon-reload"]));
            return Ok(ExitCode::SUCCESS);
        }
        systemctl.check_is_there()?;
        if !file.exists() {
            return Err(Failure::new(format!("{} does not exist", file.display()))
                .hint("`--system` selects the system service"));
        }
        // Remove the file in any case: without it nothing restarts the service.
        let stopped = systemctl.run(&stop);
        fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?;
        stopped?;
        systemctl.run(&["daemon-reload"])?;
        terminal::print(format!("Stopped, and removed {}. The configuration and messages are kept.", file.display()));
        Ok(ExitCode::SUCCESS)
    }
}

fn write(file: &Path, unit: &str) -> Result<(), Failure> {
    let made = file.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(file, unit));
    made.map_err(|error| {
        let failure = Failure::new(format!("cannot write {}: {error}", file.display()));
        match error.kind() {
            std::io::ErrorKind::PermissionDenied => {
                failure.hint("`--system` requires root; without it you get a user service")
            }
            _ => failure,
        }
    })
}
