//! An agent's answer as SMS: plain text, cut into parts.

use telephony_domain::message::{Draft, OutboundMedia, PartDraft, Purpose};
use telephony_domain::mms;
use telephony_domain::plain_text;
use telephony_domain::sms::segment;
use telephony_domain::sms::split::{SplitRules, split};
use telephony_store::inbox::LeasedTurn;

/// The answer to `turn` as a message for the outbox; none at all when there is nothing to say or to show.
pub(super) fn drafts(turn: &LeasedTurn, answer: &str, media: Vec<OutboundMedia>, rules: &SplitRules) -> Vec<Draft> {
    let text = plain_text::from_markdown(answer);
    if text.trim().is_empty() && media.is_empty() {
        return Vec::new();
    }
    vec![Draft {
        key: format!("turn-{}", turn.lease.turn),
        purpose: Purpose::Reply,
        to: turn.contact.clone(),
        parts: parts_with(&text, !media.is_empty(), rules),
        text,
        media,
        turn: Some(turn.lease.turn),
    }]
}

/// The same for a text with which media go: an MMS is not cut for segments, only where it is longer than any may be.
pub fn parts_with(text: &str, has_media: bool, rules: &SplitRules) -> Vec<PartDraft> {
    if !has_media {
        return parts(text, rules);
    }
    if text.encode_utf16().count() <= mms::TEXT_AT_MOST {
        return vec![PartDraft { text: text.trim().to_owned(), segments: mms::SEGMENTS }];
    }
    let mut parts = parts(text, rules);
    if let Some(first) = parts.first_mut() {
        first.segments = first.segments.max(mms::SEGMENTS);
    }
    parts
}

/// `text` cut into parts, each with its segments counted.
pub fn parts(text: &str, rules: &SplitRules) -> Vec<PartDraft> {
    let parts = split(text, rules).parts;
    parts.into_iter().map(|text| PartDraft { segments: segment::count(&text).segments.max(1), text }).collect()
}
