//! Converts an agent's answer to SMS: plain text, split into parts.

use telephony_domain::message::{MessageDraft, MessagePurpose, OutboundMedia};
use telephony_domain::plain_text;
use telephony_domain::sms::parts;
use telephony_store::inbox::LeasedTurn;

use crate::settings::Live;

/// Returns the answer to `turn` as a message for the outbox; none if it has neither text nor media.
pub(super) fn drafts(turn: &LeasedTurn, answer: &str, media: Vec<OutboundMedia>, live: &Live) -> Vec<MessageDraft> {
    let text = plain_text::from_markdown(answer);
    if text.trim().is_empty() && media.is_empty() {
        return Vec::new();
    }
    vec![MessageDraft {
        key: format!("turn-{}", turn.lease.turn),
        purpose: MessagePurpose::Reply,
        to: turn.contact.clone(),
        parts: parts::with_media(&text, !media.is_empty(), &live.split, &live.terms.carrier.mms),
        text,
        media,
        turn: Some(turn.lease.turn),
    }]
}
