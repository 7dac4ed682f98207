//! Signatures of stored messages' webhooks: each signature counts for one content only.

use telephony_domain::message::{Arrival, Signed};

use crate::StoreError;
use crate::sqlite::engine::query::{Db, execute, find};

/// Returns the digest of the fields that arrived with this signature.
pub(super) fn content(db: &Db, signature: &str) -> Result<Option<String>, StoreError> {
    find(db, "SELECT signed_content FROM inbound WHERE signature = ? LIMIT 1", [signature], |row| row.get(0))
}

/// Returns true if the signature of this arrival was used with other fields before.
pub(super) fn is_tampered(db: &Db, arrival: &Arrival) -> Result<bool, StoreError> {
    let Some(Signed { signature, content: ours }) = &arrival.signed else { return Ok(false) };
    Ok(content(db, signature)?.is_some_and(|known| known != *ours))
}

/// Stores the signature with its message, also if the message was already found in the provider's list.
pub(super) fn keep(db: &Db, provider: &str, arrival: &Arrival) -> Result<(), StoreError> {
    let Some(Signed { signature, content }) = &arrival.signed else { return Ok(()) };
    let sql = "UPDATE inbound SET signature = ?2, signed_content = ?3
               WHERE provider_id = ?1 AND provider = ?4 AND signature IS NULL";
    execute(db, sql, (&arrival.provider_id, signature, content, provider)).map(drop)
}
