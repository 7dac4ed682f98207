//! The daemon: takes webhooks in, has turns answered, hands messages out. The only crate with tasks of its own.

pub mod address;
pub mod backfill;
pub mod gateway;
pub mod inbox;
pub mod intake;
pub mod lock;
pub mod metrics;
pub mod notices;
pub mod numbers;
pub mod operator;
pub mod outbox;
pub mod picture;
mod places;
pub mod poke;
pub mod prices;
pub mod probe;
pub mod random;
pub mod routing;
pub mod rules;
mod settle;
pub mod stop;
pub mod tasks;
mod tidy;
pub mod tunnel;
mod unanswered;
pub mod wake;
pub mod webhook;
