//! SQLite's write-ahead log: moves its pages into the database file, mostly on a separate thread, so that the writer is
//! rarely blocked.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::connection::connect;
use crate::StoreError;

/// Growth of the log that starts a move (pages of 4 KiB).
const GROWTH: usize = 4000;

/// Length of the log (pages) at which the writer moves the rest itself, which takes some 5 ms. SQLite starts the log
/// over when nothing is left to move; in a flood there always is. The longer the log, the less often anyone waits for
/// that.
const LONGEST: usize = 16_000;

/// Maximum number of passes. Each leaves the pages written during the one before, which took longer; except in a flood
/// this is enough.
const PASSES: usize = 5;

/// Shortest interval between moves. In a flood the same pages are rewritten often, so more frequent moves are wasted
/// work.
const BETWEEN_MOVES: Duration = Duration::from_secs(1);

/// The log of one file, as its writer sees it.
pub(crate) struct WalCheckpointer {
    path: PathBuf,
    /// Pages in the log after the last commit.
    pages: Arc<AtomicUsize>,
    seen: usize,
    move_at: usize,
    moved: Instant,
    mover: Option<JoinHandle<()>>,
}

impl WalCheckpointer {
    /// Takes checkpoints over from SQLite, which would make the writer empty the log.
    pub(crate) fn of(db: &mut Connection, path: &Path) -> Result<WalCheckpointer, StoreError> {
        let pages = Arc::new(AtomicUsize::new(0));
        let count = pages.clone();
        db.wal_hook(Some(move |_: &mut _, pages| {
            count.store(usize::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(WalCheckpointer {
            path: path.to_owned(),
            pages,
            seen: 0,
            move_at: GROWTH,
            moved: Instant::now(),
            mover: None,
        })
    }

    /// Called by the writer between its transactions. A failure is retried when the log has grown further; nothing is
    /// lost.
    pub(crate) fn tend(&mut self, db: &Connection) {
        let pages = self.pages.load(Ordering::Relaxed);
        if pages < self.seen {
            self.move_at = GROWTH;
        }
        self.seen = pages;
        match self.mover.take_if(|mover| mover.is_finished()) {
            Some(_) => {
                if pages >= LONGEST {
                    log_failure(move_pages(db));
                }
                self.moved = Instant::now();
                self.move_at = pages + GROWTH;
            }
            None if self.mover.is_none() && self.is_long() => match self.start_mover() {
                Ok(mover) => self.mover = Some(mover),
                Err(error) => tracing::warn!(%error, "cannot start a thread; the log keeps growing"),
            },
            None => {}
        }
    }

    fn is_long(&self) -> bool {
        self.seen >= self.move_at && (self.seen >= LONGEST || self.moved.elapsed() >= BETWEEN_MOVES)
    }

    fn start_mover(&self) -> std::io::Result<JoinHandle<()>> {
        let (path, pages) = (self.path.clone(), self.pages.clone());
        Builder::new().name("store-log".to_owned()).spawn(move || log_failure(move_most(&path, &pages)))
    }
}

impl Drop for WalCheckpointer {
    fn drop(&mut self) {
        if let Some(mover) = self.mover.take() {
            let _ = mover.join();
        }
    }
}

/// Moves everything in the log of a file that no other process has open into the file.
pub fn empty_log(path: &Path) -> Result<(), StoreError> {
    let is_busy: bool = connect(path)?.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |row| row.get(0))?;
    if is_busy { Err(StoreError::Busy(format!("{} is in use", path.display()))) } else { Ok(()) }
}

fn log_failure<T>(moved: Result<T, StoreError>) {
    if let Err(error) = moved {
        tracing::debug!(%error, "cannot move pages of the log");
    }
}

fn move_most(path: &Path, pages: &AtomicUsize) -> Result<(), StoreError> {
    let db = connect(path)?;
    for _ in 0..PASSES {
        if move_pages(&db)? == pages.load(Ordering::Relaxed) {
            break;
        }
    }
    Ok(())
}

/// Moves pages that no reader needs into the database, without waiting. Returns the page up to which all are moved.
fn move_pages(db: &Connection) -> Result<usize, StoreError> {
    let moved: i64 = db.query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |row| row.get(2))?;
    Ok(usize::try_from(moved).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::super::mode::Mode;
    use super::super::open;
    use super::*;

    /// Writes `pages` pages, one per commit, as the writer does.
    fn write(db: &Connection, log: &mut WalCheckpointer, pages: usize) {
        for _ in 0..pages {
            db.execute("UPDATE filling SET bytes = randomblob(3500)", ()).expect("written");
            log.tend(db);
        }
    }

    fn opened(path: &Path) -> (Connection, WalCheckpointer) {
        let (_, db, log) = open::for_writing(path, Mode::Gateway).expect("opened");
        db.pragma_update(None, "synchronous", "OFF").expect("quick");
        db.execute_batch("CREATE TABLE filling (bytes); INSERT INTO filling VALUES (randomblob(3500))")
            .expect("filled");
        (db, log)
    }

    #[test]
    fn the_wal_stays_short_during_many_writes() {
        let folder = tempfile::tempdir().expect("a folder");
        let (db, mut log) = opened(&folder.path().join("store"));
        write(&db, &mut log, 20 * GROWTH);
        let size = std::fs::metadata(folder.path().join("store-wal")).expect("a log").len();
        assert!(size < 10 * 4096 * GROWTH as u64, "the log has {size} bytes");
    }

    #[test]
    fn a_long_reader_keeps_the_wal_and_loses_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("store");
        let (db, mut log) = opened(&path);
        let reader = connect(&path).expect("opened");
        reader.execute_batch("BEGIN").expect("begun");
        let read = || reader.query_row("SELECT bytes FROM filling", (), |row| row.get::<_, Vec<u8>>(0)).expect("read");
        let before = read();
        write(&db, &mut log, 3 * GROWTH);
        assert_eq!(read(), before);
        reader.execute_batch("COMMIT").expect("ended");
        while log.seen >= 3 * GROWTH {
            assert!(log.seen < 20 * GROWTH, "the log does not start over");
            write(&db, &mut log, GROWTH / 10);
        }
    }
}
