//! The store in one SQLite file: one thread writes, one reads; the tables are in `sqlite/migrations`.

mod backup;
mod engine;
mod history;
mod inbox;
mod outbox;
mod people;
mod rows;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use async_trait::async_trait;

use crate::StoreError;
use crate::file::File;
use crate::soundness::Soundness;
pub use backup::{back_up, prepare};
pub use engine::mode::Mode;
use engine::open::{self, Opened};
use engine::query::Db;
use engine::worker::Worker;
use engine::{reader, schema, writer};

/// A new file is brought into shape by whoever comes first; SQLite lets nobody wait for that, so others try again.
const OPEN_WITHIN: Duration = Duration::from_secs(5);

/// No more turns or parts are taken in one step of the writer: others wait for it.
const AT_A_TIME: usize = 8;

const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// The store in one SQLite file. Dropping it waits for what is being written.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    file: File,
    identity: String,
    reader: Worker,
    writer: Worker,
}

impl SqliteStore {
    /// Opens the file at `path` and makes it, and its folder, where `mode` allows; only its owner may read what is made.
    /// Blocks for as long as that takes. Fails with [`StoreError::Newer`] and [`StoreError::Older`] for other schemas.
    pub fn open(path: &Path, mode: Mode) -> Result<SqliteStore, StoreError> {
        let deadline = Instant::now() + OPEN_WITHIN;
        loop {
            match Self::start(path, mode) {
                Err(StoreError::Busy(_)) if Instant::now() < deadline => std::thread::sleep(BETWEEN_TRIES),
                started => return started.map_err(|error| error.at(path)),
            }
        }
    }

    fn start(path: &Path, mode: Mode) -> Result<SqliteStore, StoreError> {
        let Opened { file, writing, log, reading } = open::open(path, mode)?;
        Ok(SqliteStore {
            path: path.to_owned(),
            file: file.clone(),
            identity: schema::identity(&reading)?,
            reader: Worker::start("store-reader", move |waiting| reader::serve(&reading, waiting))?,
            writer: Worker::start("store-writer", move |waiting| {
                if mode == Mode::Gateway {
                    writer::give_way();
                }
                writer::serve(&writing, &file, log, waiting);
            })?,
        })
    }

    /// The name of this store, which its copies share.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// Does `work` in a transaction that it shares with what else is waiting; what it did is on disk when this returns. It may
    /// be asked to begin again, when what it did was undone because of another.
    async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&Db) -> Result<T, StoreError> + Send + 'static,
    {
        self.writer.ask(work).await.map_err(|error| error.at(&self.path))
    }

    /// Reads a consistent picture without waiting for writers.
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
        self.file.check_is_there().map_err(|error| error.at(&self.path))
    }
}
