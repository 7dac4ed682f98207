//! The outbox: drafts, their parts, attempts to send them, and outcomes.
//!
//! A draft is stored once, by its key. The parts of a conversation leave in order; a part is marked as started, its
//! line occupied and its limits charged in one transaction before the provider gets it. An attempt without an outcome
//! is in doubt and is never repeated before the doubt is resolved. A status only moves forward. Nothing is queued for,
//! or sent to, a contact that opted out.

mod account_stop;
mod account_stops;
mod candidate;
pub(super) mod consent;
mod delivery;
mod doubt;
pub(super) mod enqueue;
pub(super) mod forecast;
pub(super) mod full_line;
mod ledger;
mod limits;
mod next_part;
mod part;
pub(super) mod pause;
pub(super) mod progress;
pub(super) mod queue;
mod retried;
pub(super) mod texting;

use std::time::Duration;

use async_trait::async_trait;
use telephony_domain::delivery::{Receipt, StatusReport};
use telephony_domain::id::{LineId, MessageId};
use telephony_domain::limit::Terms;
use telephony_domain::line::Sender;
use telephony_domain::message::MessageDraft;
use telephony_domain::number::PhoneNumber;
use telephony_domain::reconcile;
use telephony_domain::retry::PartFate;
use telephony_domain::time::Timestamp;

use crate::outbox::{
    AttemptLease, DoubtfulPart, Enqueued, ExpectedStart, OpenAttempt, Outbox, Progress, Reported, Retried, SendFailure,
    SilentPart, StartedPart,
};
use crate::sqlite::{AT_A_TIME, SqliteStore};
use crate::{LeaseHolder, Next, StoreError};

#[async_trait]
impl Outbox for SqliteStore {
    async fn enqueue(&self, line: LineId, draft: MessageDraft, now: Timestamp) -> Result<Enqueued, StoreError> {
        self.write(move |db| enqueue::enqueue(db, line, &draft, now)).await
    }

    async fn check_capacity(
        &self,
        sender: Sender,
        contact: PhoneNumber,
        segments: u32,
        terms: Terms,
    ) -> Result<(), StoreError> {
        self.read(move |db| enqueue::check_capacity(db, &sender, &contact, segments, &terms)).await
    }

    async fn start_parts(
        &self,
        holder: &LeaseHolder,
        terms: Terms,
        only: Option<MessageId>,
        limit: usize,
        provider_time: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Next<Vec<StartedPart>>, StoreError> {
        let starter = next_part::Starter { holder: holder.clone(), provider_time };
        let limit = limit.min(AT_A_TIME);
        self.write(move |db| Next::up_to(limit, || next_part::start(db, &starter, &terms, only, now))).await
    }

    async fn part_sent(&self, lease: AttemptLease, receipt: Receipt, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |db| delivery::sent(db, lease, &receipt, now)).await
    }

    async fn part_failed(
        &self,
        lease: AttemptLease,
        failure: SendFailure,
        jitter: f64,
        now: Timestamp,
    ) -> Result<PartFate, StoreError> {
        self.write(move |db| delivery::failed(db, lease, &failure, jitter, now)).await
    }

    async fn open_attempts(&self, now: Timestamp) -> Result<Vec<OpenAttempt>, StoreError> {
        self.read(move |db| doubt::open_attempts(db, now)).await
    }

    async fn doubt_attempts(&self, attempts: Vec<AttemptLease>, now: Timestamp) -> Result<usize, StoreError> {
        self.write(move |db| doubt::raise_abandoned(db, &attempts, now)).await
    }

    async fn take_over_attempts(&self, holder: &LeaseHolder, now: Timestamp) -> Result<usize, StoreError> {
        let holder = holder.clone();
        self.write(move |db| doubt::take_over(db, &holder, now)).await
    }

    async fn doubtful_part(&self, provider: &str, now: Timestamp) -> Result<Next<DoubtfulPart>, StoreError> {
        let provider = provider.to_owned();
        self.write(move |db| doubt::take(db, &provider, now)).await
    }

    async fn claimed(&self, provider: &str, provider_ids: Vec<String>) -> Result<Vec<String>, StoreError> {
        let provider = provider.to_owned();
        self.read(move |db| doubt::claimed(db, &provider, &provider_ids)).await
    }

    async fn not_found(
        &self,
        lease: AttemptLease,
        finding: reconcile::SearchResult,
        now: Timestamp,
    ) -> Result<reconcile::DoubtStep, StoreError> {
        self.write(move |db| doubt::not_found(db, lease, finding, now)).await
    }

    async fn report(&self, provider: &str, report: StatusReport, now: Timestamp) -> Result<Reported, StoreError> {
        let provider = provider.to_owned();
        self.write(move |db| delivery::report(db, &provider, &report, now)).await
    }

    async fn silent_parts(
        &self,
        provider: &str,
        until_first: Duration,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<SilentPart>, StoreError> {
        let provider = provider.to_owned();
        self.write(move |db| progress::take_silent(db, &provider, until_first, limit, now)).await
    }

    async fn retry_message(&self, message: MessageId, now: Timestamp) -> Result<Retried, StoreError> {
        self.write(move |db| retried::retry(db, message, now)).await
    }

    async fn progress(&self, message: MessageId) -> Result<Progress, StoreError> {
        self.read(move |db| progress::of_message(db, message)).await
    }

    async fn expected_start(
        &self,
        message: MessageId,
        terms: Terms,
        now: Timestamp,
    ) -> Result<ExpectedStart, StoreError> {
        self.read(move |db| forecast::expected_start(db, message, &terms, now)).await
    }
}
