//! Outcomes of parts: handed over, failed, reported.

use telephony_domain::consent::{Evidence, Wish};
use telephony_domain::delivery::{Advance, Receipt, StatusReport, advance};
use telephony_domain::notice::Notice;
use telephony_domain::notice::name::DAILY_CAP;
use telephony_domain::retry::{DAILY_CAP_WAIT, Disposition, PartFate, is_daily_cap, part_fate};
use telephony_domain::time::Timestamp;

use super::part::{AttemptEnd, PartKey, PartRow, close_attempt, held, load};
use super::{account_stop, consent, doubt, ledger, limits, progress, queue};
use crate::outbox::{AttemptLease, PartState, Reported, SendFailure};
use crate::sqlite::engine::query::{Db, execute};
use crate::sqlite::rows::{conversation, notice};
use crate::{LONGEST_WAIT, StoreError};

pub(super) fn sent(db: &Db, lease: AttemptLease, receipt: &Receipt, now: Timestamp) -> Result<(), StoreError> {
    let part = load(db, PartKey::Id(lease.part))?;
    let part = part.ok_or_else(|| StoreError::NotFound(format!("part {}", lease.part)))?;
    let report = StatusReport {
        provider_id: receipt.provider_id.clone(),
        correlation_id: None,
        status: receipt.status,
        error_code: None,
        is_opt_out: false,
        segments: receipt.segments,
    };
    match &part.provider_id {
        Some(known) if *known == report.provider_id => follow(db, &part, &report, now).map(drop),
        Some(_) => made_twice(db, &part, &report.provider_id),
        None => hand_over(db, &part, &report, now),
    }
}

pub(super) fn report(db: &Db, provider: &str, report: &StatusReport, now: Timestamp) -> Result<Reported, StoreError> {
    if let Some(part) = load(db, PartKey::ProviderId(provider, &report.provider_id))? {
        return Ok(Reported::Known(part.id, follow(db, &part, report, now)?));
    }
    let named =
        report.correlation_id.as_deref().map(|name| load(db, PartKey::CorrelationId(name))).transpose()?.flatten();
    match named {
        None => Ok(Reported::Foreign),
        Some(part) if part.provider_id.is_some() => {
            made_twice(db, &part, &report.provider_id)?;
            Ok(Reported::Foreign)
        }
        Some(part) => {
            hand_over(db, &part, report, now)?;
            Ok(Reported::Known(part.id, Advance::Forward))
        }
    }
}

fn made_twice(db: &Db, part: &PartRow, provider_id: &str) -> Result<(), StoreError> {
    let sql = "INSERT OR IGNORE INTO other_message (part, provider_id, provider) VALUES (?, ?, ?)";
    if execute(db, sql, (part.id.0, provider_id, &part.provider))? > 0 {
        tracing::warn!(part = %part.id, "a part was sent twice; the contact may get it twice");
    }
    Ok(())
}

/// Records that the provider has the part, whatever its state was.
fn hand_over(db: &Db, part: &PartRow, report: &StatusReport, now: Timestamp) -> Result<(), StoreError> {
    if load(db, PartKey::ProviderId(&part.provider, &report.provider_id))?.is_some() {
        return Err(StoreError::Other("the message's id already belongs to another part".to_owned()));
    }
    if part.state == PartState::Starting {
        account_stop::accepted(db)?;
    }
    if !matches!(part.state, PartState::Starting | PartState::Unknown) {
        // Its segments were given back when it seemed unsent.
        let attempt = AttemptLease { part: part.id, attempt: part.attempts };
        let contact = conversation::contact_of(db, part.conversation)?;
        ledger::spend(db, attempt, contact.as_str(), part.segments, now)?;
    }
    let sql = "UPDATE part SET state = 'sent', waits_for = NULL, due_at = NULL, doubt_since = NULL, provider_id = ?2,
                               sent_at = ?3, code = NULL, reason = NULL, settled_at = NULL, poll_at = ?4
               WHERE id = ?1";
    let poll = progress::next_poll(now, now).map(|time| time.0);
    execute(db, sql, (part.id.0, &report.provider_id, now.0, poll))?;
    close_attempt(db, part, &AttemptEnd { outcome: "sent", ended: Some(now), code: None, reason: None })?;
    write_status(db, part, report, now)?;
    queue::promote(db, part.conversation, now)
}

/// Moves a part that the provider has forward, never backwards.
fn follow(db: &Db, part: &PartRow, report: &StatusReport, now: Timestamp) -> Result<Advance, StoreError> {
    let change = advance(part.status, report.status);
    match change {
        Advance::Forward => write_status(db, part, report, now)?,
        Advance::Stale => {}
        Advance::Conflict => {
            let sql = "UPDATE part SET conflict = ?2 WHERE id = ?1";
            execute(db, sql, (part.id.0, report.status.as_str()))?;
        }
    }
    Ok(change)
}

fn write_status(db: &Db, part: &PartRow, report: &StatusReport, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE part SET status = ?2, code = coalesce(?3, code),
                      provider_segments = coalesce(nullif(?4, 0), provider_segments) WHERE id = ?1";
    execute(db, sql, (part.id.0, report.status.as_str(), report.error_code, report.segments))?;
    if report.is_opt_out {
        // They had opted out when the part was sent; the report may be late, and they may have texted START since.
        let said = part.sent.map_or(now, |sent| sent.min(now));
        consent::learn_late(db, part.conversation, Wish::OptOut, Evidence::Refusal, said, now)?;
    }
    if report.status.is_final() {
        let sql = "UPDATE part SET settled_at = coalesce(settled_at, ?2), poll_at = NULL,
                          price_due_at = iif(settled_at IS NULL AND price IS NULL, ?3, price_due_at) WHERE id = ?1";
        execute(db, sql, (part.id.0, now.0, crate::costs::first_ask(now).0))?;
    }
    Ok(())
}

