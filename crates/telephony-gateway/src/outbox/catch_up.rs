//! Catching up after a restore: the provider's lists show the messages sent and answered since the backup, before
//! anything is answered or sent.

use std::time::Duration;

use telephony_domain::reconcile::LOOK_BACK;
use telephony_domain::time::Timestamp;
use telephony_providers::provider::ListedMessage;
use telephony_store::StoreError;
use telephony_store::restores::OpenConversation;
use tracing::Instrument;

use super::{PartSender, send};

/// The maximum delay before a list shows an accepted message.
const SECOND_LOOK_AFTER: Duration = Duration::from_secs(15);

/// The provider's times are in whole seconds.
const SECOND: Duration = Duration::from_secs(1);

impl PartSender {
    /// Finishes a restore once all messages since the backup are stored. Returns false, and sends nothing, if a list
    /// could not be fetched.
    pub async fn catch_up(&self) -> Result<bool, StoreError> {
        let Some(since) = self.store.restored().await? else { return Ok(true) };
        if !self.compare_all(since).await? {
            return Ok(false);
        }
        if !self.store.open_conversations().await?.is_empty() {
            tokio::time::sleep(SECOND_LOOK_AFTER).await;
            if !self.compare_all(since).await? {
                return Ok(false);
            }
        }
        self.store.caught_up().await?;
        tracing::info!("caught up with what happened since the restored backup; messages are answered and sent again");
        self.wake.all();
        Ok(true)
    }

    async fn compare_all(&self, since: Timestamp) -> Result<bool, StoreError> {
        for open in self.store.open_conversations().await? {
            match self.provider.recent(&open.contact, since - LOOK_BACK).await {
                Ok(listed) => self.compare(&open, listed, since).await?,
                Err(error) => {
                    tracing::warn!(%error, hint = error.hint(), "cannot catch up with what was sent since the restored backup: the account's list could not be fetched; retrying");
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Finds parts of the backup among our `listed` messages. Any other message that the store does not know answered
    /// everything before it, which must not be answered twice.
    async fn compare(
        &self,
        open: &OpenConversation,
        listed: Vec<ListedMessage>,
        since: Timestamp,
    ) -> Result<(), StoreError> {
        let ours: Vec<_> = listed.into_iter().filter(|message| message.can_be_from(&open.addresses)).collect();
        for part in &open.unsent {
            if let Some(found) = self.ours(ours.clone(), part).await? {
                self.found(part, found).instrument(send::span(part.lease)).await?;
            }
        }
        let known = self
            .store
            .claimed(self.provider.carrier().name, ours.iter().map(|message| message.provider_id.clone()).collect())
            .await?;
        let others = ours.iter().filter(|message| !message.is_automatic && !known.contains(&message.provider_id));
        if let Some(last) = others.map(|message| message.created).max() {
            let until = (last + SECOND).max(since);
            let closed = self.store.answered_since_backup(open.conversation, until, self.clock.now()).await?;
            if closed > 0 {
                tracing::info!(
                    to = open.contact.masked(),
                    messages = closed,
                    "left unanswered: a message was sent after them since the restored backup"
                );
            }
        }
        Ok(())
    }
}
