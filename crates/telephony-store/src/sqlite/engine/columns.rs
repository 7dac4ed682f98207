//! Conversions between domain values and columns.

use rusqlite::Row;
use rusqlite::types::Type;
use telephony_domain::call::report::CallStatus;
use telephony_domain::call::words::Words;
use telephony_domain::call::{Call, Prompt};
use telephony_domain::consent::{Evidence, Wish};
use telephony_domain::delivery::Status;
use telephony_domain::line::Sender;
use telephony_domain::line_address::LineAddress;
use telephony_domain::message::MessagePurpose;
use telephony_domain::money::{Amount, Price};
use telephony_domain::number::PhoneNumber;
use telephony_domain::pairing::PairingCode;

use crate::calls::{CallState, CallTurnOutcome};
use crate::outbox::PartState;
use crate::outgoing_calls::DialState;

const PURPOSES: [MessagePurpose; 7] = [
    MessagePurpose::Reply,
    MessagePurpose::Send,
    MessagePurpose::Pairing,
    MessagePurpose::Approval,
    MessagePurpose::Unavailable,
    MessagePurpose::Notice,
    MessagePurpose::OperatorCommand,
];

/// A value in a column that this program never wrote. The error does not repeat it, because it may be private.
#[derive(Debug, thiserror::Error)]
#[error("column `{0}` has a value that this program never wrote")]
struct Strange(String);

fn known<T>(column: &str, value: Option<T>) -> rusqlite::Result<T> {
    let strange = || Box::new(Strange(column.to_owned()));
    value.ok_or_else(|| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, strange()))
}

/// Reads a phone number.
pub(crate) fn number(row: &Row<'_>, column: &str) -> rusqlite::Result<PhoneNumber> {
    known(column, PhoneNumber::try_from(row.get::<_, String>(column)?).ok())
}

/// Reads a line's sender from the columns `number` and `messaging_service`.
pub(crate) fn sender(row: &Row<'_>) -> rusqlite::Result<Sender> {
    let text: Option<String> = row.get("number")?;
    let number = text.map(|text| known("number", LineAddress::try_from(text).ok())).transpose()?;
    Ok(Sender { number, messaging_service: row.get("messaging_service")? })
}

/// Reads the other recipients of a message from the column `also_to`.
pub(crate) fn also_to(row: &Row<'_>) -> rusqlite::Result<Vec<String>> {
    let numbers: Option<String> = row.get("also_to")?;
    Ok(numbers.unwrap_or_default().split_whitespace().map(str::to_owned).collect())
}

/// Reads a pairing code.
pub(crate) fn code(row: &Row<'_>) -> rusqlite::Result<PairingCode> {
    known("code", row.get::<_, String>("code")?.parse().ok())
}

/// Reads the purpose of a message.
pub(crate) fn purpose(row: &Row<'_>) -> rusqlite::Result<MessagePurpose> {
    let word: String = row.get("purpose")?;
    known("purpose", PURPOSES.into_iter().find(|purpose| purpose.as_str() == word))
}

pub(crate) fn wish(row: &Row<'_>) -> rusqlite::Result<Wish> {
    let word: String = row.get("wish")?;
    known("wish", Wish::ALL.into_iter().find(|wish| wish.as_str() == word))
}

/// Reads the evidence for a wish.
pub(crate) fn evidence(row: &Row<'_>) -> rusqlite::Result<Evidence> {
    let word: String = row.get("evidence")?;
    known("evidence", Evidence::ALL.into_iter().find(|evidence| evidence.as_str() == word))
}

/// Reads the state of a part.
pub(crate) fn part_state(row: &Row<'_>) -> rusqlite::Result<PartState> {
    let word: String = row.get("state")?;
    known("state", PartState::ALL.into_iter().find(|state| state.as_str() == word))
}

/// Reads the provider's status of a part.
pub(crate) fn status(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Status>> {
    let word: Option<String> = row.get(column)?;
    word.map(|word| known(column, word.parse().ok())).transpose()
}

/// Reads the provider's status of a call from the column `status`.
pub(crate) fn call_status(row: &Row<'_>) -> rusqlite::Result<Option<CallStatus>> {
    let word: Option<String> = row.get("status")?;
    word.map(|word| known("status", word.parse().ok())).transpose()
}

/// Reads the state of a call.
pub(crate) fn call_state(row: &Row<'_>) -> rusqlite::Result<CallState> {
    let word: String = row.get("state")?;
    known("state", CallState::ALL.into_iter().find(|state| state.as_str() == word))
}

/// Reads the dialing of a call from the column `state`.
pub(crate) fn dial_state(row: &Row<'_>) -> rusqlite::Result<DialState> {
    let word: String = row.get("state")?;
    known("state", DialState::ALL.into_iter().find(|state| state.as_str() == word))
}

/// Reads the state of a call's rules from the column `machine`.
pub(crate) fn call_machine(row: &Row<'_>) -> rusqlite::Result<Call> {
    known("machine", serde_json::from_str(&row.get::<_, String>("machine")?).ok())
}

/// Reads the task of a call's turn from the columns `prompt` and `words`.
pub(crate) fn call_prompt(row: &Row<'_>) -> rusqlite::Result<Prompt> {
    let words = Words::from(row.get::<_, String>("words")?);
    let prompts =
        [Prompt::Speech(words.clone()), Prompt::Keys(words), Prompt::Open, Prompt::LeaveMessage, Prompt::Summarize];
    let kind: String = row.get("prompt")?;
    known("prompt", prompts.into_iter().find(|prompt| prompt.kind() == kind))
}

/// Reads the outcome of a call's turn.
pub(crate) fn call_outcome(row: &Row<'_>) -> rusqlite::Result<Option<CallTurnOutcome>> {
    let word: Option<String> = row.get("outcome")?;
    let outcome = |word: String| CallTurnOutcome::ALL.into_iter().find(|outcome| outcome.as_str() == word);
    word.map(|word| known("outcome", outcome(word))).transpose()
}

/// Reads a price from the columns `price` and `currency`.
pub(crate) fn price(row: &Row<'_>) -> rusqlite::Result<Option<Price>> {
    let amount = row.get::<_, Option<i64>>("price")?.map(Amount);
    let word: Option<String> = row.get("currency")?;
    let currency = word.map(|word| known("currency", word.parse().ok())).transpose()?;
    Ok(amount.zip(currency).map(|(amount, currency)| Price { amount, currency }))
}
