//! Answers for which their line had no room: kept, with their files, until there is.

use std::time::Duration;

use telephony_domain::id::ConversationId;
use telephony_domain::message::{Draft, OutboundMedia};
use telephony_domain::time::Timestamp;

use super::turn::Turn;
use crate::StoreError;
use crate::sqlite::engine::query::{Db, execute, find};
use crate::sqlite::outbox::full_line;
use crate::sqlite::rows::{conversation, media};

/// How often it is looked whether there is room: a slow line has sent a message meanwhile, and nobody is asked for it.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Keeps the answer to a turn, with the files that go with it, until there is room.
pub(crate) fn keep(db: &Db, turn: &Turn, drafts: &[Draft], now: Timestamp) -> Result<(), StoreError> {
    let json = serde_json::to_string(drafts)
        .map_err(|error| StoreError::Other(format!("an answer could not be kept: {error}")))?;
    execute(db, "INSERT OR REPLACE INTO kept_answer (turn, drafts) VALUES (?, ?)", (turn.id.0, json))?;
    for enclosure in drafts.iter().flat_map(|draft| &draft.media) {
        if let OutboundMedia::File(file) = enclosure {
            media::tie(db, &file.name)?;
        }
    }
    wait(db, turn, now)
}

/// The answer that is kept of a turn, which is from now on in the caller's hands; none too where it cannot be read, as
/// after a change of the program: then the agent is asked again.
pub(crate) fn take_kept(db: &Db, turn: &Turn) -> Result<Option<Vec<Draft>>, StoreError> {
    let json = find(db, "SELECT drafts FROM kept_answer WHERE turn = ?", [turn.id.0], |row| row.get::<_, String>(0))?;
    let Some(json) = json else { return Ok(None) };
    execute(db, "DELETE FROM kept_answer WHERE turn = ?", [turn.id.0])?;
    Ok(serde_json::from_str(&json).ok())
}

/// Nothing that was kept for a conversation is wanted any more.
pub(crate) fn forget(db: &Db, id: ConversationId) -> Result<(), StoreError> {
    let sql = "DELETE FROM kept_answer WHERE turn IN (SELECT id FROM turn WHERE conversation = ?)";
    execute(db, sql, [id.0]).map(drop)
}

/// The turn is looked at again in a while. It has not failed: nobody is to blame, and nobody is told an apology.
pub(crate) fn wait(db: &Db, turn: &Turn, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE turn SET state = 'retrying', due_at = ?2, reason = ?3 WHERE id = ?1";
    execute(db, sql, (turn.id.0, (now + LOOK_EVERY).0, full_line::NO_ROOM))?;
    conversation::rearm(db, turn.conversation)?;
    full_line::tell(db, conversation::line_of(db, turn.conversation)?, now)
}
