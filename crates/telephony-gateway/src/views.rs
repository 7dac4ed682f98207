//! The state of the channel as JSON: what commands print with `--json`, and what a console shows.
//!
//! Programs depend on the names and the meaning of the fields. Times are UTC, and money is exact.

pub mod call;
pub mod conversation;
pub mod costs;
pub mod message;
pub mod money;
pub mod part;
pub mod people;
pub mod plan;
pub mod record;
pub mod route;
pub mod status;
pub mod time;
