//! Resolves unknown outcomes with the provider's own list before sending anything again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use telephony_domain::delivery::{Receipt, Status};
use telephony_domain::reconcile::{Content, DoubtStep as Then, LOOK_BACK, SearchResult, is_match};
use telephony_domain::retry::Disposition;
use telephony_domain::time::Timestamp;
use telephony_providers::provider::{ListedMessage, ProviderError};
use telephony_store::outbox::{AttemptLease, DoubtfulPart, OpenAttempt};
use telephony_store::{Next, StoreError};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::poll::report;
use super::watch::AttemptAges;
use super::{PartSender, send};
use crate::tasks::without_panic;
use crate::undelivered;
use crate::wake;

/// Simultaneous look-ups, so that a slow one delays no other conversation.
const LOOK_UPS: usize = 16;

/// Time limit for a complete list, less than the lease of the part in doubt.
const LIST_TIMEOUT: Duration = Duration::from_secs(45);

impl PartSender {
    /// Resolves doubts until `stop`.
    pub async fn run_reconcile(self: Arc<Self>, stop: CancellationToken) {
        let mut look_ups = FuturesUnordered::new();
        let mut watch = AttemptAges::default();
        while !stop.is_cancelled() {
            if let Err(error) = self.doubt_abandoned(&mut watch).await {
                self.storage.failed("cannot look for abandoned attempts", &error);
            }
            let due = self.begin_look_ups(&mut look_ups).await;
            tokio::select! {
                Some(()) = look_ups.next() => {}
                _ = stop.run_until_cancelled(wake::wait(&self.wake.doubts, due, self.clock.as_ref())) => {}
            }
        }
    }

    /// Resolves every doubt that is due. Returns when the next is.
    pub async fn reconcile_next(&self) -> Option<Timestamp> {
        let mut look_ups = FuturesUnordered::new();
        loop {
            let due = self.begin_look_ups(&mut look_ups).await;
            if look_ups.next().await.is_none() {
                return due;
            }
        }
    }

