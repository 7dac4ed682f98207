//! `openclaw telephony restore <file>`

use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use telephony_config::Loaded;
use telephony_domain::time::{Clock, SystemClock, Timestamp};
use telephony_gateway::lock::{GatewayLock, LockError};
use telephony_gateway::views::time::iso;
use telephony_store::file::{folder_of, sync_folder};
use telephony_store::sqlite::{self, Mode, SqliteStore};

use crate::assemble;
use crate::config_arg::ConfigArg;
use crate::failure::{Failure, Outcome};
use crate::known_store::KnownStore;
use crate::logging;
use crate::state_folder::{self, store_file, with_ending};
use crate::terminal;
use crate::time_format::Time;

const EXAMPLE: &str = "\
Example: openclaw telephony restore --replace ~/backups/telephony.backup
Stop the gateway first. When it starts again, it reads Twilio's lists before it
sends anything: messages sent since the backup are not sent again, and a STOP
received since then counts.";

/// Replace the message store with a backup.
#[derive(Debug, Args)]
#[command(after_help = terminal::program().in_text(EXAMPLE).into_owned())]
pub struct RestoreArgs {
    /// Backup to restore
    file: PathBuf,
    /// Replace the message store that is there; it is kept under another name
    #[arg(long)]
    replace: bool,
}

impl RestoreArgs {
    pub fn run(self, config_arg: &ConfigArg) -> Outcome {
        logging::start(logging::Level::OnlyTrouble);
        let loaded = assemble::configuration(config_arg)?;
        state_folder::make(&loaded.state)?;
        let lock = GatewayLock::take(&loaded.state).map_err(stop_first)?;
        let store = store_file(&loaded);
        if store.exists() && !self.replace {
            return Err(Failure::new(format!("a message store already exists: {}", store.display()))
                .hint("pass --replace to put the backup in its place; the store is kept under another name"));
        }
        let made = self.restore(&loaded, &store)?;
        drop(lock);
        terminal::print(format!("Restored the backup of {}.", Time(made)));
        terminal::say(
            "Start the gateway: it reads Twilio's lists before it sends anything. Approvals since the backup are lost.",
        );
        Ok(ExitCode::SUCCESS)
    }

    /// Prepares a copy beside the store, and then puts it in the store's place. Returns when the backup was made.
    fn restore(&self, loaded: &Loaded, store: &Path) -> Result<Timestamp, Failure> {
        let folder = with_ending(store, ".restoring");
        remove_folder(&folder)?;
        std::fs::DirBuilder::new().mode(0o700).create(&folder).with_context(|| cannot("make", &folder))?;
        let prepared = self.prepare(&folder.join("store"));
        let done = prepared.and_then(|(made, id)| {
            let now = SystemClock.now();
            let was_there = store.exists();
            let kept = keep(store, now).with_context(|| cannot("rename", store))?;
            if was_there {
                terminal::say(format!("The previous store is kept: {}", kept.display()));
            }
            std::fs::rename(folder.join("store"), store).with_context(|| cannot("write", store))?;
            sync_folder(folder_of(store)).with_context(|| cannot("write", store))?;
            KnownStore::remember(&loaded.state, &id, store).with_context(|| cannot("write to", &loaded.state))?;
            Ok(made)
        });
        remove_folder(&folder)?;
        done
    }

    fn prepare(&self, copy: &Path) -> Result<(Timestamp, String), Failure> {
        let read = || cannot("read", &self.file);
        let mut backup = std::fs::File::open(&self.file).with_context(read)?;
        let modified = backup.metadata().and_then(|found| found.modified()).with_context(read)?;
        let since_1970 = modified.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let modified = Timestamp(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX));
        write(copy, &mut backup)?;
        // The file of a store that was not closed lacks its last changes, which are in the log beside it.
        let log = with_ending(&self.file, "-wal");
        match std::fs::File::open(&log) {
            Ok(mut changes) => write(&with_ending(copy, "-wal"), &mut changes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(anyhow::Error::from(error).context(cannot("read", &log)).into()),
        }
        let runtime = assemble::runtime()?;
        let prepared = runtime.block_on(sqlite::prepare(copy, modified));
        let made = prepared.map_err(|error| {
            Failure::from(error).hint(format!("{} is not a usable backup; nothing was changed", self.file.display()))
        })?;
        Ok((made, SqliteStore::open(copy, Mode::Reading)?.identity().to_owned()))
    }
}

fn stop_first(error: LockError) -> Failure {
    let failure = Failure::new(&error);
    match error {
        LockError::Taken(_) => failure.hint("stop the gateway, restore, and start it again"),
        LockError::Unusable(_, cause) => failure.hint(format!("{cause}: check the owner and mode of the state folder")),
    }
}

/// Writes a new file that only its owner may read.
fn write(file: &Path, content: &mut std::fs::File) -> Result<(), Failure> {
    let mut options = std::fs::OpenOptions::new();
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut new = options.write(true).create_new(true).open(file).with_context(|| cannot("write", file))?;
    io::copy(content, &mut new).with_context(|| cannot("write", file))?;
    new.sync_all().with_context(|| cannot("write", file))?;
    Ok(())
}

/// Moves the store aside with what SQLite has beside it, also if the store itself is lost: its log would be applied to
/// the backup. The journal stays: what it holds was acknowledged.
fn keep(store: &Path, now: Timestamp) -> io::Result<PathBuf> {
    let time = iso(now).replace(':', "");
    let kept = with_ending(store, &format!(".before-restore-{time}"));
    // If this ends halfway, the kept file is complete without its log. A damaged store keeps it.
    sqlite::empty_log(store).ok();
    // The file goes first, because no gateway starts without it.
    for ending in ["", "-wal", "-shm"] {
        match std::fs::rename(with_ending(store, ending), with_ending(&kept, ending)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    sync_folder(folder_of(store))?;
    Ok(kept)
}

fn remove_folder(folder: &Path) -> Result<(), Failure> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Failure::new(format!("cannot remove {}: {error}", folder.display())))
        }
        _ => Ok(()),
    }
}

fn cannot(what: &str, file: &Path) -> String {
    format!("cannot {what} {}", file.display())
}
