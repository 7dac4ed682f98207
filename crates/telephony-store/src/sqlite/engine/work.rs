//! A job for the thread that owns a connection.

use rusqlite::Connection;

use crate::StoreError;

/// Something to be done with the connection, and somebody who waits for it.
pub(crate) trait Work: Send {
    /// Does it; after an error nothing of what it did is to be kept. It may be asked again once what it did was undone.
    fn run(&mut self, db: &Connection) -> Result<(), StoreError>;

    /// Tells whoever waits what came of it; an error in `stored` means that nothing was kept.
    fn answer(self: Box<Self>, stored: Result<(), StoreError>);
}
