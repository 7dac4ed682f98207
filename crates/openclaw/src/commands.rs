//! The commands, each in a file named like the words that are typed.

pub mod completions;
pub mod gateway;
pub mod man;
pub mod pairing;
pub mod telephony;
