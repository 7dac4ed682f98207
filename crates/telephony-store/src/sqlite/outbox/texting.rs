//! Facts about texts to a contact: whether they arrive, and whether a daily limit holds them back.

use telephony_domain::carrier::Carrier;
use telephony_domain::id::{ConversationId, LineId};
use telephony_domain::limit::{Cost, LimitVerdict, Terms};
use telephony_domain::notice::name::DAILY_CAP;
use telephony_domain::number::PhoneNumber;
use telephony_domain::texting::TextingFacts;
use telephony_domain::time::Timestamp;

use super::ledger;
use crate::StoreError;
use crate::sqlite::engine::query::{Db, find, one, time};
use crate::sqlite::rows::{contact, conversation};

/// A short text that is not a reply to a text, so that the limit on fast replies does not hold it back.
const ONE_SEGMENT: Cost = Cost { segments: 1, is_automatic: false, is_for_operator: false };

/// Returns the facts about a short text to `contact` now.
pub(crate) fn facts(
    db: &Db,
    line: LineId,
    contact: &PhoneNumber,
    terms: &Terms,
    now: Timestamp,
) -> Result<TextingFacts, StoreError> {
    Ok(TextingFacts {
        standing: conversation::standing(db, line, contact)?,
        is_unreachable: is_unreachable(db, contact, terms.carrier)?,
        is_capped: is_capped(db, line, contact, terms, now)?,
    })
}

/// Returns true if the provider reported that the number cannot receive texts, and none was delivered later.
fn is_unreachable(db: &Db, contact: &PhoneNumber, carrier: &Carrier) -> Result<bool, StoreError> {
    let mut newest = None;
    for id in contact::conversations(db, contact)? {
        newest = newest.max(last_known(db, id, carrier)?);
    }
    Ok(newest.is_some_and(|(_, is_unreachable)| is_unreachable))
}

/// Returns the time of the last text that was delivered or that could not be, and whether it could not.
fn last_known(db: &Db, id: ConversationId, carrier: &Carrier) -> Result<Option<(Timestamp, bool)>, StoreError> {
    let codes: Vec<String> = carrier.unreachable_codes.iter().map(u32::to_string).collect();
    let sql = format!(
        "SELECT m.created_at, p.code IS NOT NULL AND p.code IN ({codes}) AS is_unreachable
         FROM message AS m JOIN part AS p ON p.message = m.id
         WHERE m.conversation = ? AND (p.status = 'delivered' OR p.code IN ({codes}))
         ORDER BY m.created_at DESC, p.position DESC LIMIT 1",
        codes = codes.join(", ")
    );
    find(db, &sql, [id.0], |row| Ok((time(row, "created_at")?, row.get("is_unreachable")?)))
}

/// Returns true if a text would wait for a daily limit of ours or of the provider.
fn is_capped(db: &Db, line: LineId, contact: &PhoneNumber, terms: &Terms, now: Timestamp) -> Result<bool, StoreError> {
    if ledger::verdict(db, &terms.limits, contact.as_str(), ONE_SEGMENT, now)? != LimitVerdict::Fits {
        return Ok(true);
    }
    let sql = "SELECT EXISTS (SELECT 1 FROM part WHERE waits_for = ? AND line = ? AND waits_until > ?)";
    one(db, sql, (DAILY_CAP, line.0, now.0), |row| row.get(0))
}
