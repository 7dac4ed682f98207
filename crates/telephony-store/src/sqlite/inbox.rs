//! The inbox: arrivals, the turns made of them, and their ends.
//!
//! An arrival is stored once, by the provider's id. A turn's set of messages is fixed when it is first leased; a retry
//! gets the same. A conversation has one turn in flight, and only the newest lease, by its fence, may end it. The end
//! and the answer's parts are one transaction.

pub(super) mod arrival;
mod attachments;
pub(super) mod kept_answer;
mod signature;
pub(super) mod turn;
pub(super) mod turn_end;
mod turn_lease;
mod unanswerable;

use std::sync::Arc;

use async_trait::async_trait;
use telephony_domain::id::TurnId;
use telephony_domain::message::Arrival;
use telephony_domain::number::PhoneNumber;
use telephony_domain::retry::TurnFate;
use telephony_domain::time::Timestamp;

use crate::inbox::{Accepted, ArrivalRules, FailedTurn, Inbox, LeasedTurn, TurnEnd, TurnFailure, TurnLease};
use crate::sqlite::engine::columns;
use crate::sqlite::engine::query::{Db, list, maybe_time, time};
use crate::sqlite::outbox::pause;
use crate::sqlite::{AT_A_TIME, SqliteStore};
use crate::{LeaseHolder, Next, StoreError};

#[async_trait]
impl Inbox for SqliteStore {
    async fn accept(
        &self,
        provider: &str,
        arrival: Arrival,
        rules: Arc<ArrivalRules>,
        now: Timestamp,
    ) -> Result<Accepted, StoreError> {
        let provider = provider.to_owned();
        self.write(move |db| arrival::accept(db, &provider, &arrival, &rules, now)).await
    }

    async fn signed_content(&self, signature: &str) -> Result<Option<String>, StoreError> {
        let signature = signature.to_owned();
        self.read(move |db| signature::content(db, &signature)).await
    }

    async fn lease_turns(
        &self,
        holder: &LeaseHolder,
        merges: bool,
        limit: usize,
        now: Timestamp,
    ) -> Result<Next<Vec<LeasedTurn>>, StoreError> {
        let holder = holder.clone();
        let limit = limit.min(AT_A_TIME);
        let lease = move |db: &Db| {
            pause::end_pauses(db, now)?;
            Next::up_to(limit, || turn_lease::lease(db, &holder, merges, now))
        };
        self.write(lease).await
    }

    async fn renew_turn(&self, lease: &TurnLease, now: Timestamp) -> Result<(), StoreError> {
        let lease = lease.clone();
        self.write(move |db| turn_end::renew(db, &lease, now)).await
    }

    async fn finish_turn(&self, lease: &TurnLease, end: TurnEnd, now: Timestamp) -> Result<(), StoreError> {
        let lease = lease.clone();
        self.write(move |db| turn_end::finish(db, &lease, &end, now)).await
    }

    async fn fail_turn(&self, lease: &TurnLease, failure: TurnFailure, now: Timestamp) -> Result<TurnFate, StoreError> {
        let lease = lease.clone();
        self.write(move |db| turn_end::record_failure(db, &lease, &failure, now)).await
    }

    async fn turns_wait_for_agent(&self) -> Result<bool, StoreError> {
        self.read(|db| turn_end::waiting_for_agent(db).map(|turns| !turns.is_empty())).await
    }

    async fn hasten_turns(&self, now: Timestamp) -> Result<usize, StoreError> {
        self.write(move |db| turn_end::hasten(db, now)).await
    }

    async fn hand_back_turn(&self, lease: &TurnLease, now: Timestamp) -> Result<(), StoreError> {
        let lease = lease.clone();
        self.write(move |db| turn_end::hand_back(db, &lease, now)).await
    }

    async fn free_turns(&self, holder: &LeaseHolder, now: Timestamp) -> Result<usize, StoreError> {
        let holder = holder.clone();
        self.write(move |db| turn_end::free(db, &holder, now)).await
    }

    async fn failed_turns(&self) -> Result<Vec<FailedTurn>, StoreError> {
        self.read(failed_turns).await
    }

    async fn revive_turn(&self, turn: TurnId, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |db| turn_end::revive(db, turn, now)).await
    }

    async fn resume(&self, contact: &PhoneNumber) -> Result<usize, StoreError> {
        let contact = contact.clone();
        self.write(move |db| pause::resume(db, &contact)).await
    }
}

fn failed_turns(db: &Db) -> Result<Vec<FailedTurn>, StoreError> {
    let sql = "SELECT t.id, c.contact, t.state, t.attempts, t.reason, t.due_at,
                      (SELECT min(received_at) FROM inbound WHERE turn = t.id) AS received_at
               FROM turn AS t JOIN conversation AS c ON c.id = t.conversation
               WHERE t.ended_at IS NULL AND t.state IN ('parked', 'dead') AND t.failures > 0
               ORDER BY t.id DESC";
    list(db, sql, (), |row| {
        Ok(FailedTurn {
            turn: TurnId(row.get("id")?),
            contact: columns::number(row, "contact")?,
            is_dead: row.get::<_, String>("state")? == "dead",
            attempts: row.get("attempts")?,
            reason: row.get::<_, Option<String>>("reason")?.unwrap_or_default(),
            received: time(row, "received_at")?,
            next_attempt: maybe_time(row, "due_at")?,
        })
    })
}
