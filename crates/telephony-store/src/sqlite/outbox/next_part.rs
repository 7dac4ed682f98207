//! Starts the next part, as limits, its line and the account allow.

use telephony_domain::id::MessageId;
use telephony_domain::limit::{Cost, Limit, LimitVerdict, Terms};
use telephony_domain::retry::PROBE;
use telephony_domain::time::Timestamp;

use super::account_stop::{self, Gate};
use super::candidate::{self, PartCandidate};
use super::{full_line, ledger, limits, queue};
use crate::outbox::{ATTEMPT_LEASE, AttemptLease, StartedPart};
use crate::sqlite::engine::query::{Db, execute, one};
use crate::sqlite::rows::{media, restored};
use crate::{LeaseHolder, Next, StoreError};

/// Maximum number of parts put off in one transaction, because others wait for it.
const HELD_AT_A_TIME: usize = 32;

/// The candidates for the next part.
#[derive(Clone, Copy)]
enum CandidateChoice {
    Any,
    /// All parts, one conversation after the other, regardless of waiting times.
    InTurn,
    /// Parts of a message and those ahead of it in its conversation.
    Towards(MessageId),
}

impl CandidateChoice {
    fn of(only: Option<MessageId>) -> CandidateChoice {
        only.map_or(CandidateChoice::Any, CandidateChoice::Towards)
    }
}

/// The process that starts a part.
pub(super) struct Starter {
    pub(super) holder: LeaseHolder,
    /// Time by the provider's clock, if known.
    pub(super) provider_time: Option<Timestamp>,
}

/// Starts the part that may leave first, if it may now; makes parts over a limit wait.
pub(super) fn start(
    db: &Db,
    starter: &Starter,
    terms: &Terms,
    only: Option<MessageId>,
    now: Timestamp,
) -> Result<Next<StartedPart>, StoreError> {
    if restored::is_pending(db)? {
        return Ok(Next::Idle(None));
    }
    match account_stop::gate(db)? {
        Gate::Open => start_first(db, starter, terms, CandidateChoice::of(only), now),
        Gate::Closed => Ok(Next::Idle(None)),
        Gate::Trial => start_trial(db, starter, terms, only, now),
    }
}

/// Starts the trial part for a stopped account. Ends the stop if no part could leave for long.
fn start_trial(
    db: &Db,
    starter: &Starter,
    terms: &Terms,
    only: Option<MessageId>,
    now: Timestamp,
) -> Result<Next<StartedPart>, StoreError> {
    let choice = if only.is_some() { CandidateChoice::of(only) } else { CandidateChoice::InTurn };
    let next = start_first(db, starter, terms, choice, now)?;
    if only.is_none() && matches!(next, Next::Idle(due) if due.is_none_or(|due| due > now + PROBE.longest)) {
        account_stop::accepted(db)?;
    }
    Ok(next)
}

fn start_first(
    db: &Db,
    starter: &Starter,
    terms: &Terms,
    choice: CandidateChoice,
    now: Timestamp,
) -> Result<Next<StartedPart>, StoreError> {
    for _ in 0..HELD_AT_A_TIME {
        let candidate = match first(db, terms, choice, now)? {
            Next::Taken(candidate) => candidate,
            Next::Idle(due) => {
                limits::end_limit_notices(db)?;
                full_line::end_notices(db)?;
                return Ok(Next::Idle(due));
            }
        };
        if let Some(until) = candidate.capped_until(now) {
            limits::stay_capped(db, candidate.part, until, now)?;
            continue;
        }
        let cost = Cost {
            segments: candidate.segments,
            is_automatic: candidate.is_automatic,
            is_for_operator: candidate.is_for_operator,
        };
        match ledger::verdict(db, &terms.limits, candidate.contact.as_str(), cost, now)? {
            LimitVerdict::Fits => {
                candidate::occupy(db, &candidate, terms, now)?;
                return take(db, candidate, starter, now).map(Next::Taken);
            }
            LimitVerdict::Waits(limit, until) => {
                limits::hold(db, &candidate, &terms.limits, limit, until, now)?;
                let is_overtaken = queue::has_given_way(db, candidate.conversation, now)?;
                if limit == Limit::SegmentsPerDay && !is_overtaken {
                    return Ok(Next::Idle(Some(until)));
                }
            }
            LimitVerdict::NeverFits(limit) => limits::refuse(db, &candidate, &terms.limits, limit, now)?,
        }
    }
    Ok(Next::Idle(Some(now)))
}

/// Returns the part that may leave first, if it may now.
fn first(db: &Db, terms: &Terms, choice: CandidateChoice, now: Timestamp) -> Result<Next<PartCandidate>, StoreError> {
    let provider = terms.carrier.name;
    let candidates = match choice {
        CandidateChoice::Towards(message) => candidate::towards(db, provider, message)?,
        CandidateChoice::InTurn => match candidate::in_turn(db, provider, now)? {
            Some(candidate) => vec![candidate],
            None => candidate::heads(db, provider, now)?,
        },
        CandidateChoice::Any => candidate::heads(db, provider, now)?,
    };
    let next = candidates.into_iter().map(|candidate| (candidate.leaves(terms, now), candidate));
    let order = |(leaves, candidate): &(Timestamp, PartCandidate)| {
        ((*leaves).max(now), !candidate.is_for_operator, candidate.due, candidate.part)
    };
    Ok(match next.min_by_key(order) {
        None => Next::Idle(None),
        Some((leaves, _)) if leaves > now => Next::Idle(Some(leaves)),
        Some((_, candidate)) => Next::Taken(candidate),
    })
}

fn take(db: &Db, head: PartCandidate, starter: &Starter, now: Timestamp) -> Result<StartedPart, StoreError> {
    let sql = "UPDATE part SET state = 'starting', due_at = ?2, waits_for = NULL, attempts = attempts + 1 WHERE id = ?1
               RETURNING attempts, position, text, correlator";
    let (mut started, position): (_, u32) = one(db, sql, (head.part.0, (now + ATTEMPT_LEASE).0), |row| {
        let started = StartedPart {
            lease: AttemptLease { part: head.part, attempt: row.get("attempts")? },
            message: head.message,
            correlation_id: row.get("correlator")?,
            from: head.sender,
            to: head.contact,
            text: row.get("text")?,
            media: Vec::new(),
        };
        Ok((started, row.get("position")?))
    })?;
    let sql = "INSERT INTO part_attempt (part, number, holder, started_at, provider_time) VALUES (?, ?, ?, ?, ?)";
    let provider_time = starter.provider_time.map(|time| time.0);
    execute(db, sql, (head.part.0, started.lease.attempt, &starter.holder.0, now.0, provider_time))?;
    ledger::spend(db, started.lease, started.to.as_str(), head.segments, now)?;
    if position == 1 {
        started.media = media::of_outbound(db, started.message)?;
    }
    Ok(started)
}
