//! Pairing requests of strangers, and their kept messages.

use telephony_domain::id::{InboundId, LineId, TurnId};
use telephony_domain::limit::Terms;
use telephony_domain::message::{MessageDraft, MessagePurpose, PartDraft};
use telephony_domain::notice::Notice;
use telephony_domain::number::PhoneNumber;
use telephony_domain::pairing::{CODE_VALID_FOR, MAX_PENDING, PairingCode};
use telephony_domain::texting::can_receive;
use telephony_domain::time::Timestamp;

use super::removal;
use crate::StoreError;
use crate::contacts::{CallerChallenged, Challenge, Challenged, KEPT_FOR, MAX_KEPT, PairingRequest, Who};
use crate::inbox::TurnLease;
use crate::sqlite::engine::columns;
use crate::sqlite::engine::query::{Db, Row, RowResult, apart, execute, find, list, one, time};
use crate::sqlite::inbox::turn::{self, TurnRow};
use crate::sqlite::inbox::{kept_answer, turn_end};
use crate::sqlite::outbox::{enqueue, full_line, texting};
use crate::sqlite::rows::{contact, notice, tally};

/// A stranger who writes.
struct Stranger {
    turn: TurnRow,
    asker: Asker,
}

/// A stranger on one of our lines, and the key of the SMS with their code.
struct Asker {
    line: LineId,
    contact: PhoneNumber,
    key: String,
    turn: Option<TurnId>,
    can_be_texted: bool,
}

/// Creates the request of a stranger who calls, or finds the existing one. Returns the code even if it cannot be
/// texted.
///
/// The caller was admitted in an earlier transaction, and the operator may have decided about the number since.
pub(super) fn challenge_caller(
    db: &Db,
    line: LineId,
    contact: &PhoneNumber,
    key: &str,
    challenge: Challenge,
    terms: &Terms,
    now: Timestamp,
) -> Result<CallerChallenged, StoreError> {
    if contact::is_decided(db, contact)? {
        return Ok(CallerChallenged::NoStranger);
    }
    let can_be_texted = can_receive(contact, texting::facts(db, line, contact, terms, now)?);
    let asker = Asker { line, contact: contact.clone(), key: key.to_owned(), turn: None, can_be_texted };
    delete_expired(db, now)?;
    ask(db, &asker, challenge, now)?;
    let code = find(db, "SELECT code FROM pairing WHERE contact = ?", [contact.as_str()], columns::code)?;
    Ok(code.map_or(CallerChallenged::NoCode, CallerChallenged::Code))
}

/// Closes a stranger's turn.
pub(super) fn challenge(
    db: &Db,
    lease: &TurnLease,
    challenge: Challenge,
    now: Timestamp,
) -> Result<Challenged, StoreError> {
    let turn = turn::held(db, lease)?;
    let sql = "SELECT line, contact FROM conversation WHERE id = ?";
    let (line, contact) =
        one(db, sql, [turn.conversation.0], |row| Ok((LineId(row.get("line")?), columns::number(row, "contact")?)))?;
    let asker = Asker { line, contact, key: format!("pairing-{}", turn.id), turn: Some(turn.id), can_be_texted: true };
    let stranger = Stranger { turn, asker };
    if contact::is_decided(db, &stranger.asker.contact)? {
        turn_end::hand_back(db, lease, now)?;
        return Ok(Challenged::AskedBefore);
    }
    delete_expired(db, now)?;
    let outcome = match apart(db, || ask(db, &stranger.asker, challenge, now)) {
        Err(StoreError::QueueFull { .. }) => Challenged::NoRoom,
        outcome => outcome?,
    };
    match outcome {
        Challenged::Asked | Challenged::AskedBefore => keep(db, &stranger, now)?,
        Challenged::TooManyPending => drop_turn(db, &stranger, "too many pairing requests are pending", now)?,
        Challenged::BudgetSpent => drop_turn(db, &stranger, "today's limit for strangers is reached", now)?,
        Challenged::NoRoom => {
            turn::close_attempt(db, &stranger.turn, "kept", Some(full_line::NO_ROOM), Some(now))?;
            kept_answer::wait(db, &stranger.turn, now)?;
        }
    }
    Ok(outcome)
}

