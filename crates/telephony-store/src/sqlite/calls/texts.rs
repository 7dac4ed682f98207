//! Text messages that belong to a call.

use telephony_domain::call::words::Words;
use telephony_domain::id::LineId;
use telephony_domain::message::{Draft, Purpose};
use telephony_domain::number::PhoneNumber;
use telephony_domain::plain_text;
use telephony_domain::sms::parts;
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::calls::CallWork;
use crate::sqlite::engine::query::Db;
use crate::sqlite::outbox::enqueue;

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
    let draft = Draft { key, purpose: Purpose::Reply, to, parts, text, media: Vec::new(), turn: None };
    match enqueue::enqueue(db, line, &draft, now) {
        Ok(_) => Ok(true),
        Err(StoreError::OptedOut | StoreError::QueueFull { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}
