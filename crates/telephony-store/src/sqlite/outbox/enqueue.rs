//! Enqueues drafts, once per key.

use telephony_domain::id::{ConversationId, LineId, MessageId};
use telephony_domain::limit::Terms;
use telephony_domain::line::Sender;
use telephony_domain::message::MessageDraft;
use telephony_domain::number::PhoneNumber;
use telephony_domain::pace::Pace;
use telephony_domain::time::Timestamp;

use super::queue;
use crate::StoreError;
use crate::outbox::Enqueued;
use crate::sqlite::engine::query::{Db, execute, find, new_id, one};
use crate::sqlite::rows::{conversation, line, media, tally};

/// Stores a draft, unless its key is known.
pub(crate) fn enqueue(db: &Db, line: LineId, draft: &MessageDraft, now: Timestamp) -> Result<Enqueued, StoreError> {
    if let Some(id) = find(db, "SELECT id FROM message WHERE key = ?", [&draft.key], |row| row.get(0))? {
        return Ok(Enqueued { message: MessageId(id), is_new: false });
    }
    if draft.parts.is_empty() {
        return Err(StoreError::Other("a message without parts cannot be sent".to_owned()));
    }
    line::sender_of(db, line)?;
    let conversation = conversation::find_or_make(db, line, &draft.to)?;
    if conversation::is_opted_out(db, conversation)? {
        return Err(StoreError::OptedOut);
    }
    if draft.purpose.is_for_operator() {
        queue::give_way(db, conversation)?;
    } else {
        check_room(db, line, draft)?;
    }
    let message = insert(db, conversation, draft, now)?;
    insert_parts(db, message, conversation, line, draft)?;
    queue::promote(db, conversation, now)?;
    Ok(Enqueued { message, is_new: true })
}

/// Checks whether a message would be accepted from its sender now; a sender without a line has an empty queue.
pub(crate) fn check_capacity(
    db: &Db,
    sender: &Sender,
    contact: &PhoneNumber,
    segments: u32,
    terms: &Terms,
) -> Result<(), StoreError> {
    let Some(line) = line::owner(db, sender)? else { return Ok(()) };
    if conversation::standing(db, line, contact)?.is_opted_out {
        return Err(StoreError::OptedOut);
    }
    let most = terms.pace(sender).map(Pace::segments_queued_at_most);
    let waiting = one(db, "SELECT waiting_segments FROM line WHERE id = ?", [line.0], |row| row.get(0))?;
    fits(waiting, segments, most)
}

fn check_room(db: &Db, line: LineId, draft: &MessageDraft) -> Result<(), StoreError> {
    check_segments(db, line, draft.parts.iter().map(|part| part.segments.max(1)).sum())
}

/// Fails with [`StoreError::QueueFull`] if the line's queue cannot hold this many segments.
pub(crate) fn check_segments(db: &Db, line: LineId, segments: u32) -> Result<(), StoreError> {
    let sql = "SELECT waiting_segments, waiting_at_most FROM line WHERE id = ?";
    let (waiting, most) = one(db, sql, [line.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    fits(waiting, segments, most)
}

fn fits(waiting: u32, more: u32, most: Option<u32>) -> Result<(), StoreError> {
    match most {
        Some(most) if waiting.saturating_add(more) > most => Err(StoreError::QueueFull { waiting, most }),
        _ => Ok(()),
    }
}

fn insert(
    db: &Db,
    conversation: ConversationId,
    draft: &MessageDraft,
    now: Timestamp,
) -> Result<MessageId, StoreError> {
    let is_in_its_part = matches!(draft.parts.as_slice(), [only] if only.text == draft.text);
    let text = (!is_in_its_part).then_some(&draft.text);
    let sql = "INSERT INTO message (key, conversation, turn, purpose, text, created_at) VALUES (?, ?, ?, ?, ?, ?)";
    let turn = draft.turn.map(|turn| turn.0);
    execute(db, sql, (&draft.key, conversation.0, turn, draft.purpose.as_str(), text, now.0))?;
    let id = MessageId(new_id(db));
    media::insert_outbound(db, id, &draft.media)?;
    tally::note_message(db, draft.purpose, now)?;
    Ok(id)
}

fn insert_parts(
    db: &Db,
    message: MessageId,
    conversation: ConversationId,
    line: LineId,
    draft: &MessageDraft,
) -> Result<(), StoreError> {
    let sql =
        "INSERT INTO part (message, position, conversation, line, text, segments, is_for_operator, correlator, state,
                           provider)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'queued', (SELECT provider FROM line WHERE id = ?4))";
    let is_for_operator = draft.purpose.is_for_operator();
    for (position, part) in (1u32..).zip(&draft.parts) {
        let correlation_id = new_correlation_id()?;
        let segments = part.segments.max(1);
        let row = (message.0, position, conversation.0, line.0, &part.text, segments, is_for_operator, correlation_id);
        execute(db, sql, row)?;
    }
    Ok(())
}

/// Creates 128 random bits in hexadecimal, so that a part's id cannot be guessed and reported on.
pub(crate) fn new_correlation_id() -> Result<String, StoreError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| StoreError::Other(format!("no random numbers: {error}")))?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}
