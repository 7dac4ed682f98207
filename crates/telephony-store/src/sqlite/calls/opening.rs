//! Incoming calls: admitted or not, and stored before they are answered.

use telephony_domain::call::plan::{CallPlan, CallPurpose};
use telephony_domain::call::proof::Demand;
use telephony_domain::call::{Call, Event};
use telephony_domain::id::LineId;
use telephony_domain::number::PhoneNumber;
use telephony_domain::policy::{Admission, Refusal, Standing};
use telephony_domain::time::Timestamp;

use super::{row, step, texts, wrong_pins};
use crate::StoreError;
use crate::calls::{CallOpening, CallRules, CallWork, IncomingCall, MissedCall};
use crate::sqlite::engine::query::{Db, execute, one};
use crate::sqlite::rows::{conversation, restored};

/// Admits a call and stores it, unless it was stored before. Of a rejected call, only its id is stored.
pub(super) fn open(
    db: &Db,
    incoming: &IncomingCall,
    rules: &CallRules,
    work: &CallWork,
    now: Timestamp,
) -> Result<CallOpening, StoreError> {
    let opened = admit(db, incoming, rules, work, now)?;
    match opened {
        // A call at a busy moment counts as missed.
        CallOpening::Open(_) | CallOpening::NotOurs | CallOpening::Busy => {}
        CallOpening::Stranger(..) | CallOpening::Refused(_) | CallOpening::Unproven => {
            remember(db, &incoming.provider_id, work.provider, now)?;
        }
    }
    Ok(opened)
}

/// Remembers a call that reached us but is not stored: found in the provider's list, it would count as missed.
pub(super) fn remember(db: &Db, provider_id: &str, provider: &str, now: Timestamp) -> Result<(), StoreError> {
    let sql = "INSERT OR IGNORE INTO deleted (provider_id, received_at, provider) VALUES (?, ?, ?)";
    execute(db, sql, (provider_id, now.0, provider)).map(drop)
}

fn admit(
    db: &Db,
    incoming: &IncomingCall,
    rules: &CallRules,
    work: &CallWork,
    now: Timestamp,
) -> Result<CallOpening, StoreError> {
    let first_request = Event::Request { step: 0, heard: None, answered_by: None };
    if let Some(call) = row::find_by_provider_id(db, work.provider, &incoming.provider_id)? {
        return step::take(db, call, first_request, work, now).map(Box::new).map(CallOpening::Open);
    }
    let Some(caller) = &incoming.caller else { return Ok(CallOpening::Refused(Refusal::NotANumber)) };
    let Some(line) = row::line_of(db, &incoming.to)? else { return Ok(CallOpening::NotOurs) };
    let standing = conversation::standing(db, line, caller)?;
    // An opt-out is about texts: a contact who calls wants to talk.
    match rules.policy.admit(Some(caller), Standing { is_opted_out: false, ..standing }) {
        Admission::Refused(refusal) => return Ok(CallOpening::Refused(refusal)),
        Admission::Stranger if rules.proof.gives_code(incoming.is_attested) => {
            return Ok(CallOpening::Stranger(line, caller.clone()));
        }
        Admission::Stranger => return Ok(CallOpening::Unproven),
        Admission::Admitted => {}
    }
    let is_attested = incoming.is_attested;
    let asks_pin = match rules.proof.demand(is_attested, wrong_pins::are_too_many(db, now)?) {
        Demand::Nothing => false,
        Demand::Pin => true,
        Demand::Impossible => return Ok(CallOpening::Unproven),
    };
    // A restored store answers no call until it has caught up with the provider.
    if restored::is_pending(db)? {
        return Ok(CallOpening::Busy);
    }
    if row::count_open(db, line)? >= rules.most_calls {
        text_missed(db, line, caller, incoming, rules, work, now)?;
        return Ok(CallOpening::Busy);
    }
    let purpose = CallPurpose::Inbound { asks_pin, is_attested };
    let plan = CallPlan { purpose, ..rules.plan.clone() };
    let conversation = conversation::find_or_make(db, line, caller)?;
    let id = row::insert(db, conversation, Some(&incoming.provider_id), &Call::new(plan, now), now)?;
    step::take(db, row::load(db, id)?, first_request, work, now).map(Box::new).map(CallOpening::Open)
}

/// Stores a call that never reached us, and texts its caller. Without the call's own request, the attestation of the
/// number is unknown, so callers who have to prove their number get no text.
pub(super) fn miss(
    db: &Db,
    incoming: &IncomingCall,
    missed: MissedCall,
    rules: &CallRules,
    work: &CallWork,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some(caller) = &incoming.caller else { return Ok(false) };
    let Some(line) = row::line_of(db, &incoming.to)? else { return Ok(false) };
    let standing = conversation::standing(db, line, caller)?;
    let is_admitted = rules.policy.admit(Some(caller), Standing { is_opted_out: false, ..standing });
    if is_admitted != Admission::Admitted || is_known(db, work.provider, incoming, caller, missed.began)? {
        return Ok(false);
    }
    let purpose = CallPurpose::Inbound { asks_pin: false, is_attested: false };
    // Its text has the same key as that of a call which was rejected because all lines were busy.
    let plan = CallPlan { purpose, missed_call_text: None, ..rules.plan.clone() };
    let conversation = conversation::find_or_make(db, line, caller)?;
    let call = Call::new(plan, missed.began);
    let id = row::insert(db, conversation, Some(&incoming.provider_id), &call, missed.began)?;
    row::close(db, id, missed.ended)?;
    step::take(db, row::load(db, id)?, Event::Status(missed.status), work, now)?;
    if rules.proof.demand(false, false) == Demand::Nothing {
        text_missed(db, line, caller, incoming, rules, work, now)?;
    }
    Ok(true)
}

/// Returns true if the call may have reached us: it is stored, was purged or rejected, or its caller was a stranger
/// then.
fn is_known(
    db: &Db,
    provider: &str,
    incoming: &IncomingCall,
    caller: &PhoneNumber,
    began: Timestamp,
) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM call WHERE provider_id = ?1 AND provider = ?4)
                   OR EXISTS (SELECT 1 FROM deleted WHERE provider_id = ?1 AND provider = ?4)
                   OR EXISTS (SELECT 1 FROM contact WHERE number = ?2 AND approved_at > ?3)";
    one(db, sql, (incoming.provider_id.as_str(), caller.as_str(), began.0, provider), |row| row.get(0))
}

fn text_missed(
    db: &Db,
    line: LineId,
    caller: &PhoneNumber,
    incoming: &IncomingCall,
    rules: &CallRules,
    work: &CallWork,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(text) = &rules.plan.missed_call_text else { return Ok(()) };
    if !texts::can_be_texted(db, line, caller, work, now)? {
        return Ok(());
    }
    let key = format!("missed-call-{}", incoming.provider_id);
    texts::queue(db, line, caller.clone(), key, text, work, now).map(drop)
}
