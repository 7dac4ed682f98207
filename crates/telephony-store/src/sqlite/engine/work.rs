//! A job for the thread that owns a connection.

use rusqlite::Connection;

use crate::StoreError;

/// A job with a waiting caller.
pub(crate) trait Work: Send {
    /// Runs the job; after an error all its changes are rolled back. It may run again after its changes were undone.
    fn run(&mut self, db: &Connection) -> Result<(), StoreError>;

    /// Answers the caller; an error in `stored` means that nothing was kept.
    fn answer(self: Box<Self>, stored: Result<(), StoreError>);
}
