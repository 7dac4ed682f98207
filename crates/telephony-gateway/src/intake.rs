//! Where verified events go: each is in the journal before it is acknowledged, and then stored, which wakes somebody.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use telephony_domain::address::Origin;
use telephony_domain::call::report::{CallEvent, CallRequest, CallStatusReport};
use telephony_domain::delivery::{Advance, StatusReport};
use telephony_domain::keyword::{Keyword, classify};
use telephony_domain::message::Arrival;
use telephony_domain::number::mask;
use telephony_domain::time::{Clock, Timestamp};
use telephony_providers::provider::{Event, Provider};
use telephony_store::inbox::{Accepted, Intake};
use telephony_store::journal::{self, Entry, Journal, Position};
use telephony_store::notices::Notice;
use telephony_store::outbox::Reported;
use telephony_store::{Store, StoreError};
use tokio::sync::Semaphore;

use crate::metrics::Metrics;
use crate::notices::Notices;
use crate::recut::Signatures;
use crate::storage::Storage;
use crate::unanswered::Unanswered;
use crate::undelivered;
use crate::wake::Wake;

/// An opt-out is acknowledged once it is obeyed; who waits longer than this is told to come again (Twilio waits for 15 s).
const OBEYED_WITHIN: Duration = Duration::from_secs(5);

/// Opt-outs that wait hold no more requests in flight than this: a quarter of them.
pub(crate) const WAITING_OPT_OUTS: usize = 64;

const RECUT: &str = "A webhook with Twilio's genuine signature was refused because its fields were rearranged. Another party \
                     has seen a signed request: check who can read the logs of your proxy or tunnel.";

/// Takes what the provider vouched for.
pub struct Desk {
    pub(crate) journal: Arc<Journal>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) provider: Arc<dyn Provider>,
    /// The rules by which arrivals are judged.
    pub(crate) terms: RwLock<Arc<Intake>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) wake: Arc<Wake>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) unanswered: Unanswered,
    pub(crate) checks_signatures: bool,
    pub(crate) signatures: Signatures,
    /// Permits for opt-outs that wait until they are obeyed.
    pub(crate) waiting_opt_outs: Semaphore,
    pub(crate) storage: Arc<Storage>,
}

/// The outcome of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is on disk.
    Kept,
    /// Its signature came with other fields before: it is refused.
    Recut,
}

impl Desk {
    /// From now on messages are judged by `terms`; the line stays.
    pub fn set_terms(&self, terms: Intake) {
        let mut now = self.terms.write().unwrap_or_else(PoisonError::into_inner);
        *now = Arc::new(Intake { line: now.line, ..terms });
    }

    /// Takes `event`; when this returns `Kept` it is on disk, and an opt-out is obeyed.
    pub async fn take(&self, event: Event) -> Result<Taken, StoreError> {
        match event {
            Event::Message(arrival) if !self.is_first_cut(&arrival).await? => return Ok(Taken::Recut),
            Event::Message(arrival) => self.take_message(arrival).await?,
            event => self.take_report(event).await?,
        }
        Ok(Taken::Kept)
    }

