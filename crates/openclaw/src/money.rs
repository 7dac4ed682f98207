//! Money for programs and people: an exact decimal text, never a floating-point number.

use std::fmt;

use serde::Serialize;
use telephony_domain::money::Price;

#[derive(Debug, Clone, Serialize)]
pub struct Money {
    amount: String,
    currency: String,
}

impl Money {
    /// Converts a price.
    pub fn of(price: Price) -> Self {
        Self { amount: price.amount.to_string(), currency: price.currency.to_string() }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}
