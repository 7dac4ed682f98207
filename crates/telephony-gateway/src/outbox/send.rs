//! One attempt: hands the part to the provider and stores the outcome.
//!
//! The last stage of an answer: `inbox/turn.rs` has put it into the outbox with the end of its turn; from here on the
//! provider's reports tell how far it is.

use std::time::Duration;

use telephony_domain::delivery::Receipt;
use telephony_domain::message::OutboundMedia;
use telephony_domain::retry::{Disposition, PartFate};
use telephony_providers::provider::{Outgoing, ProviderError};
use telephony_store::StoreError;
use telephony_store::outbox::{AttemptLease, SendFailure, StartedPart};
use tokio::time::{Instant, sleep};
use tracing::{Instrument, Span};

use super::PartSender;
use crate::random;
use crate::tasks::without_panic;
use crate::webhook::media_server;

/// Time for which storing an outcome is retried, below the lease of an attempt, and the pause between two tries.
const OUTCOME_KEPT: Duration = Duration::from_secs(50);
const OUTCOME_RETRY: Duration = Duration::from_millis(500);

/// Returns the span of the work on a part: every log line of it has these fields, at any log level.
pub(super) fn span(lease: AttemptLease) -> Span {
    tracing::error_span!("part", part = %lease.part, attempt = lease.attempt)
}

impl PartSender {
    /// Hands a started part to the provider. An outcome that cannot be stored in time leaves the attempt open: it becomes
    /// a doubt when its lease expires, and is looked up.
    pub async fn send(&self, part: StartedPart) {
        let span = span(part.lease);
        self.attempt(part).instrument(span).await;
    }

    async fn attempt(&self, part: StartedPart) {
        let _going = self.in_flight.begin(part.lease);
        let Some(media) = self.addresses(&part.media) else {
            return self.keep_until_reachable(&part).await;
        };
        let stored = match self.hand_over(&part, &media).await {
            Ok(receipt) => {
                tracing::debug!(provider_id = receipt.provider_id, "handed over");
                self.metrics.handover("sent");
                self.until_stored(|| self.store.part_sent(part.lease, receipt.clone(), self.clock.now())).await
            }
            Err(error) => self.fail(&part, &error).await,
        };
        log_unstored(stored);
    }

    /// Stores an outcome. Retries while the store fails, because only this gateway knows it.
    async fn until_stored<T, F>(&self, store: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let last = Instant::now() + OUTCOME_KEPT;
        loop {
            match store().await {
                Err(error) if error.stops_storing() && Instant::now() < last => {
                    self.storage.failed("cannot store the outcome of a part; retrying", &error);
                    sleep(OUTCOME_RETRY).await;
                }
                stored => return stored,
            }
        }
    }

    /// Records that the gateway stopped before the provider answered; the part is looked up after the restart.
    pub(super) async fn give_up(&self, lease: AttemptLease) {
        tracing::warn!("possibly sent: the request has no answer yet; it is looked up after the restart");
        let reason = "the gateway was stopped before the request was answered";
        self.fail_without_answer(lease, Disposition::Unknown, reason).await;
    }

    async fn fail_without_answer(&self, lease: AttemptLease, disposition: Disposition, reason: &str) {
        let reason = reason.to_owned();
        let failure = SendFailure { disposition, code: None, reason, is_opt_out: false, was_answered: false };
        let stored = self.store.part_failed(lease, failure, random::fraction(), self.clock.now()).await;
        log_unstored(stored.map(drop));
    }

    /// Returns the URLs of a part's attachments; none if one is a file of ours and the provider cannot reach us.
    fn addresses(&self, media: &[OutboundMedia]) -> Option<Vec<String>> {
        let ours = self.reach.borrow().webhook.registered.clone();
        let address = |enclosure: &OutboundMedia| match enclosure {
            OutboundMedia::Url(url) => Some(url.clone()),
            OutboundMedia::File(file) => ours.as_deref().map(|webhook| media_server::address(webhook, &file.token)),
        };
        media.iter().map(address).collect()
    }

    async fn keep_until_reachable(&self, part: &StartedPart) {
        let reason = "it has a file of ours, and there is no public URL where it could be fetched; set publicUrl";
        tracing::warn!(reason, "not sent yet; retrying");
        self.metrics.handover("retried");
        self.fail_without_answer(part.lease, Disposition::Retry { after: None }, reason).await;
    }

    async fn hand_over(&self, part: &StartedPart, media: &[String]) -> Result<Receipt, ProviderError> {
        let status_url = self.status_url();
        let outgoing = Outgoing {
            from: &part.from,
            to: &part.to,
            text: &part.text,
            media,
            correlation_id: &part.correlation_id,
            status_url: status_url.as_deref(),
        };
        let company = self.provider.carrier().company;
        without_panic("a request to send", self.provider.send(outgoing), || panicked(company)).await
    }

    async fn fail(&self, part: &StartedPart, error: &ProviderError) -> Result<(), StoreError> {
        let failure = SendFailure {
            disposition: error.disposition(),
            code: error.code(),
            reason: error.with_hint(),
            is_opt_out: error.is_opt_out(),
            was_answered: error.was_answered(),
        };
        let store = || self.store.part_failed(part.lease, failure.clone(), random::fraction(), self.clock.now());
        let fate = self.until_stored(store).await?;
        let (to, code) = (part.to.masked(), error.code());
        match fate {
            PartFate::Failed => {
                self.metrics.handover("failed");
                tracing::error!(to, provider.code = code, %error, hint = error.hint(), "cannot send a message");
            }
            PartFate::RetryAt(_) => {
                self.metrics.handover("retried");
                tracing::warn!(to, provider.code = code, %error, "not sent yet; retrying");
            }
            PartFate::Unknown => {
                self.metrics.handover("unknown");
                tracing::warn!(to, provider.code = code, %error, "possibly sent; looking for it in the account's \
                    list");
                self.wake.doubts.notify_one();
            }
            PartFate::Held => {
                self.metrics.handover("held");
                tracing::debug!(to, provider.code = code, %error, "kept until the account works again");
                self.wake.account.notify_one();
            }
        }
        Ok(())
    }
}

fn log_unstored(stored: Result<(), StoreError>) {
    match stored {
        Ok(()) | Err(StoreError::LeaseLost) => {}
        Err(error) => {
            tracing::error!(%error, hint = error.hint(), "cannot store the outcome of a part");
        }
    }
}

/// Treats a panic as an unknown outcome, because the request may have left.
fn panicked<T>(company: &str) -> Result<T, ProviderError> {
    let cause = "a bug in this program; see the log".to_owned();
    Err(ProviderError::NoAnswer { server: company.to_owned(), cause })
}
