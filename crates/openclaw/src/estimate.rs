//! Estimates the cost of a message from the price list, or from earlier payments recorded in the store.

use std::collections::HashMap;
use std::sync::Arc;

use telephony_domain::money::Price;
use telephony_domain::number::PhoneNumber;
use telephony_domain::tariff::{self, BillingKind, Estimate};
use telephony_gateway::views::money::EstimateView;
use telephony_store::Store;

use crate::assemble;
use crate::config_arg::ConfigArg;
use crate::failure::Failure;

/// Estimates a message with this many segments, with or without media.
pub fn of_message(
    config_arg: &ConfigArg,
    to: &PhoneNumber,
    has_media: bool,
    segments: u32,
) -> Result<EstimateView, Failure> {
    let mut estimator = Estimator::new(assemble::earlier_store(config_arg));
    let estimate = estimator.of(BillingKind::of(false, has_media), to, 1, u64::from(segments));
    Ok(EstimateView::of(assemble::runtime()?.block_on(estimate)?))
}

/// Describes the cost and how reliable the estimate is.
pub fn in_words(estimate: &EstimateView) -> String {
    let Some(price) = &estimate.price else {
        return "The cost is unknown: no message to that country has been paid for yet.".to_owned();
    };
    if estimate.is_by_price_list() {
        let as_of = assemble::carrier().prices.as_of;
        format!("Estimated cost: {price}, by Twilio's price list of {as_of}, without carrier fees.")
    } else {
        format!("Estimated cost: {price}, by what you paid before.")
    }
}

/// Prices per segment, or per message with attachments; each country is looked up once.
pub struct Estimator {
    store: Option<Arc<dyn Store>>,
    paid: HashMap<(BillingKind, String), Option<Price>>,
}

impl Estimator {
    /// Creates an estimator; without a store it only knows the price list.
    pub fn new(store: Option<Arc<dyn Store>>) -> Self {
        Self { store, paid: HashMap::new() }
    }

    /// Estimates the cost of `messages` with `segments` in total to or from `contact`; none if unknown.
    pub async fn of(
        &mut self,
        kind: BillingKind,
        contact: &PhoneNumber,
        messages: u64,
        segments: u64,
    ) -> Result<Option<Estimate>, Failure> {
        let prices = &assemble::carrier().prices;
        let paid = match prices.price(kind, contact) {
            Some(_) => None,
            None => self.paid_before(kind, tariff::country_code(contact)).await?,
        };
        let unit = prices.unit_price(kind, contact, paid);
        Ok(unit.map(|Estimate { price, basis }| {
            let amount = price.amount.times(kind.units(messages, segments));
            Estimate { price: Price { amount, ..price }, basis }
        }))
    }

    async fn paid_before(&mut self, kind: BillingKind, country: &str) -> Result<Option<Price>, Failure> {
        let key = (kind, country.to_owned());
        if let Some(known) = self.paid.get(&key) {
            return Ok(*known);
        }
        let typical = match &self.store {
            Some(store) => tariff::typical(&store.paid_before(kind, country).await?),
            None => None,
        };
        self.paid.insert(key, typical);
        Ok(typical)
    }
}
