//! Conversations: their contact, its standing, and the time of their next work.

use telephony_domain::id::{ConversationId, LineId};
use telephony_domain::number::PhoneNumber;
use telephony_domain::policy::Standing;
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::sqlite::engine::columns;
use crate::sqlite::engine::query::{Db, execute, find, new_id, one};

/// Returns the conversation of `line` with `contact`, creating it if missing.
pub(crate) fn find_or_make(db: &Db, line: LineId, contact: &PhoneNumber) -> Result<ConversationId, StoreError> {
    let sql = "SELECT id FROM conversation WHERE line = ? AND contact = ?";
    match find(db, sql, (line.0, contact.as_str()), |row| row.get(0))? {
        Some(id) => Ok(ConversationId(id)),
        None => make(db, line, contact),
    }
}

/// Creates the conversation, which must not exist.
pub(crate) fn make(db: &Db, line: LineId, contact: &PhoneNumber) -> Result<ConversationId, StoreError> {
    let sql = "INSERT INTO conversation (line, contact) VALUES (?, ?)";
    execute(db, sql, (line.0, contact.as_str()))?;
    Ok(ConversationId(new_id(db)))
}

pub(crate) fn line_of(db: &Db, id: ConversationId) -> Result<LineId, StoreError> {
    one(db, "SELECT line FROM conversation WHERE id = ?", [id.0], |row| row.get(0).map(LineId))
}

pub(crate) fn contact_of(db: &Db, id: ConversationId) -> Result<PhoneNumber, StoreError> {
    one(db, "SELECT contact FROM conversation WHERE id = ?", [id.0], |row| columns::number(row, "contact"))
}

/// Returns the standing of a contact on a line.
pub(crate) fn standing(db: &Db, line: LineId, contact: &PhoneNumber) -> Result<Standing, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM contact WHERE number = ?2 AND approved_at IS NOT NULL),
                      EXISTS (SELECT 1 FROM contact WHERE number = ?2 AND blocked_at IS NOT NULL),
                      EXISTS (SELECT 1 FROM conversation WHERE line = ?1 AND contact = ?2 AND opted_out_at IS NOT NULL)";
    one(db, sql, (line.0, contact.as_str()), |row| {
        Ok(Standing { is_approved: row.get(0)?, is_blocked: row.get(1)?, is_opted_out: row.get(2)? })
    })
}

/// Returns true if the contact opted out of the line.
pub(crate) fn is_opted_out(db: &Db, id: ConversationId) -> Result<bool, StoreError> {
    one(db, "SELECT opted_out_at IS NOT NULL FROM conversation WHERE id = ?", [id.0], |row| row.get(0))
}

/// Records since when messages wait, and when they become a turn; none: no message waits.
pub(crate) fn set_ready(
    db: &Db,
    id: ConversationId,
    waiting: Option<(Timestamp, Timestamp)>,
) -> Result<(), StoreError> {
    let sql = format!("UPDATE conversation SET waiting_since = ?2, ready_at = ?3, {} WHERE id = ?1", due("?3"));
    let (since, ready) = waiting.map(|(since, ready)| (since.0, ready.0)).unzip();
    execute(db, &sql, (id.0, since, ready)).map(drop)
}

/// Recomputes when the conversation has work; to be called after each change to its turns.
pub(crate) fn rearm(db: &Db, id: ConversationId) -> Result<(), StoreError> {
    execute(db, &format!("UPDATE conversation SET {} WHERE id = ?1", due("ready_at")), [id.0]).map(drop)
}

/// SQL: none while it is paused. A turn in flight decides, else whatever comes first; SQL's `min` is null if one of its
/// values is.
fn due(ready: &str) -> String {
    const PARKED: &str = "(SELECT min(due_at) FROM turn WHERE conversation = ?1 AND state = 'parked')";
    const IN_FLIGHT: &str = "(SELECT due_at FROM turn WHERE conversation = ?1 AND state IN ('leased', 'retrying'))";
    let due = format!("coalesce({IN_FLIGHT}, min({ready}, {PARKED}), {ready}, {PARKED})");
    format!("due_at = iif(paused_until IS NULL, {due}, NULL)")
}
