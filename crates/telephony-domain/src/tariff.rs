//! Price estimates: the provider's dated price list for +1, and earlier payments elsewhere.

use crate::money::{Amount, Price};
use crate::number::PhoneNumber;

/// A provider's public prices for +1, without carrier fees.
#[derive(Debug, PartialEq, Eq)]
pub struct PriceList {
    /// Month of the prices.
    pub as_of: &'static str,
    /// Price of a segment of an outgoing text.
    pub text_out: Price,
    /// Price of a segment of an incoming text.
    pub text_in: Price,
    /// Price of a message with attachments in either direction.
    pub media: Price,
}

/// The kinds of messages that are billed differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BillingKind {
    /// An outgoing text, billed by segment.
    TextOut,
    /// An incoming text, billed by segment.
    TextIn,
    /// An outgoing message with attachments, however many.
    MediaOut,
    /// An incoming message with attachments, however many.
    MediaIn,
}

/// The basis of an estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The provider's public prices, without carrier fees.
    PriceList,
    /// Earlier payments for similar messages.
    OwnPrices,
}

/// An estimated price and its basis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// Estimated price in the currency of its basis.
    pub price: Price,
    /// Source of the price.
    pub basis: Basis,
}

impl Basis {
    /// Returns the word used in `--json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Basis::PriceList => "price-list",
            Basis::OwnPrices => "own-prices",
        }
    }
}

impl BillingKind {
    /// Returns the kind of a message.
    pub fn of(is_inbound: bool, has_media: bool) -> BillingKind {
        match (is_inbound, has_media) {
            (false, false) => BillingKind::TextOut,
            (true, false) => BillingKind::TextIn,
            (false, true) => BillingKind::MediaOut,
            (true, true) => BillingKind::MediaIn,
        }
    }

    /// Returns true if it comes from a contact.
    pub fn is_inbound(self) -> bool {
        matches!(self, BillingKind::TextIn | BillingKind::MediaIn)
    }

    /// Returns true if it has attachments.
    pub fn has_media(self) -> bool {
        matches!(self, BillingKind::MediaOut | BillingKind::MediaIn)
    }

    /// Returns the number of billed units for `messages` with `segments` in total.
    pub fn units(self, messages: u64, segments: u64) -> u64 {
        if self.has_media() { messages } else { segments }
    }
}

impl PriceList {
    /// Returns the public price of a segment, or of a message with attachments, to or from a number; none for most of
    /// the world.
    pub fn price(&self, kind: BillingKind, contact: &PhoneNumber) -> Option<Price> {
        let price = match kind {
            BillingKind::TextOut => self.text_out,
            BillingKind::TextIn => self.text_in,
            BillingKind::MediaOut | BillingKind::MediaIn => self.media,
        };
        (country_code(contact) == "1").then_some(price)
    }

    /// Estimates the price of a unit: the public price if there is one, else the price `paid` before.
    pub fn unit_price(&self, kind: BillingKind, contact: &PhoneNumber, paid: Option<Price>) -> Option<Estimate> {
        let listed = self.price(kind, contact).map(|price| Estimate { price, basis: Basis::PriceList });
        listed.or_else(|| paid.map(|price| Estimate { price, basis: Basis::OwnPrices }))
    }
}

/// Returns the median price, in the currency of the newest one, so that a single outlier changes little.
pub fn typical(newest_first: &[Price]) -> Option<Price> {
    let currency = newest_first.first()?.currency;
    let alike = newest_first.iter().filter(|price| price.currency == currency);
    let mut amounts: Vec<Amount> = alike.map(|price| price.amount).collect();
    amounts.sort_unstable();
    Some(Price { amount: amounts[amounts.len() / 2], currency })
}

/// Returns the calling code of a number's country: all of 1 and 7, two digits where the ITU assigned two (E.164 D),
/// else three.
pub fn country_code(number: &PhoneNumber) -> &str {
    const TWO_DIGITS: [&str; 44] = [
        "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48", "49",
        "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81", "82", "84",
        "86", "90", "91", "92", "93", "94", "95", "98",
    ];
    let digits = &number.as_str()[1..];
    let length = match digits.as_bytes()[0] {
        b'1' | b'7' => 1,
        _ if TWO_DIGITS.iter().any(|code| digits.starts_with(code)) => 2,
        _ => 3,
    };
    &digits[..length.min(digits.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(billionths: i64, currency: &str) -> Price {
        Price { amount: Amount(billionths), currency: currency.parse().unwrap() }
    }

    #[test]
    fn countries_are_recognized_by_their_calling_code() {
        for (number, code) in [
            ("+15550001234", "1"),
            ("+79990001234", "7"),
            ("+445550001234", "44"),
            ("+3535550001", "353"),
            ("+29", "29"),
        ] {
            assert_eq!(country_code(&number.parse().unwrap()), code, "{number}");
        }
    }

    #[test]
    fn list_prices_cover_plus_one_and_earlier_prices_the_rest() {
        let (us, uk) = ("+15550001234".parse().unwrap(), "+445550001234".parse().unwrap());
        let paid = Some(price(40_000_000, "USD"));
        let dollars = |billionths| price(billionths, "USD");
        let list = PriceList {
            as_of: "2026-11",
            text_out: dollars(7_900_000),
            text_in: dollars(7_500_000),
            media: dollars(20_000_000),
        };
        assert_eq!(
            list.unit_price(BillingKind::TextOut, &us, paid),
            Some(Estimate { price: price(7_900_000, "USD"), basis: Basis::PriceList })
        );
        assert_eq!(
            list.unit_price(BillingKind::TextOut, &uk, paid),
            Some(Estimate { price: price(40_000_000, "USD"), basis: Basis::OwnPrices })
        );
        assert_eq!(list.unit_price(BillingKind::TextOut, &uk, None), None);
    }

    #[test]
    fn one_odd_price_or_another_currency_does_not_count() {
        let paid = [price(3, "EUR"), price(900, "EUR"), price(1, "USD"), price(4, "EUR")];
        assert_eq!(typical(&paid), Some(price(4, "EUR")));
        assert_eq!(typical(&[]), None);
    }

    #[test]
    fn attachments_are_paid_by_the_message() {
        assert_eq!(BillingKind::of(false, true).units(3, 12), 3);
        assert_eq!(BillingKind::of(true, false).units(3, 12), 12);
    }
}
