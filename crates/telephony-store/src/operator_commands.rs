//! Commands that the operator texts to the program itself, each executed once.

use std::fmt;

use async_trait::async_trait;
use telephony_domain::id::{InboundId, LineId};
use telephony_domain::message::PartDraft;
use telephony_domain::number::PhoneNumber;
use telephony_domain::time::Timestamp;

use crate::StoreError;
use crate::contacts::Approved;
use crate::history::Summary;
use crate::notices::Given;

/// An order that waits. `Debug` hides the text.
#[derive(Clone, PartialEq, Eq)]
pub struct Ordered {
    /// Which message it is.
    pub id: InboundId,
    /// The line it came to.
    pub line: LineId,
    /// Who ordered.
    pub operator: PhoneNumber,
    /// The text.
    pub text: String,
    /// The provider's id of the message.
    pub provider_id: String,
    /// The address that it came to, as the provider named it.
    pub to: String,
    /// When it came.
    pub received: Timestamp,
}

impl fmt::Debug for Ordered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ordered").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What came of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandOutcome {
    /// Somebody is let in.
    Approved(Approved),
    /// Somebody is not, or no longer.
    Rejected {
        /// Who.
        contact: PhoneNumber,
        /// Whether they get no answer from now on.
        block: bool,
    },
    /// No request has this code, or not any more.
    UnknownCode,
    /// Too many wrong codes came: this one was not looked at.
    TooManyGuesses,
    /// The number has neither asked nor been approved.
    NothingToEnd(PhoneNumber),
    /// The outbox takes no more: nothing was done.
    QueueFull,
    /// How it is.
    Status(Box<Summary>, Vec<Given>),
    /// Not an order that can be obeyed.
    Unreadable,
}

impl CommandOutcome {
    /// The word used in the store and in logs.
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

/// How what came of an order is put into words.
pub trait Wording: Send + Sync {
    /// The SMS that tells a contact of the approval.
    fn approval(&self) -> Vec<PartDraft>;

    /// The SMS that answers the operator.
    fn answer(&self, outcome: &CommandOutcome) -> Vec<PartDraft>;
}

/// The operator's commands that wait, and their execution.
#[async_trait]
pub trait OperatorCommands: Send + Sync {
    /// The oldest order that waits.
    async fn next_order(&self) -> Result<Option<Ordered>, StoreError>;

    /// The provider does not have this message from the operator: it is refused. Changes nothing where it does not wait.
    async fn refuse_order(&self, order: InboundId) -> Result<(), StoreError>;

    /// Obeys it and answers, all in one: killed at any moment, it is obeyed once. Fails with [`StoreError::NotFound`] where
    /// it does not wait any more.
    async fn execute(
        &self,
        order: InboundId,
        wording: std::sync::Arc<dyn Wording>,
        now: Timestamp,
    ) -> Result<CommandOutcome, StoreError>;
}
