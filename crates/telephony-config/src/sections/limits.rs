//! `limits`: what may be spent.

use crate::form::numbers::Limit;
use crate::keys::Keys;

/// What may be spent; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Carrier segments of one answer; what is over is cut off with a mark.
    pub segments_per_reply: Option<u32>,
    /// Carrier segments to one contact in a day.
    pub segments_per_contact_per_day: Option<u32>,
    /// Carrier segments to everyone in a day.
    pub segments_per_day: Option<u32>,
    /// Replies to people who are not approved, to all of them in a day.
    pub stranger_replies_per_day: Option<u32>,
    /// Replies to one contact within 30 seconds.
    pub replies_per_contact_per_30s: Option<u32>,
}

impl Limits {
    pub(crate) fn read(keys: &mut Keys<'_, '_>) -> Self {
        let mut limit = |name, doc, default| keys.key(name, doc, Limit).or(Some(default));
        Self {
            segments_per_reply: limit(
                "segmentsPerReply",
                "Carrier segments of one answer; what is over is cut off with a mark.",
                30,
            ),
            segments_per_contact_per_day: limit(
                "segmentsPerContactPerDay",
                "Carrier segments to one person in a day.",
                300,
            ),
            segments_per_day: limit("segmentsPerDay", "Carrier segments to everyone in a day.", 3000),
            stranger_replies_per_day: limit(
                "strangerRepliesPerDay",
                "Pairing replies to people you have not approved, to all of them in a day.",
                50,
            ),
            replies_per_contact_per_30s: limit(
                "repliesPerContactPer30s",
                "Replies to one person within 30 seconds, so that two machines do not talk for ever.",
                12,
            ),
        }
    }
}
