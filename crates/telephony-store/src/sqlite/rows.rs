//! The rows that several layers share: lines, contacts, conversations, media, notices, the mark of a backup.
//!
//! They read and change a row and decide nothing. `conversation::rearm` is called after each change to a turn, because
//! the conversation's row holds the time of its next work.

pub(super) mod contact;
pub(super) mod conversation;
pub(super) mod line;
pub(super) mod media;
pub(super) mod notice;
pub(super) mod restored;
pub(super) mod tally;
