//! Group commit: whatever waits shares one transaction and one sync of the disk, but not each other's failures.

use std::iter;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::checkpoint::WalCheckpointer;
use super::query::execute;
use super::waiting::Waiting;
use super::work::Work;
use crate::StoreError;
use crate::file::File;

/// No commit begins with more after this time: the longer, the more share a sync of the disk, and the longer each waits.
pub(crate) const STEP: Duration = Duration::from_millis(2);

/// How much less of a busy processor the gateway's writer gets than the threads that take webhooks; for Linux's `nice`,
/// a tenth.
#[cfg(target_os = "linux")]
const GIVES_WAY: i32 = 10;

/// Lets other threads of this process go first where they compete for the processor: they answer the provider, and
/// of what it sends only an opt-out waits for the writer. Elsewhere than on Linux it would be the whole process.
pub(crate) fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(GIVES_WAY) {
        tracing::debug!(%error, "the writer keeps its priority");
    }
}

/// Does what it is asked until nobody can ask any more.
pub(crate) fn serve(db: &Connection, file: &File, mut log: WalCheckpointer, waiting: &Waiting) {
    while let Some(first) = waiting.next() {
        let (mut works, began) = (vec![first], Instant::now());
        let more = || if began.elapsed() < STEP { waiting.more() } else { None };
        let stored = store_together(db, file, &mut works, more);
        if let Err(StoreError::Busy(_)) = stored {
            // Each of those that wait would wait as long again for whoever holds the file.
            works.extend(iter::from_fn(|| waiting.more()));
        }
        for work in works {
            work.answer(stored.clone());
        }
        log.tend(db);
    }
}

/// Runs `works`, then what `more` brings, in one transaction. They hardly ever fail, so they go without savepoints, which
/// copy every page that is written; when one does fail, all begin again, each in one.
fn store_together(
    db: &Connection,
    file: &File,
    works: &mut Vec<Box<dyn Work>>,
    mut more: impl FnMut() -> Option<Box<dyn Work>>,
) -> Result<(), StoreError> {
    let mut has_failed = false;
    let stored = commit(db, file, || {
        let ran = run_all(db, works, &mut more);
        has_failed = ran.is_err();
        ran
    });
    if !has_failed || works.len() == 1 {
        return stored;
    }
    commit(db, file, || works.iter_mut().try_for_each(|work| run_apart(db, work.as_mut())))
}

fn run_all(
    db: &Connection,
    works: &mut Vec<Box<dyn Work>>,
    more: &mut impl FnMut() -> Option<Box<dyn Work>>,
) -> Result<(), StoreError> {
    works.iter_mut().try_for_each(|work| work.run(db))?;
    while let Some(mut work) = more() {
        let ran = work.run(db);
        works.push(work);
        ran?;
    }
    Ok(())
}

/// Does `work` in one transaction, which is on disk when this returns.
fn commit(db: &Connection, file: &File, work: impl FnOnce() -> Result<(), StoreError>) -> Result<(), StoreError> {
    execute(db, "BEGIN IMMEDIATE", ())?;
    let stored = work().and_then(|()| {
        file.check_is_there()?;
        execute(db, "COMMIT", ()).map(drop)
    });
    if stored.is_err() && !db.is_autocommit() {
        execute(db, "ROLLBACK", ())?;
    }
    stored
}

/// Runs one so that its failure undoes nothing but its own.
fn run_apart(db: &Connection, work: &mut dyn Work) -> Result<(), StoreError> {
    execute(db, "SAVEPOINT job", ())?;
    if let Err(error) = work.run(db) {
        if db.is_autocommit() {
            // A full disk and its like end the whole transaction, not only the statement.
            return Err(error);
        }
        execute(db, "ROLLBACK TO job", ())?;
    }
    execute(db, "RELEASE job", ()).map(drop)
}
