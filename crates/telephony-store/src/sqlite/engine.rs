//! The engine: the file, its connections, the two threads that own them, and the schema.
//!
//! One thread writes and one reads. Waiting writes share a transaction and a sync of the disk; a job that fails is
//! undone alone, and none is answered before its result is on disk. No other layer names a type of SQLite: they use the
//! helpers in `query` and the values in `columns`.

pub(super) mod checkpoint;
pub(super) mod columns;
mod connection;
pub(super) mod copy;
mod failure;
pub(super) mod mode;
pub(super) mod news;
pub(super) mod open;
pub(super) mod query;
pub(super) mod reader;
pub(super) mod schema;
pub(super) mod waiting;
mod work;
pub(super) mod worker;
pub(super) mod writer;
