//! Room on a line: what finds none there waits for it, and the operator is told.

use std::time::Duration;

use rusqlite::Connection;
use telephony_domain::id::{ConversationId, LineId};
use telephony_domain::message::{Draft, OutboundMedia};
use telephony_domain::time::Timestamp;

use super::query::{execute, find, one};
use super::turn::Turn;
use super::{conversation, media, notice};
use crate::StoreError;
use crate::notices::Notice;

/// How often it is looked whether there is room: a slow line has sent a message meanwhile, and nobody is asked for it.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Why a turn waits.
pub(super) const NO_ROOM: &str = "too much waits on the line already";

/// Keeps the answer to a turn, with the files that go with it, until there is room.
pub(super) fn keep(db: &Connection, turn: &Turn, drafts: &[Draft], now: Timestamp) -> Result<(), StoreError> {
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
pub(super) fn take_kept(db: &Connection, turn: &Turn) -> Result<Option<Vec<Draft>>, StoreError> {
    let json = find(db, "SELECT drafts FROM kept_answer WHERE turn = ?", [turn.id.0], |row| row.get::<_, String>(0))?;
    let Some(json) = json else { return Ok(None) };
    execute(db, "DELETE FROM kept_answer WHERE turn = ?", [turn.id.0])?;
    Ok(serde_json::from_str(&json).ok())
}

/// Nothing that was kept for a conversation is wanted any more.
pub(super) fn forget(db: &Connection, id: ConversationId) -> Result<(), StoreError> {
    let sql = "DELETE FROM kept_answer WHERE turn IN (SELECT id FROM turn WHERE conversation = ?)";
    execute(db, sql, [id.0]).map(drop)
}

/// The turn is looked at again in a while. It has not failed: nobody is to blame, and nobody is told an apology.
pub(super) fn wait(db: &Connection, turn: &Turn, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE turn SET state = 'retrying', due_at = ?2, reason = ?3 WHERE id = ?1";
    execute(db, sql, (turn.id.0, (now + LOOK_EVERY).0, NO_ROOM))?;
    conversation::rearm(db, turn.conversation)?;
    tell(db, conversation::line_of(db, turn.conversation)?, now)
}

fn tell(db: &Connection, line: LineId, now: Timestamp) -> Result<(), StoreError> {
    let sql = "SELECT coalesce(messaging_service, number) AS name, waiting_segments FROM line WHERE id = ?";
    let (name, segments) = one(db, sql, [line.0], |row| Ok((row.get::<_, String>(0)?, row.get::<_, u32>(1)?)))?;
    let text = format!(
        "{segments} segments wait on {name}, as many as it sends in 10 hours: answers wait until there is room, and \
         `send` is refused. `openclaw telephony status` says until when; set sms.segmentsPerSecond where the number may \
         send faster"
    );
    if notice::give(db, &Notice::ongoing(format!("queue-full-{line}"), text), now)? {
        tracing::warn!(line = %line, segments, "a line has no room for more messages: answers wait");
    }
    Ok(())
}

/// Takes back what the operator was told of lines that have room again: a tenth, so that it does not come and go.
pub(super) fn end_limit_notices(db: &Connection) -> Result<(), StoreError> {
    let sql = "UPDATE notice SET is_over = 1 WHERE name GLOB 'queue-full-*' AND is_over = 0
               AND NOT EXISTS (SELECT 1 FROM line WHERE notice.name = 'queue-full-' || id
                                 AND waiting_segments > waiting_at_most - waiting_at_most / 10)
               AND NOT EXISTS (SELECT 1 FROM kept_answer)";
    execute(db, sql, ()).map(drop)
}
