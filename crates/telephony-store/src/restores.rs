//! A store restored from a backup: the provider's lists show the events since the backup before anything is answered or
//! sent.

use async_trait::async_trait;
use telephony_domain::id::ConversationId;
use telephony_domain::number::PhoneNumber;
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::journal::JournalEntry;
use crate::outbox::DoubtfulPart;

/// A conversation with messages that were unsent or unanswered in the backup, or came since.
#[derive(Debug, Clone)]
pub struct OpenConversation {
    /// The conversation whose history is compared.
    pub conversation: ConversationId,
    /// Number of the contact.
    pub contact: PhoneNumber,
    /// Numbers and messaging services of our line, including former ones.
    pub addresses: Vec<String>,
    /// Parts that may have been sent since the backup, in their order.
    pub unsent: Vec<DoubtfulPart>,
}

/// Catching up after a restore. Until [`Restores::caught_up`], no part starts, no turn is leased and no command of the
/// operator is executed.
#[async_trait]
pub trait Restores: Send + Sync {
    /// Returns the time of the backup until the store has caught up with the events since.
    async fn restored(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Returns the events that were acknowledged but not yet stored when the backup was made, in order.
    async fn restored_entries(&self) -> Result<Vec<JournalEntry>, StoreError>;

    /// Returns the conversations in which something may have been sent since the backup.
    async fn open_conversations(&self) -> Result<Vec<OpenConversation>, StoreError>;

    /// Closes the messages of a conversation up to `until` that seem unanswered here but were answered since the
    /// backup. Returns their number.
    async fn answered_since_backup(
        &self,
        conversation: ConversationId,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<usize, StoreError>;

    /// Allows answers and sending again.
    async fn caught_up(&self) -> Result<(), StoreError>;
}
