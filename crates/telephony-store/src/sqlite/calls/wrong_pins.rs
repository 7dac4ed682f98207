//! Wrong PINs, counted over all calls: too many lock unproven callers out.

use telephony_domain::call::proof::{MAX_WRONG_PINS, WRONG_PINS_FOR};
use telephony_domain::notice::Notice;
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::sqlite::engine::query::Db;
use crate::sqlite::rows::{notice, tally};

/// Counter of wrong PINs.
const WRONG_PIN: &str = "wrong-pin";

const LOCKOUT: &str = "pin-lockout";

/// Counts a wrong PIN. Returns true if unproven callers are locked out from now on.
pub(super) fn count(db: &Db, now: Timestamp) -> Result<bool, StoreError> {
    tally::note(db, WRONG_PIN, now)?;
    if are_too_many(db, now)? || tally::count(db, WRONG_PIN, WRONG_PINS_FOR, now)? < MAX_WRONG_PINS {
        return Ok(false);
    }
    tally::note(db, LOCKOUT, now)?;
    notice::raise(db, &Notice::WrongPins, now)?;
    Ok(true)
}

/// Returns true while unproven callers are locked out.
pub(super) fn are_too_many(db: &Db, now: Timestamp) -> Result<bool, StoreError> {
    Ok(tally::count(db, LOCKOUT, WRONG_PINS_FOR, now)? > 0)
}
