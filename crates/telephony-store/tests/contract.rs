#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]
//! The contract of every store. Another backend runs the same tests with its own `backend`.

mod contract {
    mod account_stops;
    mod arrivals;
    mod attachments;
    mod backlogs;
    mod calls;
    mod clock_set_back;
    mod costs;
    mod crashes;
    mod doubts;
    mod gaps;
    mod history;
    mod interleavings;
    mod limits;
    mod lines;
    mod machines;
    mod notices;
    mod operator_commands;
    mod opt_outs;
    mod outbox;
    mod outgoing_calls;
    mod pacing;
    mod pairing;
    mod providers;
    mod queues;
    mod records;
    mod reports;
    mod retries;
    mod routes;
    mod senders;
    mod turns;
    pub mod world;
}

mod backend {
    use std::path::Path;
    use std::sync::Arc;

    use telephony_store::Store;
    use telephony_store::sqlite::{Mode, SqliteStore};

    /// Opens a store in `folder`; calling it twice simulates two processes that share it.
    pub fn open(folder: &Path) -> Arc<dyn Store> {
        Arc::new(SqliteStore::open(&folder.join("store.db"), Mode::Gateway).unwrap())
    }
}
