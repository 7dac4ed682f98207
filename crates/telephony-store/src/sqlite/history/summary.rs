//! Counts of open work and failures, read from small indexes.

use telephony_domain::limit::DAY;
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::history::WorkSummary;
use crate::sqlite::engine::query::{self, Db, list, one};

pub(crate) fn count(db: &Db, now: Timestamp) -> Result<WorkSummary, StoreError> {
    let since = (now - DAY).0;
    let number = |sql: &str| one(db, sql, (), |row| query::count(row, 0));
    let number_since = |sql: &str, time: i64| one(db, sql, [time], |row| query::count(row, 0));
    let turns = turns(db)?;
    let (failed_today, delivered_today) = settled(db, since)?;
    Ok(WorkSummary {
        waiting: number("SELECT count(*) FROM inbound INDEXED BY inbound_waiting WHERE state = 'waiting'")?,
        answering: turns.leased,
        retrying: turns.retrying,
        parked: turns.parked,
        dead: turns.dead,
        unconfirmed: number("SELECT count(*) FROM inbound INDEXED BY inbound_unconfirmed WHERE state = 'unconfirmed'")?,
        kept: number("SELECT count(*) FROM inbound INDEXED BY inbound_kept WHERE state = 'kept'")?,
        pairing_requests: number_since("SELECT count(*) FROM pairing WHERE expires_at > ?", now.0)?,
        queued: number("SELECT count(*) FROM part WHERE state IN ('queued', 'ready')")?,
        sending: number("SELECT count(*) FROM part WHERE state = 'starting'")?,
        unknown: number("SELECT count(*) FROM part WHERE state = 'unknown'")?,
        failed_today,
        received_today: number_since("SELECT count(*) FROM inbound WHERE received_at > ?", since)?,
        sent_today: number_since("SELECT count(*) FROM part WHERE sent_at IS NOT NULL AND sent_at > ?", since)?,
        delivered_today,
        open_calls: number("SELECT count(*) FROM call INDEXED BY call_due WHERE due_at IS NOT NULL")?,
        calls_today: number_since("SELECT count(*) FROM call WHERE created_at > ?", since)?,
    })
}

#[derive(Default)]
struct Turns {
    leased: u64,
    retrying: u64,
    parked: u64,
    dead: u64,
}

fn turns(db: &Db) -> Result<Turns, StoreError> {
    let sql = "SELECT state, count(*) FROM turn WHERE ended_at IS NULL GROUP BY state";
    let mut turns = Turns::default();
    for (state, number) in list(db, sql, (), |row| Ok((row.get::<_, String>(0)?, query::count(row, 1)?)))? {
        match state.as_str() {
            "leased" => turns.leased = number,
            "retrying" => turns.retrying = number,
            "parked" => turns.parked = number,
            _ => turns.dead = number,
        }
    }
    Ok(turns)
}

/// Counts failed and delivered parts.
fn settled(db: &Db, since: i64) -> Result<(u64, u64), StoreError> {
    let sql = "SELECT count(*) FILTER (WHERE state = 'failed' OR status IN ('undelivered', 'failed', 'canceled')),
                      count(*) FILTER (WHERE status IN ('delivered', 'partially_delivered', 'read'))
               FROM part WHERE settled_at IS NOT NULL AND settled_at > ?";
    one(db, sql, [since], |row| Ok((query::count(row, 0)?, query::count(row, 1)?)))
}