    /// Starts look-ups that are due, within the limit. Returns when the next is due.
    async fn begin_look_ups<'o>(&'o self, look_ups: &mut FuturesUnordered<BoxFuture<'o, ()>>) -> Option<Timestamp> {
        while look_ups.len() < LOOK_UPS {
            match self.store.doubtful_part(self.provider.carrier().name, self.clock.now()).await {
                Ok(Next::Taken(part)) => {
                    let span = send::span(part.lease);
                    look_ups.push(self.resolve(part).instrument(span).boxed());
                }
                Ok(Next::Idle(due)) => return due,
                Err(error) => {
                    self.storage.failed("cannot look for doubts", &error);
                    return None;
                }
            }
        }
        None
    }

    /// Marks attempts as doubtful that stayed open for longer than any request takes and are not in flight here.
    async fn doubt_abandoned(&self, watch: &mut AttemptAges) -> Result<(), StoreError> {
        let open = self.store.open_attempts(self.clock.now()).await?;
        let abandoned = watch.abandoned(self.not_in_flight(open.into_iter()), Instant::now());
        self.doubt(abandoned).await
    }

    /// Doubts attempts that are overdue by the wall clock. For a command, which runs too briefly to watch them: it
    /// holds [`crate::lock::SendingLock::alone`] meanwhile.
    pub async fn doubt_overdue(&self) -> Result<(), StoreError> {
        let open = self.store.open_attempts(self.clock.now()).await?;
        let overdue = self.not_in_flight(open.into_iter().filter(|attempt| attempt.is_overdue));
        self.doubt(overdue).await
    }

    /// Leaves out attempts in flight: another attempt beside one could send the part twice.
    fn not_in_flight(&self, open: impl Iterator<Item = OpenAttempt>) -> Vec<AttemptLease> {
        let in_flight = self.in_flight.list();
        open.map(|attempt| attempt.lease).filter(|lease| !in_flight.contains(lease)).collect()
    }

    async fn doubt(&self, attempts: Vec<AttemptLease>) -> Result<(), StoreError> {
        if attempts.is_empty() {
            return Ok(());
        }
        let doubts = self.store.doubt_attempts(attempts, self.clock.now()).await?;
        tracing::info!(doubts, "found abandoned attempts; the account's list shows whether their messages were sent");
        Ok(())
    }

    async fn resolve(&self, part: DoubtfulPart) {
        match self.look_up(&part).await {
            Ok(()) => {}
            // A report or the answer itself arrived while the list was read.
            Err(StoreError::LeaseLost) => tracing::debug!("a doubt was resolved meanwhile"),
            Err(error) => {
                tracing::error!(%error, hint = error.hint(), "cannot resolve a doubt");
            }
        }
    }

    async fn look_up(&self, part: &DoubtfulPart) -> Result<(), StoreError> {
        let asking = timeout(LIST_TIMEOUT, self.provider.recent(&part.to, part.attempted - LOOK_BACK));
        let listed = without_panic("a look-up", asking, || Ok(Err(panicked()))).await;
        let finding = match listed.unwrap_or_else(|_| Err(endless())) {
            Ok(listed) => match self.ours(listed, part).await? {
                Some(found) => return self.found(part, found).await,
                None => SearchResult::Absent,
            },
            Err(error) => {
                tracing::warn!(%error, "cannot fetch the account's message list");
                self.without_list(&error).await?
            }
        };
        let then = self.store.not_found(part.lease, finding, self.clock.now()).await?;
        match then {
            Then::SendAgain => {
                tracing::info!("a message in doubt was not sent; sending it again");
                self.wake.outbox.notify_one();
            }
            Then::FinallyUnknown => {
                tracing::error!(to = part.to.masked(), "it stays unknown whether a message was sent");
                self.wake.outbox.notify_one();
            }
            Then::Canceled => {
                tracing::info!("a message in doubt was not sent, and will not be: the contact opted out");
                self.wake.outbox.notify_one();
            }
            Then::LookAgainAt(_) => {}
        }
        Ok(())
    }

    /// Treats a rejected list as unreachable while the whole account is rejected, and reads it once that is fixed.
    async fn without_list(&self, error: &ProviderError) -> Result<SearchResult, StoreError> {
        let is_denied = error.disposition() == Disposition::GiveUp && self.store.account_stop().await?.is_none();
        Ok(if is_denied { SearchResult::Denied } else { SearchResult::Unreachable })
    }

    /// Returns the listed message that the part became, leaving out messages that other parts became.
    pub(super) async fn ours(
        &self,
        listed: Vec<ListedMessage>,
        part: &DoubtfulPart,
    ) -> Result<Option<ListedMessage>, StoreError> {
        let added = self.provider.carrier().added_words;
        let similar: Vec<_> = listed.into_iter().filter(|message| may_be_ours(message, part, added)).collect();
        let ids = similar.iter().map(|message| message.provider_id.clone()).collect();
        let claimed = self.store.claimed(self.provider.carrier().name, ids).await?;
        Ok(best(similar, &claimed, &part.text))
    }

    pub(super) async fn found(&self, part: &DoubtfulPart, found: ListedMessage) -> Result<(), StoreError> {
        tracing::info!(provider_id = found.provider_id, "a message in doubt was sent");
        // It was accepted in any case; a failure with its code arrives as a report.
        let status = if found.status.is_failure() { Status::Accepted } else { found.status };
        let receipt = Receipt { provider_id: found.provider_id.clone(), status, segments: found.segments };
        self.store.part_sent(part.lease, receipt, self.clock.now()).await?;
        let (provider, name) = (self.provider.as_ref(), self.provider.carrier().name);
        undelivered::store(self.store.as_ref(), provider, name, report(found), self.clock.now()).await?;
        self.wake.outbox.notify_one();
        Ok(())
    }
}

fn panicked() -> ProviderError {
    ProviderError::Unreadable { cause: "a bug in this program; see the log".to_owned() }
}