pub(super) fn failed(
    db: &Db,
    lease: AttemptLease,
    failure: &SendFailure,
    jitter: f64,
    now: Timestamp,
) -> Result<PartFate, StoreError> {
    let part = held(db, lease)?;
    if failure.is_opt_out {
        consent::change(db, part.conversation, Wish::OptOut, Evidence::Refusal, now, now)?;
    }
    if failure.disposition != Disposition::Unknown {
        ledger::give_back(db, part.id, part.attempts)?;
    }
    let why = match failure.disposition {
        Disposition::AwaitOperator if account_stop::is_refused_alone(db, &part, failure.code)? => {
            Disposition::Retry { after: None }
        }
        why => why,
    };
    let fate = match part_fate(why, part.first_tried, part.attempts, jitter, now) {
        PartFate::RetryAt(due) => retry(db, &part, failure, due.min(longest_wait(failure, now)), now)?,
        PartFate::Failed => {
            if failure.disposition != Disposition::GiveUp {
                raise_stale(db, &part, failure, now)?;
            }
            give_up(db, &part, failure, "failed", now)?
        }
        // The request took this long, even if its doubt was raised earlier.
        PartFate::Unknown => doubt::raise(db, &part, failure, now)?,
        PartFate::Held => hold(db, &part, failure, now)?,
    };
    if failure.disposition == Disposition::GiveUp {
        // The provider has examined the message itself.
        account_stop::accepted(db)?;
    }
    Ok(fate)
}

/// Stops all lines. The part returns to its place, ahead of later ones.
fn hold(db: &Db, part: &PartRow, failure: &SendFailure, now: Timestamp) -> Result<PartFate, StoreError> {
    account_stop::begin(db, failure.code, &failure.reason, now)?;
    account_stop::note_tried(db, part.conversation)?;
    if let PartFate::Failed = retry(db, part, failure, now, now)? {
        return Ok(PartFate::Failed);
    }
    let sql =
        "UPDATE part SET due_at = (SELECT min(created_at, ?2) FROM message WHERE id = part.message) WHERE id = ?1";
    execute(db, sql, (part.id.0, now.0))?;
    // If only sends are rejected, every probe succeeds, so the day ends here.
    account_stop::fail_stale(db, now)?;
    Ok(PartFate::Held)
}

/// Returns the longest wait: a daily cap is rechecked every hour only.
fn longest_wait(failure: &SendFailure, now: Timestamp) -> Timestamp {
    now + if is_daily_cap(failure.disposition) { DAILY_CAP_WAIT } else { LONGEST_WAIT }
}

fn retry(
    db: &Db,
    part: &PartRow,
    failure: &SendFailure,
    due: Timestamp,
    now: Timestamp,
) -> Result<PartFate, StoreError> {
    if conversation::is_opted_out(db, part.conversation)? {
        return give_up(
            db,
            part,
            &SendFailure { reason: consent::OPTED_OUT.to_owned(), ..failure.clone() },
            "canceled",
            now,
        );
    }
    let (waits_for, soon) = (is_daily_cap(failure.disposition).then_some(DAILY_CAP), due.min(now + LONGEST_WAIT));
    let sql =
        "UPDATE part SET state = 'ready', due_at = ?2, doubt_since = NULL, code = ?3, reason = ?4, waits_for = ?5,
                               waits_until = ?6 WHERE id = ?1";
    execute(db, sql, (part.id.0, soon.0, failure.code, &failure.reason, waits_for, due.0))?;
    if waits_for.is_some() {
        limits::raise_capped(db, &failure.reason, now)?;
    }
    end_attempt(db, part, failure, "retried", now)?;
    Ok(PartFate::RetryAt(due))
}

fn give_up(
    db: &Db,
    part: &PartRow,
    failure: &SendFailure,
    state: &'static str,
    now: Timestamp,
) -> Result<PartFate, StoreError> {
    let sql = "UPDATE part SET state = ?2, due_at = NULL, code = ?3, reason = ?4, settled_at = ?5 WHERE id = ?1";
    execute(db, sql, (part.id.0, state, failure.code, &failure.reason, now.0))?;
    end_attempt(db, part, failure, "failed", now)?;
    queue::cancel_rest(db, part.message, "an earlier part was not sent", now)?;
    queue::promote(db, part.conversation, now)?;
    Ok(PartFate::Failed)
}

/// Reports a part given up after hours, because the sender no longer waits for it. One notice for all such parts,
/// because one cause makes many.
fn raise_stale(db: &Db, part: &PartRow, failure: &SendFailure, now: Timestamp) -> Result<(), StoreError> {
    let notice = Notice::GaveUpSending {
        message: part.message,
        contact: conversation::contact_of(db, part.conversation)?.to_string(),
        hours: now.since(part.first_tried).as_secs() / 3600,
        reason: failure.reason.clone(),
    };
    notice::raise(db, &notice, now).map(drop)
}

fn end_attempt(
    db: &Db,
    part: &PartRow,
    failure: &SendFailure,
    outcome: &'static str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let end = AttemptEnd { outcome, ended: Some(now), code: failure.code, reason: Some(&failure.reason) };
    close_attempt(db, part, &end)
}
