//! Answers kept with their files until their line's queue has capacity.

use std::time::Duration;

use telephony_domain::id::ConversationId;
use telephony_domain::message::{MessageDraft, OutboundMedia};
use telephony_domain::time::Timestamp;

use super::turn::TurnRow;
use crate::StoreError;
use crate::sqlite::engine::query::{Db, execute, find};
use crate::sqlite::outbox::full_line;
use crate::sqlite::rows::{conversation, media};

/// Interval at which a full line is rechecked; the agent is not asked again.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Keeps the answer to a turn with its files until there is capacity.
pub(crate) fn keep(db: &Db, turn: &TurnRow, drafts: &[MessageDraft], now: Timestamp) -> Result<(), StoreError> {
    let json =
        serde_json::to_string(drafts).map_err(|error| StoreError::Other(format!("cannot keep an answer: {error}")))?;
    execute(db, "INSERT OR REPLACE INTO kept_answer (turn, drafts) VALUES (?, ?)", (turn.id.0, json))?;
    for enclosure in drafts.iter().flat_map(|draft| &draft.media) {
        if let OutboundMedia::File(file) = enclosure {
            media::tie(db, &file.name)?;
        }
    }
    wait(db, turn, now)
}

/// Takes the kept answer of a turn; none also if it is unreadable, as after an update of the program: then the agent is
/// asked again.
pub(crate) fn take_kept(db: &Db, turn: &TurnRow) -> Result<Option<Vec<MessageDraft>>, StoreError> {
    let json = find(db, "SELECT drafts FROM kept_answer WHERE turn = ?", [turn.id.0], |row| row.get::<_, String>(0))?;
    let Some(json) = json else { return Ok(None) };
    execute(db, "DELETE FROM kept_answer WHERE turn = ?", [turn.id.0])?;
    Ok(serde_json::from_str(&json).ok())
}

/// Drops all kept answers of a conversation.
pub(crate) fn forget(db: &Db, id: ConversationId) -> Result<(), StoreError> {
    let sql = "DELETE FROM kept_answer WHERE turn IN (SELECT id FROM turn WHERE conversation = ?)";
    execute(db, sql, [id.0]).map(drop)
}

/// Schedules another check. The turn has not failed, and the contact gets no apology.
pub(crate) fn wait(db: &Db, turn: &TurnRow, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE turn SET state = 'retrying', due_at = ?2, reason = ?3 WHERE id = ?1";
    execute(db, sql, (turn.id.0, (now + LOOK_EVERY).0, full_line::NO_ROOM))?;
    conversation::rearm(db, turn.conversation)?;
    full_line::raise_notice(db, conversation::line_of(db, turn.conversation)?, now)
}
