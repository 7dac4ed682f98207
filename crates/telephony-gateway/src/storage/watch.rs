//! Checks that database and journal exist and are writable, and reports changes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use telephony_domain::notice::{Notice, name};
use telephony_store::journal::Journal;
use telephony_store::{Store, StoreError};
use tokio_util::sync::CancellationToken;

use super::{Storage, StorageFailure};
use crate::notices::NoticeWriter;

/// Interval between checks of the files, and between attempts while they fail.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Interval between test writes while nothing fails; each costs a sync of the disk.
const WRITE_EVERY: Duration = Duration::from_secs(30);

/// The task that regularly checks that messages can be stored.
pub struct StorageWatch {
    pub(crate) storage: Arc<Storage>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) journal: Arc<Journal>,
    /// Notices to the operator.
    pub(crate) notices: NoticeWriter,
}

impl StorageWatch {
    /// Watches until `stop`. Returns sooner where a thread of the store is gone: only a restart brings it back.
    pub async fn run(self, stop: CancellationToken) {
        let mut written = Instant::now();
        while !stop.is_cancelled() {
            let tries_writing = self.storage.trouble().is_some() || written.elapsed() >= WRITE_EVERY;
            if tries_writing {
                written = Instant::now();
            }
            if !self.has_lost_thread() {
                self.look(tries_writing).await;
            }
            if self.has_lost_thread() {
                return;
            }
            let bell = tokio::time::timeout(LOOK_EVERY, self.storage.bell.notified());
            stop.run_until_cancelled(bell).await;
        }
    }

    fn has_lost_thread(&self) -> bool {
        self.storage.trouble().is_some_and(|trouble| trouble.error == StoreError::Stopped)
    }

    async fn look(&self, tries_writing: bool) {
        match self.check(tries_writing).await {
            Err(error) => {
                self.storage.failed("messages cannot be stored", &error);
                self.raise_notice().await;
            }
            Ok(()) if tries_writing => self.end().await,
            Ok(()) => {}
        }
    }

    async fn check(&self, tries_writing: bool) -> Result<(), StoreError> {
        self.journal.check_is_there()?;
        self.store.check_is_there()?;
        self.store.check_content().await?;
        if tries_writing {
            self.journal.try_writing().await?;
            self.store.try_writing().await?;
        }
        Ok(())
    }

    /// Raises a notice. A read-only database cannot keep it; then log, `/health` and `status` have to do.
    async fn raise_notice(&self) {
        let Some(StorageFailure { error, .. }) = self.storage.trouble() else { return };
        let notice = Notice::NotStoring { error: error.to_string(), hint: error.hint().to_owned() };
        self.store.raise_notice(notice, self.notices.clock.now()).await.ok();
    }

    async fn end(&self) {
        let Some(StorageFailure { refused, .. }) = self.storage.end() else { return };
        tracing::warn!(refused, "messages can be stored again");
        self.notices.end(name::STORAGE).await;
        // The rejected messages are in the provider's lists.
        self.notices.wake.all();
        self.notices.wake.missed.notify_one();
        if refused > 0 {
            self.notices.raise(Notice::StoringAgain { rejected: refused }).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use telephony_domain::time::SystemClock;
    use telephony_store::sqlite::{Mode, SqliteStore};

    use super::*;
    use crate::wake::Wake;

    #[tokio::test]
    async fn a_store_without_its_thread_ends_the_watch_and_a_full_disk_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> =
            Arc::new(SqliteStore::open(&folder.path().join("store.db"), Mode::Gateway).unwrap());
        let journal = Arc::new(Journal::open(&folder.path().join("journal")).unwrap());
        let watch = |error: StoreError| {
            let notices = NoticeWriter {
                store: store.clone(),
                clock: Arc::new(SystemClock),
                wake: Arc::new(Wake::default()),
                company: "Twilio",
            };
            let storage = Arc::new(Storage::default());
            storage.failed("on purpose", &error);
            StorageWatch { storage, store: store.clone(), journal: journal.clone(), notices }
        };
        let stop = CancellationToken::new();
        watch(StoreError::Stopped).run(stop.clone()).await;
        let full = watch(StoreError::Full("no space".to_owned()));
        let storage = full.storage.clone();
        let running = tokio::spawn(full.run(stop));
        let is_over = async {
            while storage.trouble().is_some() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), is_over).await.unwrap();
        assert!(!running.is_finished());
    }
}
