//! The store in one SQLite file: one thread writes, one reads; the tables are in `sqlite/migrations`.

mod backup;
mod calls;
mod engine;
mod history;
mod inbox;
mod outbox;
mod people;
mod rows;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::sync::Notify;

use crate::StoreError;
use crate::file::FileIdentity;
use crate::soundness::Soundness;
pub use backup::{back_up, prepare};
pub use engine::checkpoint::empty_log;
pub use engine::mode::Mode;
use engine::open::{self, OpenedDatabase};
use engine::query::Db;
use engine::worker::WorkerHandle;
use engine::{reader, schema, writer};

/// Time limit for opening. The first process initializes a new file; SQLite does not let others wait for that, so they
/// retry.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);

/// Maximum number of turns or parts leased in one transaction of the writer, because others wait for it.
const AT_A_TIME: usize = 8;

const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// The store in one SQLite file. Dropping it waits for pending writes.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    file: FileIdentity,
    /// SQLite's log while a gateway is running; it holds the latest writes.
    log: Option<FileIdentity>,
    identity: String,
    /// The signal that a notice was raised.
    raised: Arc<Notify>,
    reader: WorkerHandle,
    writer: WorkerHandle,
}

impl SqliteStore {
    /// Opens the file at `path`, creating it and its folder if `mode` allows; only its owner can read them. Blocks
    /// meanwhile. Fails with [`StoreError::Newer`] and [`StoreError::Older`] for other schemas.
    pub fn open(path: &Path, mode: Mode) -> Result<SqliteStore, StoreError> {
        let deadline = Instant::now() + OPEN_TIMEOUT;
        loop {
            match Self::start(path, mode) {
                Err(StoreError::Busy(_)) if Instant::now() < deadline => std::thread::sleep(BETWEEN_TRIES),
                started => return started.map_err(|error| error.at(path)),
            }
        }
    }

    fn start(path: &Path, mode: Mode) -> Result<SqliteStore, StoreError> {
        let OpenedDatabase { file, writing, log, reading } = open::open(path, mode)?;
        let raised = Arc::new(Notify::new());
        Ok(SqliteStore {
            path: path.to_owned(),
            file: file.clone(),
            log: if mode == Mode::Gateway { FileIdentity::at(&open::log_of(path)).ok() } else { None },
            identity: schema::identity(&reading)?,
            raised: raised.clone(),
            reader: WorkerHandle::start("store-reader", move |waiting| reader::serve(&reading, waiting))?,
            writer: WorkerHandle::start("store-writer", move |waiting| {
                if mode == Mode::Gateway {
                    writer::give_way();
                }
                writer::serve(&writing, &file, log, &raised, waiting);
            })?,
        })
    }

    /// Returns the id of this store, which its copies share.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// Runs `work` in a transaction shared with other waiting work; its result is on disk when this returns. It may run
    /// again if another job's failure undid it.
    async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&Db) -> Result<T, StoreError> + Send + 'static,
    {
        self.writer.ask(work).await.map_err(|error| error.at(&self.path))
    }

    /// Reads a consistent snapshot without waiting for writers.
    async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&Db) -> Result<T, StoreError> + Send + 'static,
    {
        self.reader.ask(work).await.map_err(|error| error.at(&self.path))
    }
}

#[async_trait]
impl Soundness for SqliteStore {
    async fn try_writing(&self) -> Result<(), StoreError> {
        self.write(schema::write_version).await
    }

    fn check_is_there(&self) -> Result<(), StoreError> {
        self.file.check_is_there().map_err(|error| error.at(&self.path))?;
        let log = self.log.as_ref().map_or(Ok(()), FileIdentity::check_is_there);
        log.map_err(|error| error.at(&open::log_of(&self.path)))
    }

    async fn check_content(&self) -> Result<(), StoreError> {
        let known = self.identity.clone();
        self.read(move |db| schema::check_identity(db, &known)).await
    }
}