fn endless() -> ProviderError {
    ProviderError::Unreadable { cause: format!("the list was not complete within {} s", LIST_TIMEOUT.as_secs()) }
}

/// Chooses an unclaimed message with exactly the text rather than one with added words.
fn best(similar: Vec<ListedMessage>, claimed: &[String], text: &str) -> Option<ListedMessage> {
    let mut ours: Vec<_> = similar.into_iter().filter(|message| !claimed.contains(&message.provider_id)).collect();
    let exact = ours.iter().position(|message| message.text == text).unwrap_or(0);
    (!ours.is_empty()).then(|| ours.swap_remove(exact))
}

fn may_be_ours(message: &ListedMessage, part: &DoubtfulPart, added: &str) -> bool {
    let listed = Content { text: &message.text, media: message.media };
    let ours = Content { text: &part.text, media: part.media };
    message.can_be_from(&part.from) && is_match(listed, message.created, ours, part.attempted, added)
}

#[cfg(test)]
mod tests {
    use telephony_domain::id::PartId;
    use telephony_store::outbox::AttemptLease;

    use super::*;

    const SERVICE: &str = "MG1";

    fn part(service: Option<&str>) -> DoubtfulPart {
        DoubtfulPart {
            lease: AttemptLease { part: PartId(1), attempt: 1 },
            from: ["+15550001234"].into_iter().chain(service).map(str::to_owned).collect(),
            to: "+15550005678".parse().expect("a number"),
            text: "see you".to_owned(),
            media: 0,
            attempted: Timestamp(0),
        }
    }

    fn listed(id: &str, from: Option<&str>, service: Option<&str>, text: &str) -> ListedMessage {
        ListedMessage {
            provider_id: id.to_owned(),
            from: from.map(str::to_owned),
            messaging_service: service.map(str::to_owned),
            is_automatic: false,
            text: text.to_owned(),
            media: 0,
            status: Status::Queued,
            created: Timestamp(0),
            error_code: None,
            is_opt_out: false,
            segments: None,
            price: None,
        }
    }

    fn found(list: &[ListedMessage], part: &DoubtfulPart) -> Option<String> {
        let similar = list.iter().filter(|message| may_be_ours(message, part, "Sent from")).cloned().collect();
        best(similar, &["SM0".to_owned()], &part.text).map(|message| message.provider_id)
    }

    #[test]
    fn the_same_words_from_another_sender_are_not_ours() {
        let other_number = listed("SM1", Some("+15550009999"), None, "see you");
        let service = listed("SM2", Some("+15550009999"), Some(SERVICE), "see you");
        let not_chosen_yet = listed("SM3", None, Some(SERVICE), "see you");
        let ours = listed("SM4", Some("+15550001234"), None, "see you");
        let all = [other_number, service.clone(), not_chosen_yet.clone(), ours.clone()];
        assert_eq!(found(&all, &part(None)).as_deref(), Some("SM4"));
        assert_eq!(found(&all[..3], &part(None)), None);
        assert_eq!(found(&[service], &part(Some(SERVICE))).as_deref(), Some("SM2"));
        assert_eq!(found(&[ours], &part(Some(SERVICE))).as_deref(), Some("SM4"), "sent before the line had a service");
        assert_eq!(found(&[not_chosen_yet], &part(Some(SERVICE))).as_deref(), Some("SM3"));
    }

    #[test]
    fn an_exact_match_wins_over_a_prefixed_one_and_other_parts_stay() {
        let from = Some("+15550001234");
        let list = ["SM0", "SM1", "SM2"].map(|id| {
            listed(id, from, None, if id == "SM1" { "Sent from a trial account - see you" } else { "see you" })
        });
        assert_eq!(found(&list, &part(None)).as_deref(), Some("SM2"));
        assert_eq!(found(&list[..2], &part(None)).as_deref(), Some("SM1"));
        assert_eq!(found(&list[..1], &part(None)), None);
    }
}
