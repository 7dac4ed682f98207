//! `limits`: spending limits.

use crate::form::numbers::Limit;
use crate::keys::Keys;

/// Spending limits; `None` is unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Carrier segments per answer; the rest is cut off and marked.
    pub segments_per_reply: Option<u32>,
    /// Carrier segments to one contact per day.
    pub segments_per_contact_per_day: Option<u32>,
    /// Carrier segments to all contacts per day.
    pub segments_per_day: Option<u32>,
    /// Replies to all unapproved contacts together per day.
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
                "Carrier segments per answer; the rest is cut off and marked.",
                30,
            ),
            segments_per_contact_per_day: limit(
                "segmentsPerContactPerDay",
                "Carrier segments to one contact per day.",
                300,
            ),
            segments_per_day: limit("segmentsPerDay", "Carrier segments to all contacts per day.", 3000),
            stranger_replies_per_day: limit(
                "strangerRepliesPerDay",
                "Pairing replies to all unapproved contacts together per day.",
                50,
            ),
            replies_per_contact_per_30s: limit(
                "repliesPerContactPer30s",
                "Replies to one contact within 30 seconds, so that two machines do not talk forever.",
                12,
            ),
        }
    }
}
