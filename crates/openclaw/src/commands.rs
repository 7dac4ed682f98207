//! The commands, each in a file at the path of its words.

pub mod completions;
pub mod gateway;
pub mod man;
pub mod pairing;
pub mod telephony;
