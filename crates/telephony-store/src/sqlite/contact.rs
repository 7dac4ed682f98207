//! A contact: the rows, which several rooms read.

use rusqlite::Connection;
use telephony_domain::id::ConversationId;
use telephony_domain::number::PhoneNumber;

use super::query::{list, one};
use crate::StoreError;

/// Returns true where the operator has approved the contact.
pub(super) fn is_approved(db: &Connection, contact: &PhoneNumber) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM contact WHERE number = ? AND approved_at IS NOT NULL)";
    one(db, sql, [contact.as_str()], |row| row.get(0))
}

/// The conversations that our lines have with the contact.
pub(super) fn conversations(db: &Connection, contact: &PhoneNumber) -> Result<Vec<ConversationId>, StoreError> {
    let sql = "SELECT id FROM conversation WHERE contact = ?";
    list(db, sql, [contact.as_str()], |row| row.get(0).map(ConversationId))
}
