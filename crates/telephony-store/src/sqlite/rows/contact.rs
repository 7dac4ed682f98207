//! A contact's rows, which several layers read.

use telephony_domain::id::ConversationId;
use telephony_domain::number::PhoneNumber;

use crate::StoreError;
use crate::sqlite::engine::query::{Db, list, one};

/// Returns true if the contact is approved.
pub(crate) fn is_approved(db: &Db, contact: &PhoneNumber) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM contact WHERE number = ? AND approved_at IS NOT NULL)";
    one(db, sql, [contact.as_str()], |row| row.get(0))
}

/// Returns true if the operator approved or blocked the contact.
pub(crate) fn is_decided(db: &Db, contact: &PhoneNumber) -> Result<bool, StoreError> {
    let sql =
        "SELECT EXISTS (SELECT 1 FROM contact WHERE number = ? AND coalesce(approved_at, blocked_at) IS NOT NULL)";
    one(db, sql, [contact.as_str()], |row| row.get(0))
}

/// Returns the conversations of our lines with the contact.
pub(crate) fn conversations(db: &Db, contact: &PhoneNumber) -> Result<Vec<ConversationId>, StoreError> {
    let sql = "SELECT id FROM conversation WHERE contact = ?";
    list(db, sql, [contact.as_str()], |row| row.get(0).map(ConversationId))
}
