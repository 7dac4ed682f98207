//! SMS as carriers see it: character sets, segments, and splitting an answer into parts.

mod breaks;
pub mod gsm7;
pub mod parts;
pub mod segment;
pub mod split;
