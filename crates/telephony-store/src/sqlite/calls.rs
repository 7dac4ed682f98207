//! Calls: a row with the state of the rules, the turns, the tokens and the provider's status reports.
//!
//! One transaction decides and stores each event, including the words and texts that the rules want kept or sent. The
//! rules themselves are in the domain.

mod due;
mod list;
mod opening;
mod outgoing;
mod questions;
mod row;
mod spent;
mod step;
mod texts;
mod tokens;
mod wrong_pins;

use async_trait::async_trait;
use telephony_domain::call::Event;
use telephony_domain::dialing::NotDialed;
use telephony_domain::id::CallId;
use telephony_domain::number::PhoneNumber;
use telephony_domain::reconcile::SearchResult;
use telephony_domain::time::Timestamp;

pub(super) use list::details;
pub(super) use row::{end_all, end_of};

use crate::calls::{
    CallDetail, CallDocumentRequest, CallEntry, CallOpening, CallQuestion, CallRules, CallStep, CallWork, Calls,
    DueCall, IncomingCall, MissedCall, Requested,
};
use crate::outgoing_calls::{CallDraft, OutgoingCalls, OutgoingRules, Placed};
use crate::sqlite::SqliteStore;
use crate::{LeaseHolder, Next, StoreError};

#[async_trait]
impl Calls for SqliteStore {
    async fn open_call(
        &self,
        call: IncomingCall,
        rules: CallRules,
        work: CallWork,
        now: Timestamp,
    ) -> Result<CallOpening, StoreError> {
        self.write(move |db| opening::open(db, &call, &rules, &work, now)).await
    }

    async fn call_declined(&self, provider: &str, provider_id: &str, now: Timestamp) -> Result<(), StoreError> {
        let (provider, provider_id) = (provider.to_owned(), provider_id.to_owned());
        self.write(move |db| opening::remember(db, &provider_id, &provider, now)).await
    }

    async fn request_document(
        &self,
        request: CallDocumentRequest,
        work: CallWork,
        now: Timestamp,
    ) -> Result<Requested, StoreError> {
        self.write(move |db| tokens::request(db, &request, &work, now)).await
    }

    async fn change_call(
        &self,
        call: CallId,
        event: Event,
        work: CallWork,
        now: Timestamp,
    ) -> Result<CallStep, StoreError> {
        self.write(move |db| step::take(db, row::load(db, call)?, event.clone(), &work, now)).await
    }

    async fn report_call(
        &self,
        provider_id: &str,
        call: Option<CallId>,
        event: Event,
        work: CallWork,
        now: Timestamp,
    ) -> Result<Option<CallStep>, StoreError> {
        let provider_id = provider_id.to_owned();
        self.write(move |db| step::report(db, &provider_id, call, event.clone(), &work, now)).await
    }

    async fn unanswered_after_calls(
        &self,
        holder: &LeaseHolder,
        since: Timestamp,
    ) -> Result<Vec<(CallId, CallQuestion)>, StoreError> {
        let holder = holder.clone();
        self.read(move |db| questions::open_after_calls(db, &holder, since)).await
    }

    async fn call_missed(
        &self,
        call: IncomingCall,
        missed: MissedCall,
        rules: CallRules,
        work: CallWork,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |db| opening::miss(db, &call, missed, &rules, &work, now)).await
    }

    async fn take_due_call(&self, work: CallWork, now: Timestamp) -> Result<Next<DueCall>, StoreError> {
        self.write(move |db| due::take(db, &work, now)).await
    }

    async fn close_call(&self, call: CallId, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |db| row::close(db, call, now)).await
    }

    async fn free_calls(&self, holder: &LeaseHolder, now: Timestamp) -> Result<usize, StoreError> {
        let holder = holder.clone();
        self.write(move |db| due::free(db, &holder, now)).await
    }

    async fn calls(&self, contact: Option<&PhoneNumber>, limit: u32) -> Result<Vec<CallEntry>, StoreError> {
        let contact = contact.cloned();
        self.read(move |db| list::entries(db, contact.as_ref(), limit)).await
    }

    async fn transcripts(&self, contact: &PhoneNumber, limit: u32) -> Result<Vec<CallDetail>, StoreError> {
        let contact = contact.clone();
        self.read(move |db| list::details(db, &contact, limit)).await
    }

    async fn call(&self, call: CallId) -> Result<Option<CallDetail>, StoreError> {
        self.read(move |db| list::detail(db, call)).await
    }
}

#[async_trait]
impl OutgoingCalls for SqliteStore {
    async fn place_call(&self, draft: CallDraft, rules: OutgoingRules, now: Timestamp) -> Result<Placed, StoreError> {
        self.write(move |db| outgoing::place(db, &draft, &rules, now)).await
    }

    async fn call_refusal(
        &self,
        from: &PhoneNumber,
        to: &PhoneNumber,
        rules: OutgoingRules,
        now: Timestamp,
    ) -> Result<Option<NotDialed>, StoreError> {
        let (from, to) = (from.clone(), to.clone());
        self.read(move |db| outgoing::refusal(db, &from, &to, &rules, now)).await
    }

    async fn call_dialed(
        &self,
        call: CallId,
        provider_id: &str,
        holder: &LeaseHolder,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (provider_id, holder) = (provider_id.to_owned(), holder.clone());
        self.write(move |db| outgoing::dialed(db, row::load(db, call)?, &provider_id, &holder, now)).await
    }

    async fn call_not_dialed(
        &self,
        call: CallId,
        reason: String,
        holder: &LeaseHolder,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let holder = holder.clone();
        self.write(move |db| outgoing::not_dialed(db, row::load(db, call)?, &reason, &holder, now)).await
    }

    async fn doubt_call(&self, call: CallId, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |db| outgoing::doubt_now(db, call, now)).await
    }

    async fn call_not_found(
        &self,
        call: CallId,
        finding: SearchResult,
        holder: &LeaseHolder,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let holder = holder.clone();
        self.write(move |db| outgoing::not_found(db, row::load(db, call)?, finding, &holder, now)).await
    }
}
