//! Money and estimates for programs and people: an exact decimal text, never a floating-point number.

use std::fmt;

use serde::Serialize;
use telephony_domain::money::Price;
use telephony_domain::tariff::{Basis, Estimate};

/// An amount of money.
#[derive(Debug, Clone, Serialize)]
pub struct MoneyView {
    amount: String,
    currency: String,
}

/// The estimated cost of an unsent message; empty if unknown.
#[derive(Serialize)]
pub struct EstimateView {
    /// Estimated price of all segments, or of all messages with attachments.
    pub price: Option<MoneyView>,
    /// `price-list` or `own-prices`.
    pub basis: Option<&'static str>,
}

impl MoneyView {
    /// Converts a price.
    pub fn of(price: Price) -> Self {
        Self { amount: price.amount.to_string(), currency: price.currency.to_string() }
    }
}

impl EstimateView {
    /// Converts an estimate.
    pub fn of(estimate: Option<Estimate>) -> Self {
        Self {
            price: estimate.map(|estimate| MoneyView::of(estimate.price)),
            basis: estimate.map(|estimate| estimate.basis.as_str()),
        }
    }

    /// Returns true if it is based on the provider's price list.
    pub fn is_by_price_list(&self) -> bool {
        self.basis == Some(Basis::PriceList.as_str())
    }
}

impl fmt::Display for MoneyView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}
