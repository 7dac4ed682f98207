//! Text messages that belong to a call, and the contacts who can get them.

use telephony_domain::call::words::Words;
use telephony_domain::id::LineId;
use telephony_domain::message::{MessageDraft, MessagePurpose};
use telephony_domain::number::PhoneNumber;
use telephony_domain::plain_text;
use telephony_domain::sms::parts;
use telephony_domain::texting;
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::calls::CallWork;
use crate::sqlite::engine::query::Db;
use crate::sqlite::outbox::{enqueue, texting as facts};

/// Returns true if the contact can be texted now: by the stored state, not by that at the beginning of a call.
pub(super) fn can_be_texted(
    db: &Db,
    line: LineId,
    contact: &PhoneNumber,
    work: &CallWork,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let facts = facts::facts(db, line, contact, &work.terms, now)?;
    Ok(texting::can_be_texted(contact, &work.arrivals.policy, facts))
}

/// Queues a text, once for each key. Returns false if it was not queued because the recipient opted out, the line is
/// full, or no text is left without the Markdown.
pub(super) fn queue(
    db: &Db,
    line: LineId,
    to: PhoneNumber,
    key: String,
    text: &Words,
    work: &CallWork,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let text = plain_text::from_markdown(text.as_str());
    let parts = parts::of(&text, &work.split);
    if parts.is_empty() {
        return Ok(false);
    }
    let draft = MessageDraft { key, purpose: MessagePurpose::Reply, to, parts, text, media: Vec::new(), turn: None };
    match enqueue::enqueue(db, line, &draft, now) {
        Ok(_) => Ok(true),
        Err(StoreError::OptedOut | StoreError::QueueFull { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}
