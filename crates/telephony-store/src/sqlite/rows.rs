//! The rows that several rooms share: lines, contacts, conversations, media, notices, the mark of a backup.
//!
//! They read and change a row and decide nothing. `conversation::rearm` is called after each change to a turn: the time at
//! which a conversation has work is kept in its row.

pub(super) mod contact;
pub(super) mod conversation;
pub(super) mod line;
pub(super) mod media;
pub(super) mod notice;
pub(super) mod restored;
pub(super) mod tally;
