//! The operator's commands: executed, answered and closed in one transaction.

use std::sync::Arc;

use async_trait::async_trait;
use telephony_domain::id::{InboundId, LineId};
use telephony_domain::message::{MessageDraft, MessagePurpose};
use telephony_domain::operator_command::{ANSWERS_PER_DAY, GUESSES_FOR, MAX_GUESSES, OperatorCommand, Whom};
use telephony_domain::time::Timestamp;

use super::{contacts, pairing};
use crate::StoreError;
use crate::contacts::Who;
use crate::operator_commands::{CommandOutcome, OperatorCommands, Ordered, Wording};
use crate::sqlite::SqliteStore;
use crate::sqlite::engine::columns;
use crate::sqlite::engine::query::{Db, Row, RowResult, apart, execute, find, time};
use crate::sqlite::history::summary;
use crate::sqlite::outbox::enqueue;
use crate::sqlite::rows::notice;
use crate::sqlite::rows::tally::{self, WRONG_CODE};

const WAITING: &str = "SELECT i.id, i.line, i.text, c.contact, i.provider_id, i.recipient, i.received_at
                       FROM inbound AS i JOIN conversation AS c ON c.id = i.conversation
                       WHERE i.state = 'order' AND NOT EXISTS (SELECT 1 FROM restored)";

#[async_trait]
impl OperatorCommands for SqliteStore {
    async fn next_order(&self) -> Result<Option<Ordered>, StoreError> {
        self.read(|db| find(db, &format!("{WAITING} ORDER BY i.id LIMIT 1"), (), ordered)).await
    }

    async fn refuse_command(&self, command: InboundId) -> Result<(), StoreError> {
        let sql = "UPDATE inbound SET state = 'refused', why = 'not-confirmed' WHERE id = ? AND state = 'order'";
        self.write(move |db| execute(db, sql, [command.0]).map(drop)).await
    }

    async fn execute(
        &self,
        command: InboundId,
        wording: Arc<dyn Wording>,
        now: Timestamp,
    ) -> Result<CommandOutcome, StoreError> {
        self.write(move |db| execute_command(db, command, wording.as_ref(), now)).await
    }
}

fn ordered(row: &Row<'_>) -> RowResult<Ordered> {
    Ok(Ordered {
        id: InboundId(row.get("id")?),
        line: LineId(row.get("line")?),
        operator: columns::number(row, "contact")?,
        text: row.get("text")?,
        provider_id: row.get("provider_id")?,
        to: row.get("recipient")?,
        received: time(row, "received_at")?,
    })
}

fn execute_command(
    db: &Db,
    id: InboundId,
    wording: &dyn Wording,
    now: Timestamp,
) -> Result<CommandOutcome, StoreError> {
    let ordered = find(db, &format!("{WAITING} AND i.id = ?"), [id.0], ordered)?;
    let ordered = ordered.ok_or_else(|| StoreError::NotFound(format!("waiting command in-{id}")))?;
    let outcome = match OperatorCommand::read(&ordered.text) {
        Some(OperatorCommand::Approve(whom)) => decide(db, whom, now, |who| approve(db, &ordered, who, wording, now))?,
        Some(OperatorCommand::Reject { whom, block }) => decide(db, whom, now, |who| reject(db, who, block, now))?,
        Some(OperatorCommand::Status) => {
            CommandOutcome::Status(Box::new(summary::count(db, now)?), notice::held(db, now)?)
        }
        Some(OperatorCommand::Unreadable) | None => CommandOutcome::Unreadable,
    };
    answer(db, &ordered, &outcome, wording, now)?;
    execute(db, "UPDATE inbound SET state = 'obeyed', why = ?2 WHERE id = ?1", (id.0, outcome.as_str()))?;
    Ok(outcome)
}

/// Decides about a command. Guessing codes is limited; naming a number is not.
fn decide(
    db: &Db,
    whom: Whom,
    now: Timestamp,
    carry_out: impl FnOnce(&Who) -> Result<CommandOutcome, StoreError>,
) -> Result<CommandOutcome, StoreError> {
    let who = match whom {
        Whom::Code(_) if tally::count(db, WRONG_CODE, GUESSES_FOR, now)? >= MAX_GUESSES => {
            return Ok(CommandOutcome::TooManyGuesses);
        }
        Whom::Code(code) => Who::Code(code),
        Whom::Number(number) => Who::Number(number),
    };
    apart(db, || carry_out(&who)).or_else(|error| match (error, who) {
        (StoreError::NotFound(_), Who::Code(_)) => {
            tally::note(db, WRONG_CODE, now).map(|()| CommandOutcome::UnknownCode)
        }
        (StoreError::NotFound(_), Who::Number(number)) => Ok(CommandOutcome::NothingToEnd(number)),
        (StoreError::QueueFull { .. }, _) => Ok(CommandOutcome::QueueFull),
        (error, _) => Err(error),
    })
}

fn approve(
    db: &Db,
    ordered: &Ordered,
    who: &Who,
    wording: &dyn Wording,
    now: Timestamp,
) -> Result<CommandOutcome, StoreError> {
    contacts::approve(db, who, wording.approval(), Some(ordered.line), now).map(CommandOutcome::Approved)
}

fn reject(db: &Db, who: &Who, block: bool, now: Timestamp) -> Result<CommandOutcome, StoreError> {
    Ok(CommandOutcome::Rejected { contact: contacts::reject(db, who, block, now)?, block })
}

/// Queues the answer. A command is executed even if its answer cannot be sent: the operator opted out, or reached the
/// daily limit of answers.
fn answer(
    db: &Db,
    ordered: &Ordered,
    outcome: &CommandOutcome,
    wording: &dyn Wording,
    now: Timestamp,
) -> Result<(), StoreError> {
    if tally::count(db, MessagePurpose::OperatorCommand.as_str(), tally::DAY, now)? >= ANSWERS_PER_DAY {
        tracing::warn!(command = %ordered.id, "executed a command without an answer: the daily limit of answers is reached");
        return Ok(());
    }
    let parts = wording.answer(outcome);
    let draft = MessageDraft {
        key: format!("order-{}", ordered.id),
        purpose: MessagePurpose::OperatorCommand,
        to: ordered.operator.clone(),
        text: pairing::text_of(&parts),
        parts,
        media: Vec::new(),
        turn: None,
    };
    match enqueue::enqueue(db, ordered.line, &draft, now) {
        Ok(_) | Err(StoreError::OptedOut) => Ok(()),
        Err(error) => Err(error),
    }
}
