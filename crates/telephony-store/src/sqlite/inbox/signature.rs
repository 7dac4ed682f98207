//! Signatures of the webhooks that messages came by, kept as long as the message: one signature counts for one content.

use telephony_domain::message::{Arrival, Signed};

use crate::StoreError;
use crate::sqlite::engine::query::{Db, execute, find};

/// The digest of the fields that came with this signature.
pub(super) fn content(db: &Db, signature: &str) -> Result<Option<String>, StoreError> {
    find(db, "SELECT signed_content FROM inbound WHERE signature = ? LIMIT 1", [signature], |row| row.get(0))
}

/// Returns true if the signature of this arrival came with other fields before.
pub(super) fn is_recut(db: &Db, arrival: &Arrival) -> Result<bool, StoreError> {
    let Some(Signed { signature, content: ours }) = &arrival.signed else { return Ok(false) };
    Ok(content(db, signature)?.is_some_and(|known| known != *ours))
}

/// Keeps the signature with the stored message: also one that comes after the message was found in the provider's list.
pub(super) fn keep(db: &Db, arrival: &Arrival) -> Result<(), StoreError> {
    let Some(Signed { signature, content }) = &arrival.signed else { return Ok(()) };
    let sql = "UPDATE inbound SET signature = ?2, signed_content = ?3 WHERE provider_id = ?1 AND signature IS NULL";
    execute(db, sql, (&arrival.provider_id, signature, content)).map(drop)
}