    /// Returns true if nothing else came with the signature of this message.
    async fn is_first_cut(&self, arrival: &Arrival) -> Result<bool, StoreError> {
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

    async fn take_report(&self, event: Event) -> Result<(), StoreError> {
        match event {
            Event::Message(_) => Ok(()),
            Event::MessageStatus(report) => self.write_down(journal::Event::Report(report)).await.map(drop),
            Event::Alert => {
                tracing::debug!("an alert of the account");
                Ok(())
            }
            Event::Call(event) => {
                log_call(&event);
                Ok(())
            }
            Event::Probe => Ok(()),
        }
    }

    /// Nothing leaves for a contact once their opt-out is acknowledged.
    async fn take_message(&self, arrival: Arrival) -> Result<(), StoreError> {
        let keyword = classify(&arrival.text, arrival.opt_out_type.as_deref(), false);
        let signed = arrival.signed.clone();
        let written = self.write_down(journal::Event::Message(arrival)).await;
        let position = written.inspect_err(|_| signed.iter().for_each(|signed| self.signatures.release(signed)))?;
        if keyword != Some(Keyword::OptOut) {
            return Ok(());
        }
        let Ok(_waiting) = self.waiting_opt_outs.try_acquire() else {
            return Err(StoreError::Busy("too many opt-outs are waiting; Twilio sends this one again".to_owned()));
        };
        let obeyed = tokio::time::timeout(OBEYED_WITHIN, self.journal.settled(position)).await;
        obeyed.map_err(|_| {
            StoreError::Busy("an opt-out is kept, and is obeyed once what came before it is stored".to_owned())
        })
    }

    async fn write_down(&self, told: journal::Event) -> Result<Position, StoreError> {
        self.storage.check_is_there()?;
        let entry = Entry { at: self.clock.now(), is_unverified: !self.checks_signatures, told };
        self.journal.append(&entry).await
    }

    /// Returns once all that was taken is stored.
    pub async fn cleared(&self) {
        self.journal.settled(self.journal.end()).await;
    }

    /// Stores what was taken, as it was then.
    pub async fn store(&self, entry: Entry) -> Result<(), StoreError> {
        match entry.told {
            journal::Event::Message(arrival) => {
                let terms = if entry.is_unverified { self.terms_without_operator() } else { self.terms() };
                let signed = arrival.signed.clone();
                match self.accept_by(terms, arrival, entry.at).await? {
                    Accepted::Repeat => self.metrics.message("repeat"),
                    Accepted::Recut => self.report_recut_of_the_journal().await,
                    _ => {}
                }
                signed.iter().for_each(|signed| self.signatures.release(signed));
                Ok(())
            }
            // The provider is asked for the status of what stays without reports.
            journal::Event::Report(report) if entry.is_unverified && self.checks_signatures => {
                tracing::info!(provider_id = report.provider_id, "left out a report that came unverified");
                Ok(())
            }
            journal::Event::Report(report) => self.report(report, entry.at).await,
        }
    }

    /// Two cuts of one request were acknowledged, as can only happen while a restart works off the journal.
    async fn report_recut_of_the_journal(&self) {
        self.metrics.webhook("recut");
        tracing::warn!("ignored a message: its signature was already used with other fields");
        self.report_recut().await;
    }

    /// Gives the operator a notice that another party has a signed request of the provider's, and has the provider's list
    /// looked through, because the message may have been genuine.
    pub async fn report_recut(&self) {
        self.wake.refused.notify_one();
        let notices = Notices { store: self.store.clone(), clock: self.clock.clone(), wake: self.wake.clone() };
        notices.tell(Notice::event("recut", RECUT)).await;
    }

    /// Stores a message; when this returns `Ok` it is on disk.
    pub async fn accept(&self, arrival: Arrival, now: Timestamp) -> Result<Accepted, StoreError> {
        self.accept_by(self.terms(), arrival, now).await
    }

    fn terms(&self) -> Arc<Intake> {
        self.terms.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Anyone may have sent what was not verified: it commands nothing.
    fn terms_without_operator(&self) -> Arc<Intake> {
        Arc::new(Intake { operator: None, ..(*self.terms()).clone() })
    }

    async fn accept_by(&self, terms: Arc<Intake>, arrival: Arrival, now: Timestamp) -> Result<Accepted, StoreError> {
        let (provider_id, from, origin) = (arrival.provider_id.clone(), arrival.from.clone(), arrival.origin());
        let accepted = self.store.accept(arrival, terms, now).await?;
        tracing::debug!(provider_id, from = mask(&from), ?accepted, "message stored");
        if let Some(name) = name(accepted) {
            self.metrics.message(name);
        }
        match accepted {
            Accepted::Waiting(_) => self.wake.inbox.notify_one(),
            Accepted::Unconfirmed(_) => self.wake.numbers.notify_one(),
            Accepted::OperatorCommand(_) => self.wake.operator.notify_one(),
            Accepted::Keyword(..) | Accepted::Refused(..) => self.say_unanswered(&from, &origin, now),
            Accepted::Empty(_) | Accepted::Repeat | Accepted::Recut => {}
        }
        Ok(accepted)
    }

    /// Logs that a sender gets no answer, and wakes the task that sends the operator's notices.
    fn say_unanswered(&self, from: &str, origin: &Origin, now: Timestamp) {
        if matches!(origin, Origin::Phone(_)) {
            return;
        }
        self.wake.operator.notify_one();
        if !self.unanswered.is_news(from, now) {
            return;
        }
        let from = mask(from);
        match origin {
            Origin::Channel { name, .. } => {
                tracing::warn!(
                    from,
                    channel = name,
                    "messages by this channel are kept but get no answer: it is not supported"
                );
            }
            _ => tracing::warn!(
                from,
                "texts from a short code or a name are kept but get no answer: read them with `messages`"
            ),
        }
    }

    async fn report(&self, report: StatusReport, now: Timestamp) -> Result<(), StoreError> {
        let (provider_id, status, code) = (report.provider_id.clone(), report.status, report.error_code);
        let reported = undelivered::store(self.store.as_ref(), self.provider.as_ref(), report, now).await?;
        if let Reported::Known(..) = reported {
            self.metrics.report(status);
        }
        match reported {
            Reported::Known(part, Advance::Conflict) => {
                tracing::warn!(%part, provider_id, status = status.as_str(), "a report contradicts an earlier final one");
            }
            Reported::Known(part, _) if status.is_failure() => {
                let why = code.map(|code| self.provider.explain(code));
                tracing::warn!(%part, provider_id, status = status.as_str(), provider.code = code, why, "a message did not arrive");
            }
            Reported::Known(part, _) => tracing::debug!(%part, provider_id, status = status.as_str(), "status"),
            Reported::Foreign => tracing::debug!(provider_id, "a report on a message that is not ours"),
        }
        self.wake.outbox.notify_one();
        Ok(())
    }
}

fn log_call(event: &CallEvent) {
    match event {
        CallEvent::Request(CallRequest { provider_id, from }) => {
            tracing::info!(call = provider_id, from = mask(from), "a call was turned away: voice is not on");
        }
        CallEvent::Status(CallStatusReport { provider_id, status }) => {
            tracing::debug!(call = provider_id, status = status.as_str(), "call status");
        }
        CallEvent::AnsweredBy { provider_id, answered_by } => {
            tracing::debug!(call = provider_id, ?answered_by, "machine detection has a result");
        }
        CallEvent::Other { provider_id } => tracing::debug!(call = provider_id, "a report on a call"),
    }
}

/// What became of an arrival, as it is counted; nothing did of one that was stored before.
fn name(accepted: Accepted) -> Option<&'static str> {
    Some(match accepted {
        Accepted::Waiting(_) => "waiting",
        Accepted::Unconfirmed(_) => "unconfirmed",
        Accepted::Refused(..) => "refused",
        Accepted::Keyword(..) => "keyword",
        Accepted::Empty(_) => "empty",
        Accepted::OperatorCommand(_) => "order",
        Accepted::Repeat | Accepted::Recut => return None,
    })
}
