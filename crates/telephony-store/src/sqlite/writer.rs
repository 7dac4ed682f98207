//! Group commit: whatever waits shares one transaction and one sync of the disk, but not each other's failures.

use std::time::Instant;

use rusqlite::Connection;

use super::log::Log;
use super::query::execute;
use super::share::Share;
use super::waiting::{Batch, Waiting};
use super::worker::Work;
use crate::StoreError;
use crate::file::File;

/// No more arrivals share a commit, so that none waits long for the others.
const BATCH: usize = 64;

/// Does what it is asked until nobody can ask any more.
pub(super) fn serve(db: &Connection, file: &File, mut log: Log, waiting: &Waiting) {
    let mut share = Share::default();
    while let Some(batch) = waiting.next(&share, BATCH) {
        let began = Instant::now();
        match batch {
            Batch::Arrivals(mut arrivals) => {
                let stored = store_together(db, file, &mut arrivals, || None);
                share.arrivals_ended(Instant::now());
                answer(arrivals, &stored);
            }
            Batch::Work(first) => {
                let mut works = vec![first];
                let step = share.step(began);
                let more = || if began.elapsed() < step { waiting.more_work() } else { None };
                let stored = store_together(db, file, &mut works, more);
                share.work_ended(began, Instant::now());
                answer(works, &stored);
            }
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

fn answer(batch: Vec<Box<dyn Work>>, stored: &Result<(), StoreError>) {
    for work in batch {
        work.answer(stored.clone());
    }
}
