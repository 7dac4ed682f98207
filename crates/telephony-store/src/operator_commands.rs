//! Commands that the operator texts to the program itself, each executed once.

use std::fmt;

use async_trait::async_trait;
use telephony_domain::id::{InboundId, LineId};
use telephony_domain::message::PartDraft;
use telephony_domain::number::PhoneNumber;
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::contacts::Approved;
use crate::history::WorkSummary;
use crate::notices::RaisedNotice;

/// A waiting command. `Debug` hides the text.
#[derive(Clone, PartialEq, Eq)]
pub struct Ordered {
    /// The incoming message with the command.
    pub id: InboundId,
    /// Line that received it.
    pub line: LineId,
    /// Number of the operator, who gets the reply.
    pub operator: PhoneNumber,
    /// Text of the message, with the command.
    pub text: String,
    /// Id at the provider.
    pub provider_id: String,
    /// Address that received it, as the provider wrote it.
    pub to: String,
    /// Time when it was received.
    pub received: Timestamp,
}

impl fmt::Debug for Ordered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ordered").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The outcome of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandOutcome {
    /// A contact was approved.
    Approved(Approved),
    /// A contact was rejected, or an approval ended.
    Rejected {
        /// Contact.
        contact: PhoneNumber,
        /// True if the contact is blocked.
        block: bool,
    },
    /// No request has this code, or it has expired.
    UnknownCode,
    /// There were too many wrong codes, so this one was not checked.
    TooManyGuesses,
    /// The number has no pairing request and is not approved.
    NothingToEnd(PhoneNumber),
    /// The outbox is full: nothing was done.
    QueueFull,
    /// The gateway's state, with the notices that hold.
    Status(Box<WorkSummary>, Vec<RaisedNotice>),
    /// Not a valid command.
    Unreadable,
}

impl CommandOutcome {
    /// Returns the word used in the store and in logs.
    pub fn as_str(&self) -> &'static str {
        match self {
            CommandOutcome::Approved(_) => "approved",
            CommandOutcome::Rejected { block: false, .. } => "rejected",
            CommandOutcome::Rejected { block: true, .. } => "blocked",
            CommandOutcome::UnknownCode => "unknown-code",
            CommandOutcome::TooManyGuesses => "too-many-guesses",
            CommandOutcome::NothingToEnd(_) => "nothing-to-end",
            CommandOutcome::QueueFull => "queue-full",
            CommandOutcome::Status(..) => "status",
            CommandOutcome::Unreadable => "unreadable",
        }
    }
}

/// The texts about a command's outcome.
pub trait Wording: Send + Sync {
    /// Returns the approval SMS to a contact.
    fn approval(&self) -> Vec<PartDraft>;

    /// Returns the answer to the operator.
    fn answer(&self, outcome: &CommandOutcome) -> Vec<PartDraft>;
}

/// Waiting commands of the operator, and their execution.
#[async_trait]
pub trait OperatorCommands: Send + Sync {
    /// Returns the oldest waiting command.
    async fn next_order(&self) -> Result<Option<Ordered>, StoreError>;

    /// Rejects a command, because the provider does not have this message from the operator. Does nothing if it does
    /// not wait.
    async fn refuse_command(&self, command: InboundId) -> Result<(), StoreError>;

    /// Executes a command and answers it in one transaction, so that a crash at any moment does not repeat it. Fails
    /// with [`StoreError::NotFound`] if it no longer waits.
    async fn execute(
        &self,
        command: InboundId,
        wording: std::sync::Arc<dyn Wording>,
        now: Timestamp,
    ) -> Result<CommandOutcome, StoreError>;
}
