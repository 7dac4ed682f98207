//! Group commit: waiting jobs share one transaction and one sync of the disk, but not each other's failures.

use std::iter;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::Notify;

use super::checkpoint::WalCheckpointer;
use super::news;
use super::query::execute;
use super::waiting::JobQueue;
use super::work::Work;
use crate::StoreError;
use crate::file::FileIdentity;

/// Time after which a commit starts no more jobs: longer lets more jobs share a sync, but makes each wait longer.
pub(crate) const STEP: Duration = Duration::from_millis(2);

/// Priority of the gateway's writer on a busy processor; for Linux's `nice`, a tenth of the webhook threads' share.
#[cfg(target_os = "linux")]
const GIVES_WAY: i32 = 10;

/// Lowers this thread's priority below the threads that answer the provider; only an opt-out waits for the writer.
/// Except on Linux, it would affect the whole process.
pub(crate) fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(GIVES_WAY) {
        tracing::debug!(%error, "the writer keeps its priority");
    }
}

/// Runs jobs until no more can arrive.
pub(crate) fn serve(
    db: &Connection,
    file: &FileIdentity,
    mut log: WalCheckpointer,
    raised: &Notify,
    waiting: &JobQueue,
) {
    while let Some(first) = waiting.next() {
        let (mut works, began) = (vec![first], Instant::now());
        let more = || if began.elapsed() < STEP { waiting.more() } else { None };
        let stored = store_together(db, file, &mut works, more);
        if let Err(StoreError::Busy(_)) = stored {
            // Otherwise each of those waiting would wait as long again for the process that holds the file.
            works.extend(iter::from_fn(|| waiting.more()));
        }
        news::signal(raised);
        for work in works {
            work.answer(stored.clone());
        }
        log.tend(db);
    }
}

/// Runs `works`, then jobs from `more`, in one transaction. They hardly ever fail, so they run without savepoints,
/// which copy every written page; if one does fail, all start over, each in a savepoint.
fn store_together(
    db: &Connection,
    file: &FileIdentity,
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

/// Runs `work` in a transaction, which is on disk when this returns.
fn commit(
    db: &Connection,
    file: &FileIdentity,
    work: impl FnOnce() -> Result<(), StoreError>,
) -> Result<(), StoreError> {
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

/// Runs a job so that its failure undoes only its own changes.
fn run_apart(db: &Connection, work: &mut dyn Work) -> Result<(), StoreError> {
    execute(db, "SAVEPOINT job", ())?;
    if let Err(error) = work.run(db) {
        if db.is_autocommit() {
            // A full disk and similar errors end the whole transaction, not only the statement.
            return Err(error);
        }
        execute(db, "ROLLBACK TO job", ())?;
    }
    execute(db, "RELEASE job", ()).map(drop)
}
