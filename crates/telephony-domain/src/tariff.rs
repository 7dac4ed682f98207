//! What a message will cost before anybody knows: a dated price list for +1, elsewhere what we paid before.

use crate::money::{Amount, Currency, Price};
use crate::number::PhoneNumber;

/// How old the prices of [`list_price`] are: Twilio's for the United States (<https://www.twilio.com/en-us/pricing>).
pub const AS_OF: &str = "2026-11";

/// What carriers bill apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A text from us, by the segment.
    TextOut,
    /// A text to us, by the segment.
    TextIn,
    /// A message from us with attachments, whatever their number.
    MediaOut,
    /// A message to us with attachments, whatever their number.
    MediaIn,
}

/// How we come by an estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The provider's public prices, as of [`AS_OF`], without what carriers add.
    PriceList,
    /// What we paid before for the like.
    OwnPrices,
}

impl Basis {
    /// The word used in `--json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Basis::PriceList => "price-list",
            Basis::OwnPrices => "own-prices",
        }
    }
}

impl Kind {
    /// The kind of a message.
    pub fn of(is_inbound: bool, has_media: bool) -> Kind {
        match (is_inbound, has_media) {
            (false, false) => Kind::TextOut,
            (true, false) => Kind::TextIn,
            (false, true) => Kind::MediaOut,
            (true, true) => Kind::MediaIn,
        }
    }

    /// Whether it comes from a contact.
    pub fn is_inbound(self) -> bool {
        matches!(self, Kind::TextIn | Kind::MediaIn)
    }

    /// Whether it has attachments.
    pub fn has_media(self) -> bool {
        matches!(self, Kind::MediaOut | Kind::MediaIn)
    }

    /// How often its unit price is paid for `messages` with `segments` in all.
    pub fn units(self, messages: u64, segments: u64) -> u64 {
        if self.has_media() { messages } else { segments }
    }
}

/// The public price of a segment, or of a message with attachments, to or from a number; none for most of the world.
pub fn list_price(kind: Kind, contact: &PhoneNumber) -> Option<Price> {
    let billionths = match kind {
        Kind::TextOut => 7_900_000,
        Kind::TextIn => 7_500_000,
        Kind::MediaOut | Kind::MediaIn => 20_000_000,
    };
    (country_code(contact) == "1").then_some(Price { amount: Amount(billionths), currency: Currency::USD })
}

/// The price of a unit: by the list where it has one, else what was `paid` before.
pub fn unit_price(kind: Kind, contact: &PhoneNumber, paid: Option<Price>) -> Option<(Price, Basis)> {
    let listed = list_price(kind, contact).map(|price| (price, Basis::PriceList));
    listed.or_else(|| paid.map(|price| (price, Basis::OwnPrices)))
}

/// The one in the middle, of one currency: that of the first, which is the newest. One odd price changes little.
pub fn typical(newest_first: &[Price]) -> Option<Price> {
    let currency = newest_first.first()?.currency;
    let alike = newest_first.iter().filter(|price| price.currency == currency);
    let mut amounts: Vec<Amount> = alike.map(|price| price.amount).collect();
    amounts.sort_unstable();
    Some(Price { amount: amounts[amounts.len() / 2], currency })
}

/// The calling code of a number's country: all of 1 and 7, two digits where the ITU gave two (E.164 D), else three.
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
    fn countries_are_told_by_their_calling_code() {
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
    fn the_list_knows_plus_one_and_our_own_prices_the_rest() {
        let (us, uk) = ("+15550001234".parse().unwrap(), "+445550001234".parse().unwrap());
        let paid = Some(price(40_000_000, "USD"));
        assert_eq!(unit_price(Kind::TextOut, &us, paid), Some((price(7_900_000, "USD"), Basis::PriceList)));
        assert_eq!(unit_price(Kind::TextOut, &uk, paid), Some((price(40_000_000, "USD"), Basis::OwnPrices)));
        assert_eq!(unit_price(Kind::TextOut, &uk, None), None);
    }

    #[test]
    fn one_odd_price_or_another_currency_does_not_count() {
        let paid = [price(3, "EUR"), price(900, "EUR"), price(1, "USD"), price(4, "EUR")];
        assert_eq!(typical(&paid), Some(price(4, "EUR")));
        assert_eq!(typical(&[]), None);
    }

    #[test]
    fn attachments_are_paid_by_the_message() {
        assert_eq!(Kind::of(false, true).units(3, 12), 3);
        assert_eq!(Kind::of(true, false).units(3, 12), 12);
    }
}
