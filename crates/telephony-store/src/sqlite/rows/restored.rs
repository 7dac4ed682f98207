//! The mark of a backup that was restored, while what happened since is not known.

use crate::StoreError;
use crate::sqlite::engine::query::{Db, execute, one};

/// Returns true while nothing may be answered or sent.
pub(crate) fn is_pending(db: &Db) -> Result<bool, StoreError> {
    one(db, "SELECT EXISTS (SELECT 1 FROM restored)", (), |row| row.get(0))
}

pub(crate) fn end(db: &Db) -> Result<(), StoreError> {
    execute(db, "DELETE FROM restored_entry", ())?;
    execute(db, "DELETE FROM restored", ()).map(drop)
}
