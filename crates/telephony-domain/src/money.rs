//! Exact amounts of money: message prices as the provider reports them.

use std::fmt;
use std::ops::{Add, AddAssign, Neg};
use std::str::FromStr;

/// Fractions of a currency unit: prices of single messages have up to nine decimals.
const UNIT: u64 = 1_000_000_000;

const DECIMALS: usize = 9;

/// An amount of money in billionths of the currency unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Amount(pub i64);

/// A currency code of three letters, such as `USD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// An amount with its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price {
    /// Amount in `currency`, exact.
    pub amount: Amount,
    /// Currency of the account at the provider.
    pub currency: Currency,
}

/// The provider's charge for one message in either direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Billed {
    /// Id of the message at the provider.
    pub provider_id: String,
    /// Price of the whole message, as the provider reports it.
    pub price: Price,
    /// Segments as counted by the provider, if it says.
    pub segments: Option<u32>,
}

/// A text that is not an amount or a currency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an amount of money")]
pub struct NoMoney(String);

impl Currency {
    /// US dollars.
    pub const USD: Currency = Currency(*b"USD");

    /// Returns the three letters.
    pub fn as_str(&self) -> &str {
        // The bytes are always ASCII letters.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Amount {
    /// Multiplies the amount; stays at the largest one instead of overflowing.
    pub fn times(self, number: u64) -> Amount {
        Amount(self.0.saturating_mul(i64::try_from(number).unwrap_or(i64::MAX)))
    }

    /// Divides the amount by `number` (at least 1), rounding down.
    pub fn per(self, number: u64) -> Amount {
        Amount(self.0 / i64::try_from(number.max(1)).unwrap_or(i64::MAX))
    }
}

impl Add for Amount {
    type Output = Amount;

    fn add(self, more: Amount) -> Amount {
        Amount(self.0.saturating_add(more.0))
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, more: Amount) {
        *self = *self + more;
    }
}

impl Neg for Amount {
    type Output = Amount;

    fn neg(self) -> Amount {
        Amount(self.0.saturating_neg())
    }
}

impl FromStr for Amount {
    type Err = NoMoney;

    /// Parses `-?\d+(\.\d+)?` with at most nine decimals, not counting trailing zeros.
    fn from_str(text: &str) -> Result<Self, NoMoney> {
        read(text).ok_or_else(|| NoMoney(text.to_owned()))
    }
}

fn read(text: &str) -> Option<Amount> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let decimals_kept = decimals.trim_end_matches('0');
    if !is_number(whole) || !is_number(decimals) || decimals_kept.len() > DECIMALS {
        return None;
    }
    let parts = format!("{whole}{decimals_kept:0<DECIMALS$}").parse::<i64>().ok()?;
    Some(Amount(if text.starts_with('-') { -parts } else { parts }))
}

impl fmt::Display for Amount {
    /// Formats with as few decimals as needed, but at least two: `0.0079`, `15.50`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, parts) = (self.0.unsigned_abs() / UNIT, self.0.unsigned_abs() % UNIT);
        let decimals = format!("{parts:0DECIMALS$}");
        let needed = decimals.trim_end_matches('0').len().max(2);
        write!(f, "{sign}{whole}.{}", &decimals[..needed])
    }
}

impl FromStr for Currency {
    type Err = NoMoney;

    fn from_str(text: &str) -> Result<Self, NoMoney> {
        match text.to_ascii_uppercase().as_bytes() {
            [a, b, c] if [a, b, c].iter().all(|byte| byte.is_ascii_uppercase()) => Ok(Currency([*a, *b, *c])),
            _ => Err(NoMoney(text.to_owned())),
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_are_read_and_shown_exactly() {
        for (text, shown) in [
            ("-0.00750", "-0.0075"),
            ("0.0079", "0.0079"),
            ("15.50", "15.50"),
            ("15", "15.00"),
            ("0.000000001", "0.000000001"),
            ("0.0000000010", "0.000000001"),
            ("-12345.67", "-12345.67"),
            ("-0", "0.00"),
        ] {
            assert_eq!(text.parse::<Amount>().unwrap().to_string(), shown, "{text}");
        }
    }

    #[test]
    fn an_invalid_amount_is_rejected() {
        for text in ["", "-", ".5", "5.", "1e3", "+1", "1,5", "0.0000000001", "99999999999", "--1", "१"] {
            assert!(text.parse::<Amount>().is_err(), "{text}");
        }
        for text in ["", "US", "USDT", "U$D", "ÜS"] {
            assert!(text.parse::<Currency>().is_err(), "{text}");
        }
        assert_eq!("usd".parse(), Ok(Currency::USD));
    }

    proptest! {
        #[test]
        fn amounts_round_trip(parts in any::<i64>().prop_filter("no mirror image", |n| *n != i64::MIN)) {
            prop_assert_eq!(Amount(parts).to_string().parse(), Ok(Amount(parts)));
        }
    }
}
