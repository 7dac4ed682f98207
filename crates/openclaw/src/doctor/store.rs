//! Checks that the message store works, and reports what in it needs attention.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use telephony_config::Loaded;
use telephony_domain::notice::name;
use telephony_gateway::lock::GatewayLock;
use telephony_providers::provider::Provider;
use telephony_store::history::{Direction, EntryState, Filter};
use telephony_store::soundness::Soundness;
use telephony_store::sqlite::{Mode, SqliteStore};
use telephony_store::{Store, StoreError, journal};

use super::catalog::{
    COULD_NOT_CHECK, JOURNAL_DAMAGED, MESSAGES_FAILED, NOTICE, QUEUE_LONG, SENDING_STOPPED, STORE_UNUSABLE, TURNS_DEAD,
};
use super::{Checkup, Subject};
use crate::plural::counted;
use crate::{assemble, known_store, part, state_folder, time_format};

/// A queue longer than this is reported.
const LONG: Duration = Duration::from_secs(10 * 60);

const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Opens an existing store and checks that it is writable; creates none.
pub async fn open(loaded: &Loaded) -> (Checkup, Option<Arc<dyn Store>>) {
    let mut checkup = Checkup { area: "Store", ..Checkup::default() };
    let file = state_folder::store_file(loaded);
    if !file.exists() && GatewayLock::is_taken(&loaded.state) {
        let gone = format!("{} is gone, and the running gateway cannot store anything", file.display());
        checkup.found(STORE_UNUSABLE.found(gone));
        return (checkup, None);
    }
    if let Err(failure) = known_store::check_is_there(loaded) {
        checkup.found(STORE_UNUSABLE.found(failure.in_one_line()));
        return (checkup, None);
    }
    if !file.exists() {
        checkup.well(format!("{} is created at the first start", file.display()));
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
            // A store that can only be read still has findings.
            SqliteStore::open(&file, Mode::Reading)
        }
    };
    let store = opened.ok().map(|store| Arc::new(store) as Arc<dyn Store>);
    (checkup, store)
}

/// Opens the store and writes to it, because opening alone does not prove it is writable.
pub async fn open_and_write(file: &Path) -> Result<SqliteStore, StoreError> {
    let store = SqliteStore::open(file, Mode::Command)?;
    store.try_writing().await?;
    Ok(store)
}

/// Checks queues and failures.
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
    for notice in store.notices(now).await? {
        let finding = if notice.name == name::ACCOUNT_STOPPED { SENDING_STOPPED } else { NOTICE };
        checkup.found(finding.found(notice.text(assemble::carrier().company)));
    }
    let storage = subject.gateway.as_ref().and_then(|alive| alive.storage.as_ref());
    // If this process cannot write either, opening the store already reported that.
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
        checkup.found(TURNS_DEAD.found(format!("{} given up, {} being retried", summary.dead, summary.parked)));
    }
    for queue in store.queues(assemble::terms(&subject.loaded.telephony), now).await? {
        if queue.ends.since(now) > LONG {
            let why =
                queue.waits_for.as_deref().map(|why| format!(": {}", part::hold_in_words(why))).unwrap_or_default();
            let wait = time_format::span(queue.ends.since(now));
            checkup.found(
                QUEUE_LONG
                    .found(format!("{} queued; the last leaves in {wait}{why}", counted(queue.segments, "segment"))),
            );
        }
    }
    for (code, count) in failures(store, subject).await? {
        checkup.found(match code {
            Some(code) => MESSAGES_FAILED.found(failure_text(subject.provider.as_deref(), code, count)),
            None => COULD_NOT_CHECK.found(format!("{} failed without a Twilio error code", counted(count, "message"))),
        });
    }
    Ok(())
}

/// Returns how many messages of the last day failed with each error code.
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

/// Describes an error code: its count, its meaning and the fix, as far as the provider is there to explain it.
pub fn failure_text(provider: Option<&dyn Provider>, code: u32, count: usize) -> String {
    let text = format!("{code}, {}", counted(count, "time"));
    provider.map_or(text.clone(), |provider| format!("{text}: {}", provider.explain(code)))
}
