//! Opens what must survive: the message store and the journal in the state folder.

use std::sync::Arc;

use telephony_config::Loaded;
use telephony_gateway::lock::GatewayLock;
use telephony_store::Store;
use telephony_store::journal::Journal;
use telephony_store::sqlite::{Mode, SqliteStore};

use super::configuration;
use crate::config_arg::ConfigArg;
use crate::failure::Failure;
use crate::known_store::KnownStore;
use crate::{known_store, state_folder, terminal};

/// Opens the store in the state folder, which only its owner can read.
pub fn open_store(loaded: &Loaded, mode: Mode) -> Result<Arc<dyn Store>, Failure> {
    open_store_unless(loaded, mode, false)
}

/// Opens the store; if the operator `accepts` it, also one that was not in use before.
pub fn open_store_unless(loaded: &Loaded, mode: Mode, accepts: bool) -> Result<Arc<dyn Store>, Failure> {
    let file = state_folder::store_file(loaded);
    if mode != Mode::Gateway && !file.exists() && GatewayLock::is_taken(&loaded.state) {
        // A store created here would not be the gateway's, and would hide that the real one is gone.
        return Err(Failure::new(format!("the message store of the running gateway is gone: {}", file.display()))
            .hint("stop the gateway, restore the file from a copy if you have one, and start the gateway again"));
    }
    if !accepts {
        known_store::check_is_there(loaded)?;
    }
    if mode != Mode::Reading {
        state_folder::make(&loaded.state)?;
    } else if !file.exists() {
        terminal::say(format!("There is no message store yet: {} is created on first use.", file.display()));
    }
    if mode == Mode::Gateway && !file.exists() {
        tracing::warn!(file = %file.display(), "starting a new message store: it has no opt-outs and no approvals");
    }
    let store = SqliteStore::open(&file, mode)?;
    if !accepts && mode != Mode::Reading {
        known_store::check_is_same(loaded, store.identity())?;
    }
    if mode != Mode::Reading
        && let Err(error) = KnownStore::remember(&loaded.state, store.identity(), &file)
    {
        tracing::warn!(%error, "cannot record which message store is in use");
    }
    Ok(Arc::new(store))
}

/// Opens the journal, a file beside the store that holds what the gateway has acknowledged but not stored yet.
pub fn open_journal(loaded: &Loaded) -> Result<Arc<Journal>, Failure> {
    Ok(Arc::new(Journal::open(&state_folder::journal_file(loaded))?))
}

/// Opens the store if there is one, for commands that can do without; creates nothing.
pub fn earlier_store(config_arg: &ConfigArg) -> Option<Arc<dyn Store>> {
    let loaded = configuration(config_arg).ok()?;
    state_folder::store_file(&loaded).exists().then(|| open_store(&loaded, Mode::Reading).ok())?
}