fn ask(db: &Db, asker: &Asker, challenge: Challenge, now: Timestamp) -> Result<Challenged, StoreError> {
    let (pending, asked_before): (u32, bool) = one(
        db,
        "SELECT count(*), count(*) FILTER (WHERE contact = ?) > 0 FROM pairing",
        [asker.contact.as_str()],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    if asked_before {
        return Ok(Challenged::AskedBefore);
    }
    if pending >= MAX_PENDING {
        return Ok(Challenged::TooManyPending);
    }
    let sent = tally::count(db, MessagePurpose::Pairing.as_str(), tally::DAY, now)?;
    if challenge.replies_per_day.is_some_and(|most| sent >= most) {
        notice::raise(db, &Notice::PairingLimitReached { sent }, now)?;
        return Ok(Challenged::BudgetSpent);
    }
    request(db, asker, &challenge.code, now)?;
    send_code(db, asker, challenge.parts, now)?;
    let (contact, code) = (asker.contact.to_string(), challenge.code.to_string());
    notice::raise_again(db, &Notice::PairingRequested { contact, code }, now)?;
    Ok(Challenged::Asked)
}

fn request(db: &Db, asker: &Asker, code: &PairingCode, now: Timestamp) -> Result<(), StoreError> {
    let sql = "INSERT OR IGNORE INTO pairing (code, contact, line, requested_at, expires_at) VALUES (?, ?, ?, ?, ?)";
    let row = (code.as_str(), asker.contact.as_str(), asker.line.0, now.0, (now + CODE_VALID_FOR).0);
    if execute(db, sql, row)? == 0 { Err(StoreError::CodeTaken) } else { Ok(()) }
}

/// Queues the SMS with the code. A caller hears the code, so a number that gets no texts or a full line is no failure.
fn send_code(db: &Db, asker: &Asker, parts: Vec<PartDraft>, now: Timestamp) -> Result<(), StoreError> {
    if !asker.can_be_texted {
        return Ok(());
    }
    let draft = MessageDraft {
        key: asker.key.clone(),
        purpose: MessagePurpose::Pairing,
        to: asker.contact.clone(),
        text: text_of(&parts),
        parts,
        media: Vec::new(),
        turn: asker.turn,
    };
    match enqueue::enqueue(db, asker.line, &draft, now) {
        Err(StoreError::QueueFull { .. }) if asker.turn.is_none() => Ok(()),
        enqueued => enqueued.map(drop),
    }
}

/// Joins the text of a message that is only given in parts.
pub(super) fn text_of(parts: &[PartDraft]) -> String {
    parts.iter().map(|part| part.text.as_str()).collect()
}

/// Keeps the stranger's messages up to the limit; the oldest ones win.
fn keep(db: &Db, stranger: &Stranger, now: Timestamp) -> Result<(), StoreError> {
    let sql = "SELECT id FROM inbound WHERE turn = ? ORDER BY id";
    let messages = list(db, sql, [stranger.turn.id.0], |row| row.get(0).map(InboundId))?;
    let capacity = MAX_KEPT.saturating_sub(kept(db, &stranger.asker.contact)?);
    drop_turn(db, stranger, "too many messages from a stranger to keep", now)?;
    for message in messages.iter().take(usize::try_from(capacity).unwrap_or(usize::MAX)) {
        execute(db, "UPDATE inbound SET state = 'kept', why = NULL, turn = NULL WHERE id = ?", [message.0])?;
    }
    Ok(())
}

fn drop_turn(db: &Db, stranger: &Stranger, why: &str, now: Timestamp) -> Result<(), StoreError> {
    turn::close(db, &stranger.turn, "refused", "dropped", Some(why), now)
}

fn kept(db: &Db, contact: &PhoneNumber) -> Result<u32, StoreError> {
    let sql = "SELECT count(*) FROM inbound WHERE state = 'kept'
               AND conversation IN (SELECT id FROM conversation WHERE contact = ?)";
    one(db, sql, [contact.as_str()], |row| row.get(0))
}

/// Returns requests whose code is valid, oldest first.
pub(super) fn requests(db: &Db, now: Timestamp) -> Result<Vec<PairingRequest>, StoreError> {
    let sql = "SELECT code, contact, line, requested_at, expires_at FROM pairing WHERE expires_at > ?
               ORDER BY requested_at, code";
    let mut requests = list(db, sql, [now.0], request_of)?;
    for request in &mut requests {
        request.kept = kept(db, &request.contact)?;
    }
    Ok(requests)
}

fn request_of(row: &Row<'_>) -> RowResult<PairingRequest> {
    Ok(PairingRequest {
        code: columns::code(row)?,
        contact: columns::number(row, "contact")?,
        line: LineId(row.get("line")?),
        requested: time(row, "requested_at")?,
        expires: time(row, "expires_at")?,
        kept: 0,
    })
}

/// Returns the contact, and the line of their request if there is one.
pub(super) fn find_request(db: &Db, who: &Who, now: Timestamp) -> Result<(PhoneNumber, Option<LineId>), StoreError> {
    match who {
        Who::Code(code) => {
            let sql = "SELECT contact, line FROM pairing WHERE code = ? AND expires_at > ?";
            find(db, sql, (code.as_str(), now.0), |row| {
                Ok((columns::number(row, "contact")?, Some(LineId(row.get("line")?))))
            })?
            .ok_or_else(|| StoreError::NotFound("pairing request with this code, or it has expired".to_owned()))
        }
        Who::Number(number) => {
            let sql = "SELECT line FROM pairing WHERE contact = ?";
            Ok((number.clone(), find(db, sql, [number.as_str()], |row| row.get(0).map(LineId))?))
        }
    }
}

/// Deletes old data about strangers. Returns the number of messages.
pub(super) fn forget(db: &Db, now: Timestamp) -> Result<usize, StoreError> {
    delete_expired(db, now)?;
    notice::tidy(db, now)?;
    let sql =
        "SELECT id FROM inbound INDEXED BY inbound_kept WHERE state = 'kept' AND coalesce(stored_at, received_at) <= ?";
    let kept = list(db, sql, [(now - KEPT_FOR).0], |row| row.get(0).map(InboundId))?;
    removal::delete_inbound(db, &kept, now)?;
    Ok(kept.len())
}

fn delete_expired(db: &Db, now: Timestamp) -> Result<(), StoreError> {
    execute(db, "DELETE FROM pairing WHERE expires_at <= ?", [now.0]).map(drop)
}
