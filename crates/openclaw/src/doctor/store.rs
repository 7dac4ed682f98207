//! The message store: whether it works, and what stands in it that somebody should look at.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use telephony_config::Loaded;
use telephony_gateway::lock::GatewayLock;
use telephony_providers::twilio::codes;
use telephony_store::account_stops::ACCOUNT_STOPPED;
use telephony_store::history::{Direction, EntryState, Filter};
use telephony_store::soundness::Soundness;
use telephony_store::sqlite::{Mode, SqliteStore};
use telephony_store::{Store, StoreError, journal};

use super::catalogue::{
    COULD_NOT_CHECK, JOURNAL_DAMAGED, MESSAGES_FAILED, NOTICE, QUEUE_LONG, SENDING_STOPPED, STORE_UNUSABLE, TURNS_DEAD,
};
use super::{Checkup, Subject};
use crate::plural::counted;
use crate::{assemble, known_store, part, state_folder, time_format};

/// A line that is busy for longer is worth a word.
const LONG: Duration = Duration::from_secs(10 * 60);

const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Opens the store where there is one, and tries whether it can be written; looking makes none.
pub async fn open(loaded: &Loaded) -> (Checkup, Option<Arc<dyn Store>>) {
    let mut checkup = Checkup { area: "Store", ..Checkup::default() };
    let file = state_folder::store_file(loaded);
    if !file.exists() && GatewayLock::is_taken(&loaded.state) {
        let gone = format!("{} is gone, and the gateway that runs cannot store anything", file.display());
        checkup.found(STORE_UNUSABLE.found(gone));
        return (checkup, None);
    }
    if let Err(failure) = known_store::check_is_there(loaded) {
        checkup.found(STORE_UNUSABLE.found(failure.in_one_line()));
        return (checkup, None);
    }
    if !file.exists() {
        checkup.well(format!("{} is made at the first start", file.display()));
        return (checkup, None);
    }
    let opened = match open_and_write(&file).await {
        Ok(store) => {
            match known_store::check_is_same(loaded, store.identity()) {
                Ok(()) => checkup.well(file.display().to_string()),
                Err(failure) => checkup.found(STORE_UNUSABLE.found(failure.in_one_line())),
            }
            Ok(store)
        }
        Err(error) => {
            checkup.found(STORE_UNUSABLE.found(format!("{error} ({})", error.hint())));
            // What can still be read is worth looking at.
            SqliteStore::open(&file, Mode::Reading)
        }
    };
    let store = opened.ok().map(|store| Arc::new(store) as Arc<dyn Store>);
    (checkup, store)
}

/// What can be opened cannot always be written.
pub async fn open_and_write(file: &Path) -> Result<SqliteStore, StoreError> {
    let store = SqliteStore::open(file, Mode::Command)?;
    store.try_writing().await?;
    Ok(store)
}

/// Looks at what waits and what failed.
pub async fn check(subject: &Subject) -> Checkup {
    let mut checkup = Checkup::default();
    let Some(store) = &subject.store else { return checkup };
    if let Err(error) = look(subject, store.as_ref(), &mut checkup).await {
        checkup.found(STORE_UNUSABLE.found(format!("{error} ({})", error.hint())));
    }
    checkup
}

async fn look(subject: &Subject, store: &dyn Store, checkup: &mut Checkup) -> Result<(), StoreError> {
    let now = subject.now;
    for given in store.notices(now).await? {
        let finding = if given.name == ACCOUNT_STOPPED { SENDING_STOPPED } else { NOTICE };
        checkup.found(finding.found(given.text));
    }
    let storage = subject.gateway.as_ref().and_then(|alive| alive.storage.as_ref());
    // Where we cannot write either, that was found when the store was opened.
    if let Some(storage) = storage
        && store.try_writing().await.is_ok()
    {
        checkup.found(STORE_UNUSABLE.found(format!("the gateway cannot store: {}", storage.problem)));
    }
    for copy in journal::copies(&state_folder::journal_file(&subject.loaded)) {
        checkup.found(JOURNAL_DAMAGED.found(format!("a copy is in {}", copy.display())));
    }
    let summary = store.summary(now).await?;
    checkup.well(format!(
        "{} received and {} sent in 24 hours, {} queued",
        summary.received_today, summary.sent_today, summary.queued
    ));
    if summary.dead + summary.parked > 0 {
        checkup.found(TURNS_DEAD.found(format!("{} given up, {} still tried", summary.dead, summary.parked)));
    }
    for queue in store.queues(assemble::terms(&subject.loaded.telephony), now).await? {
        if queue.ends.since(now) > LONG {
            let why =
                queue.waits_for.as_deref().map(|why| format!(": {}", part::hold_in_words(why))).unwrap_or_default();
            let end = time_format::iso(queue.ends);
            checkup.found(QUEUE_LONG.found(format!("{} segments leave until {end}{why}", queue.segments)));
        }
    }
    for (code, count) in failures(store, subject).await? {
        checkup.found(match code {
            Some(code) => MESSAGES_FAILED.found(told(code, count)),
            None => COULD_NOT_CHECK.found(format!("{} failed without a code of Twilio's", counted(count, "message"))),
        });
    }
    Ok(())
}

/// What failed in the last day: how often with which code.
async fn failures(store: &dyn Store, subject: &Subject) -> Result<BTreeMap<Option<u32>, usize>, StoreError> {
    let filter = Filter {
        direction: Some(Direction::Outbound),
        since: Some(subject.now - A_DAY),
        states: vec!["failed".to_owned(), "undelivered".to_owned()],
        limit: 1000,
        ..Filter::default()
    };
    let mut failures = BTreeMap::new();
    for entry in store.messages(filter).await? {
        if let EntryState::Out { code, .. } = entry.standing {
            *failures.entry(code).or_default() += 1;
        }
    }
    Ok(failures)
}

/// An error code with how often it came, what happened and what to do.
pub fn told(code: u32, count: usize) -> String {
    format!("{code}, {}: {}", counted(count, "time"), codes::explain(code))
}
