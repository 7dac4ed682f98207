//! Fields that messages and calls have in common.

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use telephony_domain::money::{Amount, Price};
use telephony_domain::time::Timestamp;

use crate::provider::ProviderError;
use crate::twilio::dates;

/// Reads the time when a message or call was created.
pub(super) fn created(sid: &str, date: Option<&str>) -> Result<Timestamp, ProviderError> {
    let unreadable = || ProviderError::Unreadable { cause: format!("{sid} has no readable date_created") };
    date.and_then(dates::parse).ok_or_else(unreadable)
}

/// Reads a price, which Twilio writes as a negative amount once it is known.
pub(super) fn charge(amount: Option<&str>, currency: Option<&str>) -> Option<Price> {
    let amount: Amount = amount?.parse().ok()?;
    Some(Price { amount: -amount, currency: currency?.parse().ok()? })
}

/// Reads a count, which is text at Twilio and a number elsewhere.
pub(super) fn text_or_number<'de, D: Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(value)? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}
