//! The reader: each job sees one consistent snapshot and keeps nothing open afterwards.

use rusqlite::Connection;

use super::query::execute;
use super::waiting::JobQueue;
use super::work::Work;
use crate::StoreError;

/// Runs jobs until no more can arrive.
pub(crate) fn serve(db: &Connection, waiting: &JobQueue) {
    while let Some(mut work) = waiting.next() {
        let read = read_at_once(db, work.as_mut());
        work.answer(read);
    }
}

fn read_at_once(db: &Connection, work: &mut dyn Work) -> Result<(), StoreError> {
    execute(db, "BEGIN", ())?;
    // The job returns its own error to the caller.
    let _ = work.run(db);
    if db.is_autocommit() { Ok(()) } else { execute(db, "ROLLBACK", ()).map(drop) }
}
