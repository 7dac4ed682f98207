//! SMS as the carrier sees it: which characters cost what, how a text is billed, and how an answer becomes parts.

mod breaks;
pub mod gsm7;
pub mod segment;
pub mod split;
