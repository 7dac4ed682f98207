//! Money for programs and people: an exact decimal text, never a floating-point number.

use std::fmt;

use serde::Serialize;
use telephony_domain::money::Price;

/// An amount of money.
#[derive(Debug, Clone, Serialize)]
pub struct MoneyView {
    amount: String,
    currency: String,
}

impl MoneyView {
    /// Converts a price.
    pub fn of(price: Price) -> Self {
        Self { amount: price.amount.to_string(), currency: price.currency.to_string() }
    }
}

impl fmt::Display for MoneyView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}
