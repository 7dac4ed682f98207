//! Acknowledges verified events once they are in the journal.
//!
//! The second stage of an incoming message: `webhook/receive.rs` has verified it, and `apply.rs` moves it from the
//! journal into the database. This module decides on the answer, and the provider words it.

use std::sync::Arc;
use std::time::Duration;

use telephony_domain::keyword::{Keyword, classify};
use telephony_domain::message::Arrival;
use telephony_domain::time::Clock;
use telephony_providers::provider::{EventOutcome, WebhookEvent};
use telephony_store::history::MessageReference;
use telephony_store::journal::{Journal, JournalEntry, JournalEvent, JournalPosition};
use telephony_store::{Store, StoreError};
use tokio::sync::Semaphore;

use crate::storage::Storage;
use crate::tampering::Signatures;

/// An opt-out is acknowledged once it is applied; a sender who waits longer has to retry (Twilio waits 15 s).
const OPT_OUT_TIMEOUT: Duration = Duration::from_secs(5);

/// Requests in flight that may wait for an opt-out: a quarter of them.
pub(crate) const WAITING_OPT_OUTS: usize = 64;

/// Acknowledges verified events once they are on disk.
pub struct Intake {
    pub(crate) journal: Arc<Journal>,
    /// Finds earlier messages by their signature, and opt-outs that are applied.
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Name of the provider that the events come from.
    pub(crate) provider: &'static str,
    pub(crate) checks_signatures: bool,
    pub(crate) signatures: Arc<Signatures>,
    /// Permits for opt-outs that wait to be applied.
    pub(crate) waiting_opt_outs: Semaphore,
    pub(crate) storage: Arc<Storage>,
}

/// The reason why an event is not acknowledged.
#[derive(Debug)]
pub enum IntakeError {
    /// Its signature arrived earlier with other fields.
    Tampered,
    /// It is not on disk, or an opt-out is not applied yet.
    NotStored(StoreError),
}

impl From<StoreError> for IntakeError {
    fn from(error: StoreError) -> Self {
        IntakeError::NotStored(error)
    }
}

impl Intake {
    /// Acknowledges `event`: when this returns an outcome, the event is on disk, and an opt-out is applied.
    pub async fn take(&self, event: WebhookEvent) -> Result<EventOutcome, IntakeError> {
        match event {
            WebhookEvent::Message(arrival) if !self.is_untampered(&arrival).await? => {
                return Err(IntakeError::Tampered);
            }
            WebhookEvent::Message(arrival) => self.take_message(arrival).await?,
            WebhookEvent::MessageStatus(report) => self.write_down(JournalEvent::Report(report)).await.map(drop)?,
            // The call runner answers these.
            WebhookEvent::Call(_) => {}
            WebhookEvent::Alert => tracing::debug!("an alert of the account"),
            WebhookEvent::Probe => {}
        }
        Ok(EventOutcome::Acknowledged)
    }

    /// Returns true unless the signature of this message arrived with other fields before.
    async fn is_untampered(&self, arrival: &Arrival) -> Result<bool, StoreError> {
        let Some(signed) = &arrival.signed else { return Ok(true) };
        if !self.signatures.claim(signed) {
            return Ok(false);
        }
        let known =
            self.store.signed_content(&signed.signature).await.inspect_err(|_| self.signatures.release(signed))?;
        let is_first = known.is_none_or(|content| content == signed.content);
        if !is_first {
            self.signatures.release(signed);
        }
        Ok(is_first)
    }

    /// Applies an opt-out before acknowledging it, so that nothing leaves for the contact afterwards.
    async fn take_message(&self, arrival: Arrival) -> Result<(), StoreError> {
        let keyword = classify(&arrival.text, arrival.opt_out_type.as_deref(), false);
        let (signed, provider_id) = (arrival.signed.clone(), arrival.provider_id.clone());
        let written = self.write_down(JournalEvent::Message(arrival)).await;
        let position = written.inspect_err(|_| signed.iter().for_each(|signed| self.signatures.release(signed)))?;
        if keyword != Some(Keyword::OptOut) {
            return Ok(());
        }
        let Ok(_waiting) = self.waiting_opt_outs.try_acquire() else {
            return Err(StoreError::Busy("too many opt-outs are waiting; this one comes again".to_owned()));
        };
        let applied = tokio::time::timeout(OPT_OUT_TIMEOUT, self.journal.applied(position)).await;
        applied.map_err(|_| {
            StoreError::Busy("an opt-out is journaled, and is applied once earlier messages are stored".to_owned())
        })?;
        // An entry that cannot be stored is left out, so that it does not hold up all others.
        let stored = self.store.message(MessageReference::Provider(provider_id)).await?;
        stored.map(drop).ok_or(StoreError::Fault)
    }

    async fn write_down(&self, event: JournalEvent) -> Result<JournalPosition, StoreError> {
        self.storage.check_is_there()?;
        let provider = self.provider.into();
        let entry = JournalEntry { at: self.clock.now(), is_unverified: !self.checks_signatures, provider, event };
        self.journal.append(&entry).await
    }
}
