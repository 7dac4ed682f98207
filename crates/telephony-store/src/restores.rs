//! A store that was restored from a backup: what happened since the backup is read from the provider's lists before
//! anything is answered or sent.

use async_trait::async_trait;
use telephony_domain::id::ConversationId;
use telephony_domain::line::Sender;
use telephony_domain::number::PhoneNumber;
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::journal::Entry;
use crate::outbox::DoubtfulPart;

/// A conversation with messages that were unsent or unanswered in the backup, or came since.
#[derive(Debug, Clone)]
pub struct OpenConversation {
    /// Conversation.
    pub conversation: ConversationId,
    /// Contact.
    pub contact: PhoneNumber,
    /// Our side.
    pub sender: Sender,
    /// Parts that may have been sent since the backup, in their order.
    pub unsent: Vec<DoubtfulPart>,
}

/// Catching up after a restore. Until [`Restores::caught_up`], no part starts, no turn is leased and no command of the
/// operator is executed.
#[async_trait]
pub trait Restores: Send + Sync {
    /// Returns when the backup was made, while the store has not caught up with what happened since.
    async fn restored(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Returns what was acknowledged and not yet stored when the backup was made, in order.
    async fn restored_entries(&self) -> Result<Vec<Entry>, StoreError>;

    /// Returns the conversations in which something may have been sent since the backup.
    async fn open_conversations(&self) -> Result<Vec<OpenConversation>, StoreError>;

    /// Closes what came in a conversation up to `until` and seems unanswered here: it was answered since the backup. Returns
    /// how many messages it closed.
    async fn answered_since_backup(
        &self,
        conversation: ConversationId,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<usize, StoreError>;

    /// Lets messages be answered and sent again.
    async fn caught_up(&self) -> Result<(), StoreError>;
}
