//! `openclaw telephony backup <file>`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use telephony_domain::time::{Clock, SystemClock};
use telephony_store::sqlite;

use crate::assemble;
use crate::config_arg::ConfigArg;
use crate::failure::{Failure, Outcome};
use crate::logging;
use crate::state_folder::{journal_file, store_file, with_ending};
use crate::terminal;

const EXAMPLE: &str = "\
Example: openclaw telephony backup ~/backups/telephony.backup
It works while the gateway runs. `openclaw telephony restore` restores the backup.";

/// Write all messages, approvals and opt-outs to a file.
#[derive(Debug, Args)]
#[command(after_help = terminal::program().in_text(EXAMPLE).into_owned())]
pub struct BackupArgs {
    /// File to write, which only its owner may read
    file: PathBuf,
    /// Replace the file if it exists
    #[arg(long)]
    replace: bool,
}

impl BackupArgs {
    pub fn run(self, config_arg: &ConfigArg) -> Outcome {
        logging::start(logging::Level::OnlyTrouble);
        let loaded = assemble::configuration(config_arg)?;
        let store = store_file(&loaded);
        if !store.exists() {
            return Err(Failure::new(format!("there is no message store yet: {}", store.display()))
                .hint("run the gateway once before you make a backup"));
        }
        if self.file.exists() && !self.replace {
            return Err(
                Failure::new(format!("{} exists", self.file.display())).hint("name another file, or pass --replace")
            );
        }
        // Only a whole backup gets its name.
        let part = with_ending(&self.file, ".part");
        let journal = journal_file(&loaded);
        let made = remove(&part).and_then(|()| {
            let backup = sqlite::back_up(&store, &journal, &part, SystemClock.now());
            assemble::runtime()?.block_on(backup)?;
            let renamed = std::fs::rename(&part, &self.file);
            renamed.with_context(|| format!("cannot write {}", self.file.display())).map_err(Failure::from)
        });
        if made.is_err() {
            remove(&part).ok();
        }
        made?;
        terminal::print(self.file.display());
        let pictures = loaded.state.join("media");
        if std::fs::read_dir(&pictures).is_ok_and(|mut files| files.next().is_some()) {
            terminal::say(format!("The backup does not contain pictures: copy {} as well.", pictures.display()));
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn remove(file: &Path) -> Result<(), Failure> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Failure::new(format!("cannot remove {}: {error}", file.display())))
        }
        _ => Ok(()),
    }
}
